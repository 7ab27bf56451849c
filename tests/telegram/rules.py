"""What Telegram allows: lengths counted as it counts them, and its refusals word for word.

Sources: the Bot API's documentation and the behaviour of tdlib/telegram-bot-api.
"""

from collections.abc import Collection
from typing import Any

MAX_TEXT_UNITS = 4096
MAX_CAPTION_UNITS = 1024
MAX_CALLBACK_BYTES = 64
MAX_CALLBACK_ANSWER_CHARS = 200
MAX_UPDATES = 100
MAX_DOWNLOAD_BYTES = 20 * 1024 * 1024
CALLBACK_LIFE_S = 3600.0


class RefusalError(Exception):
    """An answer `{"ok": false}`."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> dict[str, Any]:
        """Return the JSON that Telegram would send."""
        body: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        return body | ({"parameters": self.parameters} if self.parameters else {})


def bad_request(description: str) -> RefusalError:
    """Make an error 400."""
    return RefusalError(400, f"Bad Request: {description}")


def units(text: str) -> int:
    """Return the length in UTF-16 code units, as Telegram counts it."""
    return len(text.encode("utf-16-le")) // 2


def check_text(text: str | None) -> str:
    """Return a message's text, or refuse it."""
    if not text or not text.strip():
        raise bad_request("message text is empty")
    if units(text) > MAX_TEXT_UNITS:
        raise bad_request("message is too long")
    return text


def check_caption(caption: str | None) -> str | None:
    """Return a caption, or refuse it."""
    if caption is not None and units(caption) > MAX_CAPTION_UNITS:
        raise bad_request("message caption is too long")
    return caption


def check_entities(text: str, entities: list[dict[str, Any]] | None) -> None:
    """Refuse entities that are outside of their text."""
    for entity in entities or ():
        if entity["offset"] < 0 or entity["length"] <= 0 or entity["offset"] + entity["length"] > units(text):
            raise bad_request(f"entity beginning at byte offset {entity['offset']} is out of the text")


def check_allowed(forbidden: Collection[str] | None, what: str, *, is_channel: bool = False) -> None:
    """Refuse messages that a chat does not permit."""
    if what in (forbidden or ()) and is_channel:
        raise bad_request("need administrator rights in the channel chat")
    if what in (forbidden or ()):
        raise bad_request(f"not enough rights to send {what} to the chat")


def check_keyboard(markup: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return an inline keyboard, or refuse it."""
    for row in (markup or {}).get("inline_keyboard", []):
        for button in row:
            if not 1 <= len(button.get("callback_data", "x").encode()) <= MAX_CALLBACK_BYTES:
                raise bad_request("BUTTON_DATA_INVALID")
            if not button.get("text"):
                raise bad_request("can't parse inline keyboard button: Text buttons are not allowed to be empty")
    return markup
