"""The groups of settings; a setting's environment variable is `GLAS_<GROUP>__<NAME>`."""

import os
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from glas.settings.secrets import Secret


class AudioSettings(BaseModel):
    """Limits of uploads and of decoding."""

    model_config = ConfigDict(frozen=True)

    max_upload_mb: int = Field(default=200, gt=0, description="Largest request body or file, MiB.")
    max_uploads_mb: int = Field(
        default=400,
        gt=0,
        description="Largest total size of all request bodies that are held at once, MiB. Further requests get 503.",
    )
    max_duration_s: float = Field(default=7200, gt=0, description="Longest recording, in seconds of decoded sound.")
    decode_workers: int = Field(default=2, ge=1, description="Number of child processes that decode.")
    decode_memory_mb: int = Field(
        default=384, ge=128, description="Additional address space that the decoding of one file may use, MiB."
    )
    decode_cpu_s: int = Field(
        default=60, ge=1, description="Processor time that the decoding of one file may use, seconds."
    )
    decode_wall_s: float = Field(
        default=120, gt=0, description="Longest total time to wait for the decoding of one file, seconds."
    )


class NnServiceSettings(BaseModel):
    """Settings of `nn_service`."""

    model_config = ConfigDict(frozen=True)

    port: int = Field(
        default=8001, ge=0, le=65535, description="Port of `nn_service`, if it runs without `web`; 0 takes a free one."
    )
    workers: int = Field(
        default=0, ge=0, description="Number of inference calls at the same time; 0 means one per processor, at most 8."
    )
    threads: int = Field(default=1, ge=1, description="Number of threads for each inference call.")
    device: Literal["cpu", "cuda"] = Field(
        default="cpu", description="Device on which models run: `cpu`, or `cuda` for a graphics card."
    )
    precision: Literal["auto", "int8", "int8_float16", "float16", "bfloat16", "float32"] = Field(
        default="auto",
        description="Number format of Whisper's weights. `auto` means int8 on a processor and float16 on a "
        "graphics card. The server does not start with a value that the device does not support.",
    )
    beam_size: int = Field(
        default=5,
        ge=1,
        le=10,
        description="Width of Whisper's search for better texts. On a graphics card this number is the beam size. On a "
        "processor, up to six changes of the first text are tried for each unit. 1 is the fastest and makes the "
        "most errors.",
    )
    queue_size: int = Field(
        default=64,
        ge=0,
        le=1000,
        description="Number of recordings that may wait for recognition. Further requests get 503.",
    )
    deadline_s: float = Field(
        default=3600, ge=0, description="Seconds after which a request without a result is cancelled; 0 means never."
    )
    keep_alive_s: float = Field(
        default=300,
        ge=0,
        description="Seconds without use after which a model is unloaded; 0 means never. The model of GLAS_MODEL "
        "is always loaded.",
    )
    keep_former_s: float = Field(
        default=86_400,
        ge=0,
        description="Seconds for which the former default model stays in memory without use, so that it can serve "
        "again at once.",
    )
    max_models: int = Field(
        default=3,
        ge=1,
        description="Largest number of models in memory. While a model is replaced, there may be one more.",
    )
    max_own_models: int = Field(
        default=4,
        ge=0,
        description="Largest number of own models of people and chats in memory, besides GLAS_NN_SERVICE__MAX_MODELS; "
        "0 means that they answer nobody.",
    )
    vad_threshold: float = Field(
        default=0.5, gt=0, lt=1, description="Probability above which the speech detector counts a frame as speech."
    )

    sentences: bool = Field(
        default=True, description="Write capitals and full stops at pauses, for models that write neither."
    )
    digits: bool = Field(default=True, description="Write numbers, times, dates and telephone numbers in digits.")

    @property
    def worker_count(self) -> int:
        """`workers`, with 0 replaced by the number of processors."""
        return self.workers or min(os.cpu_count() or 1, 8)


class DataLoaderSettings(BaseModel):
    """Settings of `data_loader`."""

    model_config = ConfigDict(frozen=True)

    port: int = Field(
        default=8003,
        ge=0,
        le=65535,
        description="Port of `data_loader`, if it runs in another process; 0 takes a free one.",
    )
    export_hours: int = Field(
        default=3, ge=0, le=23, description="Hours between two exports; 0 means that only `glas export` starts one."
    )
    reconcile_hours: float = Field(
        default=24,
        ge=0,
        description="Hours after which an export compares all files with the database, instead of only what has "
        "changed.",
    )
    test_share: float = Field(
        default=0.1, ge=0, lt=1, description="Share of the speakers whose messages are in the test set."
    )


class DbAssistSettings(BaseModel):
    """Settings of `db_assist`, such as payments and limits."""

    model_config = ConfigDict(frozen=True)

    port: int = Field(
        default=8002, ge=0, le=65535, description="Port of `db_assist`, if it runs without `web`; 0 takes a free one."
    )
    pool_size: int = Field(
        default=10, ge=1, description="Largest number of connections to PostgreSQL. It has no effect on SQLite."
    )
    daily_coin_cap: Decimal = Field(
        default=Decimal(600),
        ge=0,
        decimal_places=2,
        description="Largest number of coins that a person can earn in 24 hours.",
    )
    correction_reward: Decimal = Field(
        default=Decimal(1),
        ge=0,
        decimal_places=2,
        description="Coins for the first correction of a message; 0 means none.",
    )
    correction_max_chars_per_s: float = Field(
        default=30,
        gt=0,
        description="Letters per second of sound above which a correction is doubtful.",
    )
    vocabulary_chat_people: int = Field(
        default=2,
        ge=1,
        description="Number of members of a group who must correct a name before it is a keyword in the group.",
    )
    vocabulary_people: int = Field(
        default=3,
        ge=1,
        description="Number of people who must correct a name before it is a keyword in all recordings. Only people "
        "who agreed to training count.",
    )
    vocabulary_refresh_s: float = Field(
        default=60,
        ge=0,
        description="Seconds after which the keywords for all recordings are counted again; 0 means that they are "
        "counted for each recording.",
    )
    review_reward: Decimal = Field(
        default=Decimal(5),
        ge=0,
        decimal_places=2,
        description="Coins for a review that another person confirms independently; 0 means none.",
    )
    review_check_every: int = Field(
        default=5,
        ge=0,
        description="Of this number of reviews, one is of a message whose words another person has already given; 0 "
        "means none.",
    )
    review_minutes: float = Field(default=15, gt=0, description="Minutes for which a reviewer holds a message.")
    retention_days: int = Field(
        default=0,
        ge=0,
        description="Days after which messages of people who do not agree to training are deleted, with recording and "
        "text; 0 means never.",
    )
    training_retention_days: int = Field(
        default=0,
        ge=0,
        description="Days after which messages of people who agree to training are deleted, with recording and text; "
        "0 means never.",
    )


class BotSettings(BaseModel):
    """Settings of `tg_bot`."""

    model_config = ConfigDict(frozen=True)

    webhook_url: str | None = Field(
        default=None,
        description="Public https URL of the webhook to which Telegram sends updates. If empty, the bot polls "
        "Telegram.",
    )
    webhook_secret: Secret | None = Field(
        default=None, description="Secret that Telegram must send with every update. It is required with a webhook."
    )
    port: int = Field(default=8004, ge=0, le=65535, description="Port of the webhook; 0 takes a free one.")
    metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Port of the bot's `/metrics`, if it runs without `web`; 0 takes a free one. "
        "If empty, the bot has no such port.",
    )
    metrics_token: Secret | None = Field(
        default=None,
        description="Token that the bot's `/metrics` requires. It is required with GLAS_BOT__METRICS_PORT.",
    )
    api_is_local: bool = Field(
        default=False,
        description="Whether GLAS_TELEGRAM_API_URL is a server with `--local` on this machine. It permits files "
        "up to 2 GB.",
    )
    max_file_mb: int = Field(
        default=20,
        ge=1,
        le=2000,
        description="Largest recording that the bot accepts, MB. Telegram's own server permits at most 20.",
    )
    confirm_first: bool = Field(default=False, description="Ask «Распознать?» before each recording in private chats.")
    user_messages_per_minute: int = Field(
        default=20, ge=0, le=500, description="Recordings that a person may send in a minute; 0 means no limit."
    )
    user_minutes_per_day: int = Field(
        default=120, ge=0, description="Minutes of sound that a person may send in 24 hours; 0 means no limit."
    )
    beta_tester_minutes_per_day: int = Field(
        default=360, ge=0, description="Minutes of sound that a beta-tester may send in 24 hours; 0 means no limit."
    )
    announce_s: float = Field(
        default=20,
        gt=0,
        description="Seconds between two requests for announcements: news about models, questions to administrators.",
    )
    rating_days: int = Field(
        default=7, ge=1, le=365, description="Days after which the buttons under a text stop working."
    )
    concurrency: int = Field(
        default=32, ge=1, description="Number of messages that one bot process handles at the same time."
    )
    recognitions: int = Field(
        default=4, ge=1, description="Number of these messages that are sent to `nn_service` at the same time."
    )
    keywords: int = Field(
        default=100,
        ge=0,
        le=100,
        description="Largest number of words from vocabularies that are sent with a recording; 0 means none.",
    )
    patience_s: float = Field(
        default=3600,
        gt=0,
        description="Seconds for which the bot tries again if a service is unavailable. "
        "After this time the message fails.",
    )
    repair_hour: int = Field(
        default=3,
        ge=-1,
        le=23,
        description="Hour (UTC) in which the bot, at half past, looks for lost recordings and downloads them again; "
        "-1 means never.",
    )
    slot: str | None = Field(
        default=None,
        description="Name of this bot process, if several use one database. It must stay the same after a "
        "restart. If empty, the host name is used.",
    )
