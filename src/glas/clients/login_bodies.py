"""Bodies of calls to db_assist about signing in to the pages."""

from typing import Final

from pydantic import BaseModel, ConfigDict

from glas.clients.db_assist_bodies import Sha256

LOGIN_MINUTES: Final = 5
"""Minutes for which a link works."""


class LoginToken(BaseModel):
    """The hash of a link's token. Only the page and the person who gets the link know the token itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token_sha256: Sha256
