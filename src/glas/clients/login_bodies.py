"""Bodies of calls to db_assist about signing in to the pages."""

from typing import Final

from glas.clients.bodies import RequestBody, Sha256

LOGIN_MINUTES: Final = 5
"""Minutes for which a link works."""


class LoginToken(RequestBody):
    """The hash of a link's token. Only the page and the person who gets the link know the token itself."""

    token_sha256: Sha256
