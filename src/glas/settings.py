"""Every setting of Glas in one nested class. `cli` alone makes it, once; everyone else receives values.

A setting is an environment variable with the prefix `GLAS_`, or a line in `.env`; nested ones are joined by two
underscores: `GLAS_AUDIO__MAX_DURATION_S=600`. `rows()` describes them all; docs/settings.md is written from it.
"""

import ipaddress
import os
from collections.abc import Iterator
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


Secret = Annotated[SecretStr, AfterValidator(_real_secret)]


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
    audio: AudioSettings = AudioSettings()
    nn_service: NnServiceSettings = NnServiceSettings()
    log: LogSettings = LogSettings()

    @property
    def models_dir(self) -> Path:
        """Where fetched models lie."""
        return self.data_dir / "models"


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
        variable = prefix + name.upper()
        if isinstance(field.default, BaseModel):
            yield from rows(type(field.default), variable + "__")
        else:
            default = "" if field.default is None else str(field.default)
            yield SettingRow(variable, default, field.description or "")
