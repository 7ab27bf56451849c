"""The state of Telegram for one bot: messages, files, pressed buttons, unconfirmed updates."""

import itertools
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tests.telegram.calls import Call
from tests.telegram.faults import Faults
from tests.telegram.rules import RefusalError

JsonObject = dict[str, Any]
FileFault = Literal["missing", "truncated", "slow", "stuck"]

BOT_ID = 4242000001
TOKEN = f"{BOT_ID}:AAF-telegram-of-our-own-0123456789ab"
USERNAME = "glas_test_bot"


@dataclass
class StoredFile:
    """A file on Telegram's servers; `size_bytes` may be wrong, as for huge files that tests do not make."""

    data: bytes
    path: str
    unique_id: str
    size_bytes: int
    fault: FileFault | None = None
    fault_times: int = 0


@dataclass
class Press:
    """A button that was pressed."""

    at_s: float
    is_answered: bool = False
    text: str | None = None
    show_alert: bool = False


@dataclass
class Webhook:
    """The address to which updates are sent."""

    url: str = ""
    secret: str | None = None
    last_error: str | None = None


@dataclass
class Version:
    """One of the texts that a message of the bot has had."""

    at_s: float
    chat_id: int
    message_id: int
    text: str


class Pause(NamedTuple):
    """The time from the last byte of a 429 to the end of its `retry_after`, in one chat or in all chats."""

    told_s: float
    until_s: float
    chat_id: int | None


class Messages(dict[tuple[int, int], JsonObject]):
    """Messages by chat and number; the messages of one chat are found without a search in all chats."""

    def __init__(self) -> None:
        super().__init__()
        self._chats: dict[int, dict[int, JsonObject]] = {}

    def __setitem__(self, place: tuple[int, int], message: JsonObject) -> None:
        super().__setitem__(place, message)
        self._chats.setdefault(place[0], {})[place[1]] = message

    def __delitem__(self, place: tuple[int, int]) -> None:
        super().__delitem__(place)
        del self._chats[place[0]][place[1]]

    def pop(self, place: tuple[int, int], *default: Any) -> Any:
        self._chats.get(place[0], {}).pop(place[1], None)
        return super().pop(place, *default)

    def of(self, chat: int) -> list[JsonObject]:
        """Return the messages of a chat."""
        return list(self._chats.get(chat, {}).values())


@dataclass
class World:
    """The state; `lock` protects it, because tests and server use different threads."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    faults: Faults = field(default_factory=Faults)
    calls: list[Call] = field(default_factory=list)
    updates: list[JsonObject] = field(default_factory=list)
    messages: Messages = field(default_factory=Messages)
    versions: list[Version] = field(default_factory=list)
    documents: dict[tuple[int, int], bytes] = field(default_factory=dict)
    interfaces: dict[tuple[int, int], JsonObject] = field(default_factory=dict)
    """Keyboards and forced replies that messages brought along, which no message carries."""
    files: dict[str, StoredFile] = field(default_factory=dict)
    presses: dict[str, Press] = field(default_factory=dict)
    actions: list[tuple[int, str]] = field(default_factory=list)
    commands: dict[str, list[JsonObject]] = field(default_factory=dict)
    admins: dict[int, set[int]] = field(default_factory=dict)
    forbidden: dict[int, frozenset[str]] = field(default_factory=dict)
    """What a chat forbids its members, such as `documents` or `text messages`."""
    sees_groups: bool = True
    """Whether privacy mode is off, so that the bot is given every message of a group."""
    local_dir: Path | None = None
    moved: dict[int, int] = field(default_factory=dict)
    webhook: Webhook = field(default_factory=Webhook)
    allowed: frozenset[str] | None = None
    pauses: list[Pause] = field(default_factory=list)
    impatient: int = 0
    delivered: int = 0
    _message_ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _update_ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(700_000_001))

    @property
    def bot(self) -> JsonObject:
        """Return the bot as a user."""
        return {"id": BOT_ID, "is_bot": True, "first_name": "Glas", "username": USERNAME}

    def next_message_id(self) -> int:
        """Return a number that no message has had."""
        return next(self._message_ids)

    def add_update(self, kind: str, body: JsonObject) -> int | None:
        """Enqueue an update, unless the bot does not request its kind; return its id."""
        with self.lock:
            if self.allowed is not None and kind not in self.allowed:
                return None
            update_id = next(self._update_ids)
            self.updates.append({"update_id": update_id, kind: body})
            return update_id

    def acknowledge(self, offset: int) -> None:
        """Delete updates below `offset`; a negative offset keeps only the last updates, as at Telegram."""
        with self.lock:
            if offset < 0:
                self.updates = self.updates[offset:]
            else:
                self.updates = [update for update in self.updates if update["update_id"] >= offset]

    def message(self, chat_id: int, message_id: int) -> JsonObject:
        """Return an existing message."""
        found = self.messages.get((chat_id, message_id))
        if found is None:
            raise RefusalError(400, "Bad Request: message to edit not found")
        return found

    def add_version(self, message: JsonObject) -> None:
        """Store the present text of a message of the bot."""
        text = message.get("text") or message.get("caption") or ""
        self.versions.append(Version(time.monotonic(), message["chat"]["id"], message["message_id"], text))

    def note_patience(self, at_s: float, chat_id: int | None) -> None:
        """Count a call that came at `at_s`, within a pause that was announced."""
        if any(one.chat_id in (None, chat_id) and one.told_s < at_s < one.until_s for one in self.pauses):
            self.impatient += 1
