"""Scripted faults: which call fails, how, and how often."""

from dataclasses import dataclass, field
from typing import Literal

from tests.telegram.rules import RefusalError

Kind = Literal[
    "too_many",
    "blocked",
    "server_error",
    "cut_before",
    "cut_after",
    "slow",
    "bad_request",
    "html",
    "html_after",
    "empty",
    "half_json",
    "other_json",
    "not_utf8",
    "trickle",
    "new_form",
]

_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"

# What stands in the place of Telegram's answer: status, content type, bytes.
_FOREIGN: dict[str, tuple[int, str, bytes]] = {
    "html": (502, "text/html", _PAGE.encode()),
    "html_after": (502, "text/html", _PAGE.encode()),
    "empty": (200, "application/json", b""),
    "half_json": (200, "application/json", b'{"ok":true,"result":{"message_'),
    "other_json": (503, "application/json", b'{"message":"no healthy upstream"}'),
    "not_utf8": (502, "text/html; charset=utf-8", "<html>Шлюз не отвечает</html>".encode("cp1251")),
}
_BEFORE = ("html", "empty", "other_json", "not_utf8")


@dataclass
class Fault:
    """A fault of the next `times` calls of `method` (`*`: any) in `chat_id` (None: any)."""

    method: str
    kind: Kind
    times: int = 1
    chat_id: int | None = None
    retry_after_s: int = 1
    delay_s: float = 0.0
    skip: int = 0

    def matches(self, method: str, chat_id: int | None) -> bool:
        return self.times > 0 and self.method in ("*", method) and self.chat_id in (None, chat_id)

    def foreign_answer(self) -> tuple[int, str, bytes] | None:
        """Return the answer of a proxy in Telegram's place; None if Telegram itself answers."""
        return _FOREIGN.get(self.kind)

    @property
    def has_no_effect(self) -> bool:
        """Return whether the call does not reach Telegram; otherwise only the answer is lost."""
        return self.kind in _BEFORE

    def refusal(self) -> RefusalError | None:
        """Return the refusal; None for faults of the connection."""
        match self.kind:
            case "too_many":
                text = f"Too Many Requests: retry after {self.retry_after_s}"
                return RefusalError(429, text, retry_after=self.retry_after_s)
            case "blocked":
                return RefusalError(403, "Forbidden: bot was blocked by the user")
            case "server_error":
                return RefusalError(500, "Internal Server Error")
            case "bad_request":
                return RefusalError(400, "Bad Request: scripted")
            case _:
                return None


@dataclass
class Faults:
    """The scripted faults, in order; a used fault is removed."""

    script: list[Fault] = field(default_factory=list)

    def take(self, method: str, chat_id: int | None) -> Fault | None:
        """Return the fault for a call, if there is one."""
        for fault in self.script:
            if fault.matches(method, chat_id):
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                self.script = [one for one in self.script if one.times > 0]
                return fault
        return None
