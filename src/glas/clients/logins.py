"""The methods of the db_assist client for links with which people sign in to the web pages."""

import hashlib
from abc import ABC, abstractmethod
from typing import Any

from pydantic import BaseModel

from glas.clients.login_bodies import LoginToken
from glas.domain.people import User


class LoginCalls(ABC):
    """Store and redeem tokens, with each of which a person can sign in to the web pages once."""

    @abstractmethod
    async def _call(
        self, method: str, path: str, body: BaseModel | None = None, params: dict[str, Any] | None = None
    ) -> Any: ...

    async def offer_login(self, tg_id: int, token: str) -> None:
        """Store a token with which a person can sign in once, within `LOGIN_MINUTES`.

        Earlier tokens of this person become invalid.

        Args:
            tg_id: the person who has requested the token.
            token: a random text; only its hash is sent to db_assist.

        Raises:
            NotFoundError: nobody registered under this id.
            ForbiddenError: the person is banned.
            ConflictError: the token was already offered to another person.
        """
        await self._call("PUT", f"/users/{tg_id}/login", _hashed(token))

    async def redeem_login(self, token: str) -> User:
        """Return the person to whom a token belongs; the token then stops working.

        Unlike other calls, a repeated call raises an error.

        Raises:
            NotFoundError: the token was used, has expired, or never existed.
            ForbiddenError: the person is banned.
        """
        return User.model_validate(await self._call("POST", "/logins/redeem", _hashed(token)))


def _hashed(token: str) -> LoginToken:
    return LoginToken.model_construct(token_sha256=hashlib.sha256(token.encode()).hexdigest())
