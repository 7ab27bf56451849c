"""Kill processes while people speak and rate, and check what people get."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from glas.domain.messages import Transcription
from glas.domain.rewards import reward_hundredths
from tests.system.forking import Zygote
from tests.system.processes import Part
from tests.system.worlds import Doors
from tests.telegram.people import buttons
from tests.telegram.server import TelegramServer
from tests.telegram.world import BOT_ID, JsonObject

_LOOK_S = 0.1
_WAITING = ("…", "⏳", "🎧")


class Verdict(NamedTuple):
    """The results that people got."""

    lost: int
    answered_twice: int
    orphans: int


class Lab:
    """One Telegram server, and processes that start and end."""

    def __init__(self, telegram: TelegramServer, zygote: Zygote) -> None:
        self.telegram = telegram
        self.zygote = zygote
        self.sent: list[JsonObject] = []
        self.pressed: set[tuple[int, int]] = set()
        self.silent: set[int] = set()  # who does not rate
        self.kills: Counter[str] = Counter()

    def start(self, part: Part, **details: Any) -> None:
        """Fork a process; `details` are further fields of its `Order`."""
        part.fork(self.zygote, **details)

    def kill(self, part: Part) -> None:
        """Kill a process."""
        part.kill()
        self.kills[part.name] += 1

    def is_dead(self, part: Part) -> bool:
        """Return whether the process has killed itself."""
        return part.process is not None and part.process.poll() is not None

    def speak(self, person: int, data: bytes) -> JsonObject:
        """A person sends a voice message."""
        self.sent.append(self.telegram.speak(person, data))
        return self.sent[-1]

    def wait(self, condition: Callable[[], bool], patience_s: float) -> bool:
        """Wait for a condition and return whether it became true; meanwhile people press ✅ below their answers."""
        deadline = time.monotonic() + patience_s
        while not condition():
            self.press_all()
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_S)
        return True

    def press_all(self) -> None:
        """People rate each new answer twice."""
        for place in self.rateable() - self.pressed:
            self.pressed.add(place)
            for _ in range(2):
                self.telegram.press(place[0], place[1], "✅")

    def rateable(self) -> set[tuple[int, int]]:
        """Return chats and numbers of the answers with a button ✅, for people who use it."""
        return {
            (one["chat"]["id"], one["message_id"])
            for one in self.answers()
            if one["chat"]["id"] not in self.silent and any(button["text"].startswith("✅") for button in buttons(one))
        }

    def is_all_answered(self) -> bool:
        """Return whether all recordings are answered."""
        is_idle = not self.telegram.world.updates and self.pressed == self.rateable()
        presses = list(self.telegram.world.presses.values())
        return is_idle and self.verdict().lost == 0 and all(press.is_answered for press in presses)

    def answers(self) -> list[JsonObject]:
        """Return the bot's replies, including placeholders."""
        with self.telegram.world.lock:
            messages = list(self.telegram.world.messages.values())
        return [one for one in messages if one["from"]["is_bot"] and "reply_to_message" in one]

    def verdict(self) -> Verdict:
        """Count the results; a file that is sent twice counts as an orphan."""
        answers, files, orphans = Counter[int](), Counter[int](), 0
        for one in self.answers():
            counted = files if "document" in one else answers
            if is_waiting(one):
                orphans += 1
            else:
                counted[one["reply_to_message"]["message_id"]] += 1
        orphans += sum(count - 1 for count in files.values())
        lost = sum(answers[message["message_id"]] == 0 for message in self.sent)
        return Verdict(lost, sum(count > 1 for count in answers.values()), orphans)


def is_waiting(message: JsonObject) -> bool:
    """Return whether a message is a placeholder or a status."""
    return bool(message.get("text", "")[:1] in _WAITING)


async def check_rows(lab: Lab, doors: Doors) -> None:
    """Every answer is rated and archived; each sound was paid once, and cash is the sum of the ledger."""
    check = await doors.db_assist.check_ledger()
    assert check.is_balanced
    assert lab.pressed == lab.rateable()
    owed: dict[str, int] = {}
    for place in lab.pressed:
        row = await doors.db_assist.by_message(BOT_ID, *place)
        fingerprint, hundredths = await _owed(row, doors)
        owed[fingerprint] = hundredths
    paid = (check.n_transactions, (await doors.db_assist.statistics()).paid_hundredths)
    assert paid == (len(owed), sum(owed.values()))


async def _owed(row: Transcription, doors: Doors) -> tuple[str, int]:
    """Return the sound of a message, and its coins."""
    assert row.score == 3
    assert row.fingerprint is not None
    assert row.audio_key is not None
    assert hashlib.sha256(await doors.data_loader.fetch_audio(row.audio_key)).hexdigest() == row.audio_sha256
    return row.fingerprint, reward_hundredths(row.duration_s or 0.0)
