"""All settings of Glas in one nested class. Only `glas.cli` reads the settings; other code gets them as arguments.

A setting is an environment variable with the prefix `GLAS_`, or a line in the file `.env`; a secret may also be in a
file, see `glas.settings.files`. Two underscores separate the name of a group of settings from the name of the setting,
for example `GLAS_AUDIO__MAX_DURATION_S=600`. `rows()` returns the rows of the table in docs/settings.md.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, Field
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from glas.settings.bot import BotSettings
from glas.settings.database_roles import DatabaseRoleSettings
from glas.settings.files import SecretFiles
from glas.settings.groups import (
    AudioSettings,
    DataLoaderSettings,
    DbAssistSettings,
    NnServiceSettings,
)
from glas.settings.keys import HashedKeys
from glas.settings.log import LogSettings
from glas.settings.secrets import BotToken, DatabaseUrl, Secret, plain
from glas.settings.tls import TlsSettings
from glas.settings.tracing import TracingSettings
from glas.settings.values import is_loopback, listed, numbers
from glas.settings.web import WebSettings

__all__ = [
    "MIB",
    "AudioSettings",
    "BotSettings",
    "DataLoaderSettings",
    "DatabaseRoleSettings",
    "DbAssistSettings",
    "LogSettings",
    "NnServiceSettings",
    "SettingRow",
    "Settings",
    "TlsSettings",
    "TracingSettings",
    "WebSettings",
    "is_loopback",
    "listed",
    "numbers",
    "plain",
    "rows",
]

MIB = 1024 * 1024

_ORIGINS = r"^\s*(\*|(https?://[^\s,/]+)(\s*,\s*https?://[^\s,/]+)*)?\s*$"
_NUMBERS = r"^\s*(\d+\s*(,\s*\d+\s*)*)?$"


class Settings(BaseSettings):
    """All settings of Glas; settings of one subject are in a group, such as `audio`."""

    model_config = SettingsConfigDict(
        env_prefix="GLAS_",
        env_nested_delimiter="__",
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        # If .env does not set a variable, compose.yaml passes an empty string.
        env_ignore_empty=True,
        frozen=True,
        # Some variables have an alias, the name in the original system. Code still uses the names of the fields.
        populate_by_name=True,
    )

    host: str = Field(
        default="127.0.0.1",
        description="Address on which the server listens. If other machines can reach this address, the server starts "
        "only with an API key.",
    )
    port: int = Field(
        default=8000,
        ge=0,
        le=65535,
        description="Port of the web pages and of the API. 0 means that the operating system chooses a free port.",
    )
    data_dir: Path = Field(
        default=Path("data"),
        description="Directory for the data of Glas. It is created if it does not exist.",
    )
    model: str = Field(
        default="auto",
        description="Default model, which recognises recordings: a name that `glas models` lists, `onnx:<directory>`, "
        "`whisper:<directory>`, or `auto`. `auto` means the model that an administrator has chosen; if no "
        "administrator has chosen a model, the best model on disk.",
    )
    api_key: Secret | None = Field(
        default=None,
        description="API key that clients send in the header `Authorization: Bearer KEY`. If neither GLAS_API_KEY nor "
        "GLAS_API_KEYS is set, only this machine has access.",
    )
    api_keys: HashedKeys = Field(
        default="",
        description="Hashes of further API keys, separated by commas. `glas keys new NAME` makes an API key, and "
        "prints the key and the entry for this setting.",
    )
    cors_origins: str = Field(
        default="",
        pattern=_ORIGINS,
        description="Origins of web pages of other servers whose scripts may call the API, such as "
        "`https://example.org`, separated by commas. `*` permits all origins.",
    )
    allowed_hosts: str = Field(
        default="",
        description="Names of this server that a reverse proxy sends in the header `Host`, such as "
        "`glas.example.org`, `*.example.org` or `*`, separated by commas. A server without an API key refuses "
        "requests with other names, except `localhost`, `127.0.0.1` and `[::1]`.",
    )
    nn_service_url: str | None = Field(
        default=None,
        description="URL of `nn_service` (the part that recognises speech), such as `http://gpu-box:8001`. It is "
        "necessary only if `nn_service` runs as a process of its own.",
    )
    nn_service_token: Secret | None = Field(
        default=None,
        description="Token that other parts must send to `nn_service`. It is necessary only if `nn_service` runs as a "
        "process of its own.",
    )
    nn_service_previous_token: Secret | None = Field(
        default=None,
        description="Previous token of `nn_service`, for the time in which the token is replaced. `nn_service` "
        "accepts the previous token and the new token. Remove this setting when all callers send the new token.",
    )
    data_loader_url: str | None = Field(
        default=None,
        description="URL of `data_loader` (the part that stores recordings and texts), such as "
        "`http://data-box:8003`. It is necessary only if `data_loader` runs as a process of its own.",
    )
    data_loader_token: Secret | None = Field(
        default=None,
        description="Token that other parts must send to `data_loader`. It is necessary only if `data_loader` runs as "
        "a process of its own.",
    )
    data_loader_previous_token: Secret | None = Field(
        default=None,
        description="Previous token of `data_loader`, for the time in which the token is replaced. `data_loader` "
        "accepts the previous token and the new token. Remove this setting when all callers send the new token.",
    )
    s3_endpoint: str | None = Field(
        default=None,
        description="URL of the S3 server that stores recordings and texts. If empty, Glas stores recordings and "
        "texts in the directory `s3` in GLAS_DATA_DIR.",
    )
    s3_access_key: str | None = Field(default=None, description="Id of the access key for the S3 server.")
    s3_secret_key: Secret | None = Field(
        default=None, description="Secret that belongs to the id in GLAS_S3_ACCESS_KEY."
    )
    s3_bucket: str = Field(
        default="glas", min_length=3, description="Name of the S3 bucket in which recordings and texts are stored."
    )
    downloads_dir: Path | None = Field(
        default=None,
        description="Directory to which `data_loader` exports training data. If empty, this is the directory "
        "`downloads` in GLAS_DATA_DIR.",
    )
    database_url: DatabaseUrl | None = Field(
        default=None,
        description="URL of the database: `postgresql://user:password@host/name` or `sqlite:///file`. If empty, Glas "
        "uses a SQLite file in GLAS_DATA_DIR. The URL may contain several hosts: `@a:5432,b:5432/name`. Then Glas "
        "connects to the host that accepts writes.",
    )
    db_assist_url: str | None = Field(
        default=None,
        description="URL of `db_assist` (the part that uses the database), such as `http://db-box:8002`. It is "
        "necessary only if `db_assist` runs as a process of its own.",
    )
    db_assist_token: Secret | None = Field(
        default=None,
        description="Token that other parts must send to `db_assist`. It is necessary only if `db_assist` runs as a "
        "process of its own.",
    )
    db_assist_previous_token: Secret | None = Field(
        default=None,
        description="Previous token of `db_assist`, for the time in which the token is replaced. `db_assist` accepts "
        "the previous token and the new token. Remove this setting when all callers send the new token.",
    )
    telegram_token: BotToken | None = Field(
        default=None,
        validation_alias="TELEGRAM_TOKEN",
        description="Token of the Telegram bot. @BotFather in Telegram issues tokens. If empty, the bot does not "
        "start.",
    )
    telegram_api_url: str | None = Field(
        default=None,
        description="URL of a Telegram Bot API server that you run yourself, such as `http://127.0.0.1:8081`. If "
        "empty, Telegram's public server is used.",
    )
    admin_user_ids: str = Field(
        default="",
        pattern=_NUMBERS,
        validation_alias="ADMIN_USER_IDS",
        description="Telegram ids of the bot's administrators, separated by commas.",
    )
    allowed_telegram_user_ids: str = Field(
        default="",
        pattern=_NUMBERS,
        validation_alias="ALLOWED_TELEGRAM_USER_IDS",
        description="Telegram ids of the people who may use the bot, separated by commas. If empty, everybody may use "
        "the bot.",
    )
    language: Literal["ru", "en"] | None = Field(
        default=None,
        description="Language of the command line: `ru` or `en`. If empty, the first of the variables LC_ALL, "
        "LC_MESSAGES and LANG that is set decides: English if its value means English, otherwise Russian.",
    )
    audio: AudioSettings = AudioSettings()
    nn_service: NnServiceSettings = NnServiceSettings()
    db_assist: DbAssistSettings = DbAssistSettings()
    database_roles: DatabaseRoleSettings = DatabaseRoleSettings()
    data_loader: DataLoaderSettings = DataLoaderSettings()
    bot: BotSettings = BotSettings()
    web: WebSettings = WebSettings()
    log: LogSettings = LogSettings()
    tracing: TracingSettings = TracingSettings()
    tls: TlsSettings = TlsSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources from which pydantic reads settings: its own sources, and files that contain secrets.

        If a setting is in an environment variable and in `.env`, the value of the environment variable is used.
        """
        del file_secret_settings
        assert isinstance(env_settings, EnvSettingsSource)  # noqa: S101 - pydantic's own
        assert isinstance(dotenv_settings, DotEnvSettingsSource)  # noqa: S101 - likewise
        here, written = env_settings.env_vars, dotenv_settings.env_vars
        files = SecretFiles(settings_cls, here, here), SecretFiles(settings_cls, written, written)
        return init_settings, env_settings, files[0], dotenv_settings, files[1]

    @property
    def models_dir(self) -> Path:
        """Directory that contains the models."""
        return self.data_dir / "models"

    @property
    def export_dir(self) -> Path:
        """Directory of the export: `downloads_dir`; if it is not set, the directory `downloads` in `data_dir`."""
        return self.downloads_dir or self.data_dir / "downloads"


class SettingRow(NamedTuple):
    """A row of the table in docs/settings.md: a setting with its environment variable and its default value."""

    variable: str
    default: str
    description: str


def rows(model: type[BaseModel] = Settings, prefix: str = "GLAS_") -> Iterator[SettingRow]:
    """Yield a row for every setting, in the order in which the settings are defined.

    Args:
        model: the class of all settings, or of one group of settings.
        prefix: the beginning of the names of the environment variables of these settings.
    """
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        variable = alias if isinstance(alias, str) else prefix + name.upper()
        if isinstance(field.default, BaseModel):
            yield from rows(type(field.default), variable + "__")
        else:
            default = "" if field.default is None else str(field.default)
            yield SettingRow(variable, default, field.description or "")
