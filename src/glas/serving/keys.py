"""Who calls: the keys that a service accepts, and whose they are."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from glas.domain.errors import AuthenticationError
from glas.settings.keys import HashedKey, hashed


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sends a request.

    Attributes:
        name: of the key; empty where none is asked for.
        is_admin: may load, unload and swap models.
        has_key: a service without keys takes everybody who reaches it for its owner.
    """

    name: str = ""
    is_admin: bool = True
    has_key: bool = False


class KeyRing:
    """All keys that a service accepts.

    Args:
        key: the owner's; None where there is none.
        others: more keys.
    """

    def __init__(self, key: str | None, others: Sequence[HashedKey] = ()) -> None:
        own = () if key is None else (HashedKey("owner", "admin", hashed(key)),)
        self._keys = (*own, *others)

    def caller(self, authorization: str) -> Caller:
        """Whose key an `Authorization` header holds. Every key is compared, each in constant time.

        Raises:
            AuthenticationError: the header is missing or holds another key.
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
