"""The settings of the pages."""

from pydantic import BaseModel, ConfigDict, Field

from glas.settings.secrets import Secret


class WebSettings(BaseModel):
    """Settings of the pages for people who are signed in."""

    model_config = ConfigDict(frozen=True)

    url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/?#]+/?$",
        description="Public address of the page, such as `https://glas.example.org`; the bot's command /web sends "
        "links to it. If empty, the bot has no command `/web`, unless `web` runs in the process of the "
        "bot, on loopback.",
    )
    secret_key: Secret | None = Field(
        default=None,
        description="Key that signs the cookies of people who are signed in. If empty, the file `web-secret` in "
        "GLAS_DATA_DIR is made and used.",
    )
    session_hours: float = Field(
        default=12, gt=0, le=168, description="Hours without a request after which a person must sign in again."
    )
