"""Every setting of Glas in one nested class. `cli` alone makes it, once; everyone else receives values.

A setting is an environment variable with the prefix `GLAS_`, or a line in `.env`; nested ones are joined by two
underscores: `GLAS_AUDIO__MAX_DURATION_S=600`. `rows()` describes them all; docs/settings.md is written from it.
"""

import ipaddress
import os
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_MIN_SECRET_LENGTH = 16
MIB = 1024 * 1024

_PLACEHOLDERS = ("changeme", "changethis", "secret", "password", "your-key", "example")


def _real_secret(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if len(text) < _MIN_SECRET_LENGTH or text.lower().startswith(_PLACEHOLDERS):
        raise ValueError(
            f"expected a secret of at least {_MIN_SECRET_LENGTH} characters that is no placeholder, got {len(text)} "
            "characters; make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return value


def plain(secret: SecretStr | None) -> str | None:
    """A secret's own text, for the one place that sends it."""
    return None if secret is None else secret.get_secret_value()


Secret = Annotated[SecretStr, AfterValidator(_real_secret)]

_BOT_TOKEN = re.compile(r"\d{6,12}:[A-Za-z0-9_-]{30,}")
_NUMBERS = r"^\s*(\d+\s*(,\s*\d+\s*)*)?$"


def _real_bot_token(value: SecretStr | None) -> SecretStr | None:
    text = value.get_secret_value().strip() if value is not None else ""
    if text and not _BOT_TOKEN.fullmatch(text):
        raise ValueError("expected a token as @BotFather gives it (123456789:letters), got another text")
    return SecretStr(text) if text else None


BotToken = Annotated[SecretStr, AfterValidator(_real_bot_token)]


class AudioSettings(BaseModel):
    """Limits within which foreign bytes are decoded."""

    model_config = ConfigDict(frozen=True)

    max_upload_mb: int = Field(default=200, gt=0, description="Largest request body or file, MiB.")
    max_duration_s: float = Field(default=7200, gt=0, description="Longest audio, seconds of decoded samples.")
    decode_workers: int = Field(default=2, ge=1, description="Child processes that decode.")
    decode_memory_mb: int = Field(default=384, ge=128, description="Address space that decoding may add, MiB.")
    decode_cpu_s: int = Field(default=60, ge=1, description="Processor time for one file, seconds.")
    decode_wall_s: float = Field(default=120, gt=0, description="Longest wait for one file's decoding, seconds in all.")


class NnServiceSettings(BaseModel):
    """How `nn_service` recognises."""

    model_config = ConfigDict(frozen=True)

    port: int = Field(default=8001, ge=0, le=65535, description="Port when it runs without `web`; 0 takes a free one.")
    workers: int = Field(
        default=0, ge=0, description="Recordings recognised at once; 0 means one per processor, at most 8."
    )
    threads: int = Field(default=1, ge=1, description="Threads of one inference call.")
    queue_size: int = Field(default=64, ge=0, description="Requests that may wait; the next one gets 503.")
    vad_threshold: float = Field(
        default=0.5, gt=0, lt=1, description="Speech probability above which a frame is speech."
    )

    @property
    def worker_count(self) -> int:
        """`workers` with 0 resolved."""
        return self.workers or min(os.cpu_count() or 1, 8)


class DataLoaderSettings(BaseModel):
    """How `data_loader` stores and exports."""

    model_config = ConfigDict(frozen=True)

    port: int = Field(default=8003, ge=0, le=65535, description="Port when it runs apart; 0 takes a free one.")
    export_hours: int = Field(
        default=3, ge=0, le=23, description="Hours between two exports; 0: only when `glas export` asks."
    )
    reconcile_hours: float = Field(
        default=24, ge=0, description="Hours after which an export compares everything instead of what has changed."
    )
    test_share: float = Field(
        default=0.1, ge=0, lt=1, description="Share of the speakers whose messages form the test set."
    )


class DbAssistSettings(BaseModel):
    """What `db_assist` pays and what it refuses."""

    model_config = ConfigDict(frozen=True)

    port: int = Field(default=8002, ge=0, le=65535, description="Port when it runs without `web`; 0 takes a free one.")
    pool_size: int = Field(default=10, ge=1, description="Most connections to PostgreSQL; SQLite needs no such choice.")
    daily_coin_cap: Decimal = Field(
        default=Decimal(600), ge=0, decimal_places=2, description="Most coins earned by one person in 24 hours."
    )
    correction_reward: Decimal = Field(
        default=Decimal(1), ge=0, decimal_places=2, description="Coins for the first correction of a message; 0: none."
    )
    correction_max_cer: float = Field(
        default=0.8,
        gt=0,
        description="Character errors per character of a correction above which it is refused as another text.",
    )
    correction_max_chars_per_s: float = Field(
        default=30, gt=0, description="Characters per second of audio above which nobody can have said a correction."
    )


class BotSettings(BaseModel):
    """How `tg_bot` behaves."""

    model_config = ConfigDict(frozen=True)

    webhook_url: str | None = Field(
        default=None,
        description="Public https address to which Telegram pushes; none: the bot asks for updates itself.",
    )
    webhook_secret: Secret | None = Field(
        default=None, description="What Telegram must send with every push; required with a webhook."
    )
    port: int = Field(default=8004, ge=0, le=65535, description="Port of the webhook; 0 takes a free one.")
    api_is_local: bool = Field(
        default=False, description="GLAS_TELEGRAM_API_URL runs with `--local` on this machine: files up to 2 GB."
    )
    max_file_mb: int = Field(
        default=20, ge=1, le=2000, description="Largest recording, MB; Telegram's own server gives out at most 20."
    )
    confirm_first: bool = Field(default=False, description="Ask «Распознать?» before each recording in private chats.")
    user_minutes_per_day: int = Field(
        default=120, ge=0, description="Minutes of sound that a person may send in 24 hours; 0: any number."
    )
    beta_tester_minutes_per_day: int = Field(default=360, ge=0, description="The same for beta-testers.")
    rating_days: int = Field(default=7, ge=1, le=365, description="Days for which the buttons under a text work.")
    concurrency: int = Field(default=32, ge=1, description="Messages at work at once in one process.")
    recognitions: int = Field(default=4, ge=1, description="Of these, how many `nn_service` is given at once.")
    patience_s: float = Field(
        default=3600, gt=0, description="Seconds for which a service that is away is waited for, before a failure."
    )
    slot: str | None = Field(
        default=None, description="Stable name of this process among several with one database; none: the host's name."
    )


class LogSettings(BaseModel):
    """What is logged and how it looks."""

    model_config = ConfigDict(frozen=True)

    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Lowest level shown.")
    format: Literal["console", "json"] = Field(
        default="console", description="`console` for people, `json` for machines."
    )


class Settings(BaseSettings):
    """The whole configuration."""

    model_config = SettingsConfigDict(
        env_prefix="GLAS_",
        env_nested_delimiter="__",
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        # Variables of the original system have no prefix; in code every setting has its own name.
        populate_by_name=True,
    )

    host: str = Field(default="127.0.0.1", description="Address to listen on; beyond loopback a key is required.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port of the page and the API; 0 takes a free one.")
    data_dir: Path = Field(default=Path("data"), description="Where Glas keeps what it stores; made when missing.")
    model: str = Field(
        default="auto",
        description="Model to serve: a name from `glas models`, `onnx:<directory>`, or `auto`: the best one on disk.",
    )
    api_key: Secret | None = Field(
        default=None,
        description="Key that callers of the page's API send as `Authorization: Bearer`; none: open on loopback.",
    )
    nn_service_url: str | None = Field(
        default=None, description="Where `nn_service` answers when it runs elsewhere, e.g. `http://gpu-box:8001`."
    )
    nn_service_token: Secret | None = Field(
        default=None, description="Key of `nn_service` when it runs as a process apart."
    )
    data_loader_url: str | None = Field(
        default=None, description="Where `data_loader` answers when it runs elsewhere, e.g. `http://data-box:8003`."
    )
    data_loader_token: Secret | None = Field(
        default=None, description="Key of `data_loader` when it runs as a process apart."
    )
    s3_endpoint: str | None = Field(
        default=None,
        description="Address of the S3 server that keeps audio and texts; none: the directory `s3` in GLAS_DATA_DIR.",
    )
    s3_access_key: str | None = Field(default=None, description="Name under which the S3 server knows us.")
    s3_secret_key: SecretStr | None = Field(default=None, description="Secret that belongs to GLAS_S3_ACCESS_KEY.")
    s3_bucket: str = Field(default="glas", min_length=3, description="Bucket of audio and texts.")
    downloads_dir: Path | None = Field(
        default=None, description="Where messages are exported for training; none: `downloads` in GLAS_DATA_DIR."
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="`postgresql://user:password@host/name` or `sqlite:///file`; none: a file in GLAS_DATA_DIR.",
    )
    db_assist_url: str | None = Field(
        default=None, description="Where `db_assist` answers when it runs elsewhere, e.g. `http://db-box:8002`."
    )
    db_assist_token: Secret | None = Field(
        default=None, description="Key of `db_assist` when it runs as a process apart."
    )
    telegram_token: BotToken | None = Field(
        default=None,
        validation_alias="TELEGRAM_TOKEN",
        description="Token of the bot, from @BotFather; none: no bot is started.",
    )
    telegram_api_url: str | None = Field(
        default=None, description="Another Bot API server than Telegram's own, e.g. `http://127.0.0.1:8081`."
    )
    admin_user_ids: str = Field(
        default="",
        pattern=_NUMBERS,
        validation_alias="ADMIN_USER_IDS",
        description="Telegram's numbers of the bot's administrators, separated by commas.",
    )
    allowed_telegram_user_ids: str = Field(
        default="",
        pattern=_NUMBERS,
        validation_alias="ALLOWED_TELEGRAM_USER_IDS",
        description="Numbers of the people whom the bot answers, separated by commas; empty: everybody.",
    )
    audio: AudioSettings = AudioSettings()
    nn_service: NnServiceSettings = NnServiceSettings()
    db_assist: DbAssistSettings = DbAssistSettings()
    data_loader: DataLoaderSettings = DataLoaderSettings()
    bot: BotSettings = BotSettings()
    log: LogSettings = LogSettings()

    @property
    def models_dir(self) -> Path:
        """Where fetched models lie."""
        return self.data_dir / "models"

    @property
    def export_dir(self) -> Path:
        """`downloads_dir` with its default resolved."""
        return self.downloads_dir or self.data_dir / "downloads"


def numbers(text: str) -> frozenset[int]:
    """The numbers of a list that is separated by commas."""
    return frozenset(int(part) for part in text.split(",") if part.strip())


def is_loopback(host: str) -> bool:
    """Whether a listener on `host` is reachable from this machine only; only `localhost` among names can promise it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class SettingRow(NamedTuple):
    """One setting, described."""

    variable: str
    default: str
    description: str


def rows(model: type[BaseModel] = Settings, prefix: str = "GLAS_") -> Iterator[SettingRow]:
    """Describe all settings, nested ones after their group's neighbours, in the order of their definition."""
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        variable = alias if isinstance(alias, str) else prefix + name.upper()
        if isinstance(field.default, BaseModel):
            yield from rows(type(field.default), variable + "__")
        else:
            default = "" if field.default is None else str(field.default)
            yield SettingRow(variable, default, field.description or "")
