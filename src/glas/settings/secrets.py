"""Types for settings that are secrets. When settings are read, these types refuse example values such as `changeme`.

Logs do not show the values of these settings.
"""

import re
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, SecretStr

from glas.settings.database_hosts import with_hosts

_MIN_SECRET_LENGTH = 16
_URL_SAFE = re.compile(r"[A-Za-z0-9_-]+")
_PLACEHOLDERS = ("changeme", "changethis", "secret", "password", "your-key", "example")


def _real_secret(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if len(text) < _MIN_SECRET_LENGTH or text.lower().startswith(_PLACEHOLDERS):
        raise ValueError(
            f"expected a secret of at least {_MIN_SECRET_LENGTH} characters that is no placeholder, got {len(text)} "
            "characters; make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return value


def plain(secret: SecretStr | None) -> str | None:
    """Return the text of a secret, for code that sends the secret to another service; None if `secret` is None."""
    return None if secret is None else secret.get_secret_value()


def _fits_url(value: SecretStr) -> SecretStr:
    if not _URL_SAFE.fullmatch(value.get_secret_value()):
        raise ValueError("expected only letters, digits, - and _, since the password becomes part of a URL")
    return value


def _real_database_url(value: SecretStr) -> SecretStr:
    """Check the URL of a database, and convert it to the format of SQLAlchemy.

    A URL whose password is empty or an example value is refused. A URL with several hosts is converted.

    The length of the password is not checked, because the database has its own rules for passwords.
    """
    try:
        password = urlsplit(value.get_secret_value()).password
    except ValueError:
        return value  # not a URL; the error is reported when the database is opened
    if password is not None and (not password or unquote(password).lower().startswith(_PLACEHOLDERS)):
        raise ValueError("expected a URL with a real password, got one whose password is empty or a placeholder")
    return SecretStr(with_hosts(value.get_secret_value()))


Secret = Annotated[SecretStr, AfterValidator(_real_secret)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_real_database_url)]
UrlSecret = Annotated[Secret, AfterValidator(_fits_url)]

_BOT_TOKEN = re.compile(r"\d{6,12}:[A-Za-z0-9_-]{30,}")


def _real_bot_token(value: SecretStr | None) -> SecretStr | None:
    text = value.get_secret_value().strip() if value is not None else ""
    if text and not _BOT_TOKEN.fullmatch(text):
        raise ValueError("expected a token as @BotFather gives it (123456789:letters), got another text")
    return SecretStr(text) if text else None


BotToken = Annotated[SecretStr, AfterValidator(_real_bot_token)]
