"""Authentication: the keys that a service accepts, and the caller to whom each key belongs."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from glas.domain.errors import AuthenticationError
from glas.settings.keys import HashedKey, hashed


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a request.

    Attributes:
        name: name of the caller's key; empty if the service requires no key.
        is_admin: whether the caller may load, unload and swap models.
        has_key: whether the caller sent a key that the service accepts. On a service that requires no key, this is
            always False, and every caller counts as an administrator.
    """

    name: str = ""
    is_admin: bool = True
    has_key: bool = False


class KeyRing:
    """All keys that a service accepts.

    Args:
        key: the key of the owner of the service; None if the owner has no key.
        others: keys of other callers, which are also accepted.
    """

    def __init__(self, key: str | None, others: Sequence[HashedKey] = ()) -> None:
        own = () if key is None else (HashedKey("owner", "admin", hashed(key)),)
        self._keys = (*own, *others)

    def caller(self, authorization: str) -> Caller:
        """Return the caller whose key is in the value of an `Authorization` header.

        The received key is compared with all accepted keys, each time in constant time. So the time until the answer
        does not show how similar the received key is to an accepted key.

        Raises:
            AuthenticationError: the header is missing, or contains a key that the service does not accept.
        """
        if not self._keys:
            return Caller()
        scheme, _, token = authorization.partition(" ")
        given = hashed(token.strip())
        found = [key for key in self._keys if hmac.compare_digest(given, key.sha256)]
        if scheme.lower() != "bearer" or not found:
            came = "another key" if token else "no key"
            raise AuthenticationError(
                f"expected the header 'Authorization: Bearer KEY' with a key of this server, got {came}"
            )
        return Caller(found[0].name, is_admin=found[0].role == "admin", has_key=True)


def retiring(token: str | None) -> tuple[HashedKey, ...]:
    """Return the previous key as one more accepted key, for callers that do not have the new key yet.

    Return an empty tuple if there is no previous key.

    In the log, the name of this key is `previous`. So the log shows whether a caller still sends the previous key.
    """
    return () if token is None else (HashedKey("previous", "admin", hashed(token)),)
