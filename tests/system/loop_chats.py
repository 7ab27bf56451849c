"""People in private chats with the bot, as many as a scene has: they speak, correct texts, and rate."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.system.acting import final_replies, replies
from tests.system.loop_sayings import Saying
from tests.system.worlds import World
from tests.telegram.people import buttons
from tests.telegram.world import JsonObject

_LOOK_S = 0.25
_SILENCE, _NOTES = "Речи не слышно.", ("\n\n🌐", "\n\n🤔")
_THANKS, _AGAIN, _SAME, _HOW = "✏️ Спасибо", "✏️ Да, исправить", "Текст тот же", "Чтобы исправить текст"


@dataclass
class Heard:
    """A voice message that a person sent, and the bot's answer."""

    person: int
    saying: Saying
    message: JsonObject
    answer: JsonObject

    @property
    def text(self) -> str:
        """The recognised text, without the bot's notes."""
        text = str(self.answer.get("text", ""))
        for note in _NOTES:
            text = text.partition(note)[0]
        return "" if text == _SILENCE else text

    @property
    def is_right(self) -> bool:
        """Whether the recognised text equals the spoken words."""
        return self.text.split() == self.saying.text.split()

    @property
    def is_failure(self) -> bool:
        """Whether the bot returned no text."""
        return self.text.startswith("⚠️")


class Chats:
    """Private chats; if a wait fails, the error contains the logs of the services."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.telegram = world.telegram

    def until(self, condition: Callable[[], bool], what: str, patience_s: float = 120.0) -> None:
        """Wait until a condition is true."""
        deadline = time.monotonic() + patience_s
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not happen\n{self.world.tails()}"
            time.sleep(_LOOK_S)

    def begin(self, people: Iterable[int], *, consent: bool) -> None:
        """Press /start, and agree to training if they do."""
        known = list(people)
        for person in known:
            self.telegram.say(person, "/start")
        self.until(lambda: all(self.telegram.answers(person) for person in known), "a welcome")
        if consent:
            self._press([(person, self.telegram.answers(person)[0], "✅ Разрешаю") for person in known])

    def told(self, person: int, beginning: str) -> str:
        """Wait for the one message of the bot to a person that begins with these words; return its text."""

        def found() -> list[str]:
            texts = [str(one.get("text", "")) for one in self.telegram.world.messages.of(person)]
            return [text for text in texts if text.startswith(beginning)]

        self.until(lambda: bool(found()), f"a message «{beginning}»")
        (text,) = found()
        return text

    def speak(self, sayings: Sequence[tuple[int, Saying]]) -> list[Heard]:
        """Send all recordings of all people at once; return when all are answered."""
        sent = [
            (person, one, self.telegram.speak(person, one.data, duration_s=max(1, round(one.duration_s))))
            for person, one in sayings
        ]
        numbers = {message["message_id"] for _, _, message in sent}
        patience_s = _patience_s(len(sent)) + 2 * sum(one.duration_s for _, one, _ in sent)
        self.until(lambda: numbers <= final_replies(self.telegram).keys(), "answers to all recordings", patience_s)
        found = final_replies(self.telegram)
        return [Heard(person, one, message, found[message["message_id"]][0]) for person, one, message in sent]

    def correct(self, heard: Sequence[Heard]) -> Counter[str]:
        """All people reply with the spoken words, and confirm them if the bot asks.

        Returns:
            How many were corrected at once, which the bot asked about, which were right already, which failed.
        """
        ends = Counter[str]()
        right = [one for one in heard if one.is_right]
        wrong = [one for one in heard if not one.is_right]
        pending = [(one, self._say(one, one.answer if one.text else one.message)) for one in wrong]
        while pending:
            answers = self._answers(pending)
            pending = self._ask(one for one, answer in answers if answer["text"].startswith(_HOW))
            doubted = [(one, answer) for one, answer in answers if _has(answer, _AGAIN)]
            self._insist(doubted)
            ends["asked"] += len(doubted)
            for _, answer in answers:
                text = answer["text"]
                ends["corrected"] += text.startswith(_THANKS) and not _has(answer, _AGAIN)
                ends["right"] += text.startswith(_SAME)
                ends["failed"] += not (text.startswith((_THANKS, _SAME, _HOW)) or _has(answer, _AGAIN))
        ends["right"] += len(right)
        self._rate(right, "✅")
        self._rate(wrong, "👌")
        self.until(lambda: not self.world.left(), "rest", _patience_s(len(heard)))
        return ends

    def _answers(self, pending: Sequence[tuple[Heard, JsonObject]]) -> list[tuple[Heard, JsonObject]]:
        """Wait for the bot's answers to messages."""
        numbers = {message["message_id"] for _, message in pending}
        patience_s = _patience_s(len(numbers))
        self.until(lambda: numbers <= replies(self.telegram).keys(), "answers to corrections", patience_s)
        shown = replies(self.telegram)
        return [(one, shown[message["message_id"]][0]) for one, message in pending]

    def _say(self, one: Heard, to: JsonObject) -> JsonObject:
        return self.telegram.say(one.person, one.saying.text, reply_to=to["message_id"])

    def _ask(self, some: Iterable[Heard]) -> list[tuple[Heard, JsonObject]]:
        """Press ✏️ and reply to the request for words."""
        asked = list(some)
        before = {one.message["message_id"]: len(replies(self.telegram)[one.message["message_id"]]) for one in asked}
        self._press([(one.person, one.answer, "✏️") for one in asked])
        self.until(
            lambda: all(len(replies(self.telegram)[number]) > count for number, count in before.items()),
            "requests for words",
            _patience_s(len(asked)),
        )
        shown = replies(self.telegram)
        return [(one, self._say(one, shown[one.message["message_id"]][-1])) for one in asked]

    def _insist(self, doubted: Sequence[tuple[Heard, JsonObject]]) -> None:
        """Press yes where the bot asks whether the words are right."""
        self._press([(one.person, question, _AGAIN) for one, question in doubted])
        places = [(one.person, question["message_id"]) for one, question in doubted]
        messages = self.telegram.world.messages
        self.until(
            lambda: all(messages[at]["text"].startswith(_THANKS) for at in places),
            "insisting",
            _patience_s(len(places)),
        )

    def _rate(self, some: Sequence[Heard], mark: str) -> None:
        messages = self.telegram.world.messages
        now = [(one.person, messages[(one.person, one.answer["message_id"])]) for one in some]
        self._press([(person, answer, mark) for person, answer in now if _has(answer, mark)])

    def _press(self, presses: Iterable[tuple[int, JsonObject, str]]) -> None:
        """Press buttons and wait for the answers."""
        queries = [self.telegram.press(person, message["message_id"], mark) for person, message, mark in presses]
        made = self.telegram.world.presses
        self.until(
            lambda: all(made[query].is_answered for query in queries), "answers to presses", _patience_s(len(queries))
        )


def _patience_s(count: int) -> float:
    """Return the time that so many answers may take on a busy machine."""
    return 120.0 + 20.0 * count


def _has(message: JsonObject, mark: str) -> bool:
    return any(button["text"].startswith(mark) for button in buttons(message))
