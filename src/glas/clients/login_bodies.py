"""Bodies of calls to db_assist about signing in to the web pages."""

from typing import Final

from glas.clients.bodies import RequestBody, Sha256

LOGIN_MINUTES: Final = 5
"""Minutes for which a link to sign in works."""


class LoginToken(RequestBody):
    """The hash of the token in a link to sign in. The token itself is never sent to db_assist."""

    token_sha256: Sha256
