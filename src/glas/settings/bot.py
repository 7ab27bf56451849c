"""The settings of the Telegram bot."""

from pydantic import BaseModel, ConfigDict, Field

from glas.settings.secrets import Secret


class BotSettings(BaseModel):
    """Settings of `tg_bot`."""

    model_config = ConfigDict(frozen=True)

    webhook_url: str | None = Field(
        default=None,
        description="Public https URL to which Telegram sends updates. If empty, the bot itself requests updates from "
        "Telegram.",
    )
    webhook_secret: Secret | None = Field(
        default=None,
        description="Secret that Telegram must send with every update. It is required if GLAS_BOT__WEBHOOK_URL is set.",
    )
    port: int = Field(
        default=8004,
        ge=0,
        le=65535,
        description="Port on which the bot receives updates from Telegram, if GLAS_BOT__WEBHOOK_URL is set. 0 means "
        "that the operating system chooses a free port.",
    )
    metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Port of the bot's metrics (`/metrics`). It is used only if the bot and `web` run in different "
        "processes. 0 means that the operating system chooses a free port. If empty, the bot has no such port.",
    )
    metrics_token: Secret | None = Field(
        default=None,
        description="Token that a client must send to read the bot's metrics (`/metrics`). It is required if "
        "GLAS_BOT__METRICS_PORT is set.",
    )
    api_is_local: bool = Field(
        default=False,
        description="Whether two conditions are met: the Bot API server at GLAS_TELEGRAM_API_URL runs with the option "
        "`--local`, and this machine can read the directory of its files at the same path. Such a server permits "
        "files up to 2 GB.",
    )
    max_file_mb: int = Field(
        default=20,
        ge=1,
        le=2000,
        description="Size of the largest recording that the bot accepts, in MB. Telegram's public server permits at "
        "most 20 MB.",
    )
    confirm_first: bool = Field(
        default=False,
        description="Whether the bot asks the sender «Распознать?» before it recognises a recording in a private chat.",
    )
    user_messages_per_minute: int = Field(
        default=20,
        ge=0,
        le=500,
        description="Number of recordings that a person may send in a minute. 0 means no limit.",
    )
    user_minutes_per_day: int = Field(
        default=120, ge=0, description="Minutes of sound that a person may send in 24 hours. 0 means no limit."
    )
    beta_tester_minutes_per_day: int = Field(
        default=360,
        ge=0,
        description="Minutes of sound that a person with the role of a beta-tester may send in 24 hours. 0 means "
        "no limit.",
    )
    announce_s: float = Field(
        default=20,
        gt=0,
        description="Seconds between two requests with which the bot asks `db_assist` for new messages about models: "
        "news to people and questions to administrators.",
    )
    rating_days: int = Field(default=7, ge=1, le=365, description="Days for which the buttons under a text work.")
    concurrency: int = Field(
        default=32, ge=1, description="Number of messages that one bot process handles at the same time."
    )
    recognitions: int = Field(
        default=4, ge=1, description="Number of recordings that one bot process sends to `nn_service` at the same time."
    )
    keywords: int = Field(
        default=100,
        ge=0,
        le=100,
        description="Largest number of words from vocabularies that the bot sends with a recording. 0 means that "
        "it sends none.",
    )
    patience_s: float = Field(
        default=3600,
        gt=0,
        description="Seconds for which the bot repeats a request to a service that is not available. After this time, "
        "the recognition of the message fails.",
    )
    repair_hour: int = Field(
        default=3,
        ge=-1,
        le=23,
        description="Hour (0 to 23, UTC) in which the bot looks for recordings that were lost from the object store, "
        "and downloads them from Telegram again. The bot starts 30 minutes after the full hour. -1 means never.",
    )
    slot: str | None = Field(
        default=None,
        description="Name of this bot process. If several bot processes use one database, their names must differ. A "
        "process must have the same name after a restart. If empty, the name is the host name.",
    )
