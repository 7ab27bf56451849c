"""Sign the data of buttons, so that nobody can forge the data.

Data and signature together fit into Telegram's limit of 64 bytes.

A changed Telegram app can send any data as if a button had been pressed. So data without a valid signature is refused.
The data of each button also states who may press the button: one person, or the administrators of the chat.
"""

import base64
import hashlib
import hmac
from typing import Final, NamedTuple

from glas.domain.errors import InvalidParameterError

_SIGNATURE_BYTES = 9  # 72 bits: guessing one takes longer than Telegram's rate limits allow
_HOUR_S = 3600
MAX_BYTES = 64

ADMINISTRATORS: Final = 0
"""Value of `asker` for a button that every administrator of the chat may press."""


class Pressed(NamedTuple):
    """The data of a button that was pressed."""

    action: str
    asker: int
    values: tuple[int, ...]


class ForgedButtonError(InvalidParameterError):
    """The signature in the data of a pressed button is not valid."""

    code = "button_forged"


class StaleButtonError(InvalidParameterError):
    """The pressed button is too old."""

    code = "button_stale"


class Signer:
    """Sign and check the data of buttons."""

    def __init__(self, token: str) -> None:
        # The buttons of older versions contain no asker. They were signed with another prefix, so they are refused.
        self._key = hashlib.sha256(b"glas buttons 2\0" + token.encode()).digest()

    def sign(self, action: str, *values: int, asker: int, born_s: int, life_s: int) -> str:
        """Return the signed data of a button.

        Args:
            action: a short name without colons.
            values: whole numbers for the handler of the button, such as the id of a message.
            asker: the Telegram id of the person who may press the button, or `ADMINISTRATORS`.
            born_s: Unix time at which the message with the button was sent, in seconds.
            life_s: seconds for which the button may be pressed.
        """
        expires_h = (born_s + life_s) // _HOUR_S
        body = ":".join([action, *(_short(value) for value in (*values, asker, expires_h))])
        data = f"{body}:{self._signature(body)}"
        if len(data.encode()) > MAX_BYTES:
            raise ValueError(f"expected at most {MAX_BYTES} bytes of callback data, got {len(data.encode())}")
        return data

    def read(self, data: str, *, now_s: float) -> Pressed:
        """Check and parse the data of a pressed button; `now_s` is the present Unix time in seconds.

        Raises:
            ForgedButtonError: the signature was not made with this bot's key.
            StaleButtonError: the signature is valid, but the button is too old.
        """
        body, _, signature = data.rpartition(":")
        if not hmac.compare_digest(signature.encode(), self._signature(body).encode()):
            raise ForgedButtonError("expected callback data with the signature of this bot, got another")
        action, *values = body.split(":")
        *numbers, asker, expires_h = (int(value, 36) for value in values)
        if now_s >= (expires_h + 1) * _HOUR_S:
            raise StaleButtonError("expected a button that has not expired")
        return Pressed(action, asker, tuple(numbers))

    def _signature(self, body: str) -> str:
        digest = hmac.digest(self._key, body.encode(), "sha256")[:_SIGNATURE_BYTES]
        return base64.urlsafe_b64encode(digest).decode()


def _short(value: int) -> str:
    """Return a whole number in base 36, which is shorter than in base 10; `int(text, 36)` is the inverse function."""
    digits, rest = "", abs(value)
    while rest or not digits:
        rest, digit = divmod(rest, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return f"-{digits}" if value < 0 else digits
