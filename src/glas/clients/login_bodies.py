"""What travels between db_assist and those who let people sign in to the pages."""

from typing import Final

from pydantic import BaseModel, ConfigDict

from glas.clients.db_assist_bodies import Sha256

LOGIN_MINUTES: Final = 5
"""How long a link lets a person sign in."""


class LoginToken(BaseModel):
    """The hash of a link's token. Nobody but the person who gets the link, and the page, knows the token itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token_sha256: Sha256
