"""The settings of the web pages."""

from pydantic import BaseModel, ConfigDict, Field

from glas.settings.secrets import Secret


class WebSettings(BaseModel):
    """Settings of the web pages for people who are signed in."""

    model_config = ConfigDict(frozen=True)

    url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/?#]+/?$",
        description="Public address of the web pages, such as `https://glas.example.org`. The bot's command /web "
        "sends links to this address. If empty, the bot has no command /web, unless the bot and `web` run in one "
        "process that listens only on this machine.",
    )
    secret_key: Secret | None = Field(
        default=None,
        description="Key with which the cookies of people who are signed in are signed. If empty, Glas makes a key "
        "and stores it in the file `web-secret` in GLAS_DATA_DIR.",
    )
    session_hours: float = Field(
        default=12, gt=0, le=168, description="Hours without a request after which a person must sign in again."
    )
