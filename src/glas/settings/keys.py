"""Make API keys, and parse the setting that contains the hashes of API keys. Nobody can compute a key from its hash.

A key has 256 random bits, so nobody can find it by trying all keys. Passwords have fewer bits, so they need a hash that
is slow to compute; for keys, the fast hash SHA-256 is safe. NIST SP 800-63B, 5.1.2.2, requires a slow hash with salt
only for secrets of less than 112 bits.
"""

import hashlib
import re
import secrets
from typing import Annotated, Final, Literal, NamedTuple, TypeAlias

from pydantic import AfterValidator

Role: TypeAlias = Literal["user", "admin"]

# Programs that search repositories for leaked secrets recognise the secrets by such prefixes.
_PREFIX: Final = "glas_"
_ENTRY = re.compile(r"(?P<name>[A-Za-z0-9._-]{1,40}):(?P<role>user|admin):(?P<sha256>[0-9a-f]{64})")


class HashedKey(NamedTuple):
    """An API key as it is stored in the settings.

    Attributes:
        name: name of the owner of the key; logs contain this name.
        role: `admin` or `user`; only an `admin` may load, unload and swap models.
        sha256: hash of the key, 32 bytes.
    """

    name: str
    role: Role
    sha256: bytes

    def __str__(self) -> str:
        return f"{self.name}:{self.role}:{self.sha256.hex()}"


def hashed(key: str) -> bytes:
    """Return the SHA-256 hash of an API key, 32 bytes."""
    return hashlib.sha256(key.encode()).digest()


def new_key(name: str, role: Role) -> tuple[str, HashedKey]:
    """Make a random API key. Return the key, and its entry for the settings, which contains only the hash of the key.

    Raises:
        ValueError: the name contains other characters than letters, digits, `.`, `_` and `-`, or has more than 40
            characters.
    """
    key = _PREFIX + secrets.token_urlsafe(32)
    return key, _parsed(f"{name}:{role}:{hashed(key).hex()}")


def hashed_keys(text: str) -> tuple[HashedKey, ...]:
    """Parse the value of GLAS_API_KEYS: entries of the form `name:role:sha256`, separated by commas.

    Raises:
        ValueError: an entry is not `name:role:sha256`, or two entries have the same name.
    """
    found = tuple(_parsed(entry.strip()) for entry in text.split(",") if entry.strip())
    names = [key.name for key in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"expected every name once, got several keys called {', '.join(twice)}")
    return found


def _parsed(entry: str) -> HashedKey:
    match = _ENTRY.fullmatch(entry)
    if match is None:
        raise ValueError(
            f"expected name:user:sha256 or name:admin:sha256, as `glas keys new NAME` prints it, got {entry[:60]!r}"
        )
    role: Role = "admin" if match["role"] == "admin" else "user"
    return HashedKey(match["name"], role, bytes.fromhex(match["sha256"]))


def _checked(text: str) -> str:
    hashed_keys(text)
    return text


HashedKeys = Annotated[str, AfterValidator(_checked)]
