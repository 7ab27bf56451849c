"""Simulated people in Telegram: they press /start, speak, rate, correct, delete their data. Time-outs report causes."""

import os
import time
from collections.abc import Callable

from tests.system.crowd import Crowd, Fate, Sending
from tests.system.worlds import World
from tests.telegram.people import buttons
from tests.telegram.server import TelegramServer
from tests.telegram.world import JsonObject

IDLE_S = 60
_IDLE = ("getUpdates", "sendChatAction")  # calls of a bot that has nothing to say
_WAITING = ("…", "⏳", "🎧")


def replies(telegram: TelegramServer) -> dict[int, list[JsonObject]]:
    """Return the bot's replies to each message, including placeholders."""
    with telegram.world.lock:
        messages = [dict(one) for one in telegram.world.messages.values()]
    found: dict[int, list[JsonObject]] = {}
    for one in messages:
        if one["from"]["is_bot"] and "reply_to_message" in one:
            found.setdefault(one["reply_to_message"]["message_id"], []).append(one)
    return found


def final_replies(telegram: TelegramServer) -> dict[int, list[JsonObject]]:
    """Return the replies to messages all of whose replies are final."""
    return {
        message_id: answers
        for message_id, answers in replies(telegram).items()
        if not any(one.get("text", "…")[:1] in _WAITING for one in answers)
    }


class Clock:
    """How long each part of the test took."""

    def __init__(self) -> None:
        self._at_s = time.monotonic()
        self._marks: list[str] = []

    def mark(self, name: str) -> None:
        """Store that a part of the test has ended."""
        now_s = time.monotonic()
        self._marks.append(f"{name} {now_s - self._at_s:.1f} s")
        self._at_s = now_s

    def __str__(self) -> str:
        return f"{', '.join(self._marks)}; load {os.getloadavg()[0]:.1f}"


class People:
    """The simulated people; if a wait fails, the error contains the logs of the services."""

    def __init__(self, crowd: Crowd, world: World) -> None:
        self.crowd = crowd
        self.world = world
        self.telegram = world.telegram
        self._have_corrected = False

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until a condition in Telegram is true; fail if the bot does nothing for a minute before that."""
        n_calls, at_s = 0, time.monotonic()
        while not condition():
            with self.telegram.world.lock:
                n_now = sum(call.method not in _IDLE for call in self.telegram.world.calls)
            if n_now > n_calls:
                n_calls, at_s = n_now, time.monotonic()
            assert time.monotonic() < at_s + IDLE_S, f"{what} did not happen\n{self.world.tails()}"
            time.sleep(0.05)

    def pressed(self, queries: list[str]) -> list[str]:
        """Wait for the answers to presses."""
        presses = self.telegram.world.presses
        self.until(lambda: all(presses[query].is_answered for query in queries), "answers to presses")
        return [presses[query].text or "" for query in queries]

    def begin(self) -> None:
        """All people but one press /start; some agree to training."""
        known = [person for person in self.crowd.people if person != self.crowd.stranger]
        for person in known:
            self.telegram.say(person, "/start")
        self.until(lambda: all(self.telegram.answers(person) for person in known), "welcomes")
        self.pressed(
            [
                self.telegram.press(person, self.telegram.answers(person)[0]["message_id"], "✅ Разрешаю")
                for person in known
                if person in self.crowd.consenting
            ]
        )

    def speak(self) -> None:
        """All people send recordings while faults happen; each recording is answered."""
        for method, kind, times in (
            ("editMessageText", "cut_after", 3),
            ("sendMessage", "cut_before", 2),
            ("getUpdates", "cut_after", 1),
            ("getFile", "server_error", 2),
            ("sendMessage", "server_error", 1),
        ):
            self.telegram.fail(method, kind, times=times)  # type: ignore[arg-type]
        for one in self.crowd.sendings:
            size = 25_000_000 if one.fate is Fate.TOO_BIG else None
            one.message = self.telegram.speak(
                one.person,
                one.data,
                kind=one.kind,
                forwarded=one.is_forwarded,
                file_id=one.file_id,
                size_bytes=size,
                duration_s=round(one.heard.duration_s) if one.heard else 3,
            )
            if one.number in (2, 6):
                self.telegram.break_file(one.message, "truncated" if one.number == 2 else "missing")
        sent = {one.message["message_id"] for one in self.crowd.sendings if one.message}
        self.until(lambda: sent <= final_replies(self.telegram).keys(), "answers to all recordings")

    def check_answers(self) -> None:
        """Each recording has one answer, with the recognised text or the correction of its speaker."""
        found = replies(self.telegram)
        for one in self.crowd.sendings:
            assert one.message is not None
            (answer,) = found[one.message["message_id"]]
            one.answer = answer
            expected = self._expected(one)
            assert answer["text"].startswith(expected) if expected.endswith(" ") else answer["text"] == expected
            may_rate = one.fate is Fate.TEXT and bool(one.text) and one.person != self.crowd.stranger
            assert any(button["text"].startswith("✅") for button in buttons(answer)) == may_rate

    def _expected(self, one: Sending) -> str:
        match one.fate:
            case Fate.TOO_BIG:
                return "Файл больше "
            case Fate.HOSTILE:
                return "⚠️ "
        if not one.text:
            return "Речи не слышно."
        if self._have_corrected and one in self.crowd.kept and one.reference:
            return one.reference
        is_stranger = one.person == self.crowd.stranger
        return one.text + ("\n\nЧтобы оценивать ответы и получать монеты, нажмите /start." if is_stranger else "")

    def rate(self) -> None:
        """People give first ratings, some with repeated presses, some by other people; then they change ratings."""
        mine, foreign = [], []
        others = dict(zip(self.crowd.people, self.crowd.people[1:] + self.crowd.people[:1], strict=True))
        rateable = [one for one in self.crowd.kept if one.text]
        for one in rateable:
            assert one.answer is not None
            place = one.answer["message_id"]
            if one.is_coveted:
                foreign.append(self.telegram.press(others[one.person], place, "✅", chat=one.person))
            for score in one.ratings[:1]:
                mine += [self.telegram.press(one.person, place, one.button(score)) for _ in range(one.presses)]
        self.pressed(mine)
        assert foreign
        assert all("не для вас" in words for words in self.pressed(foreign))
        again = [
            self.telegram.press(one.person, one.answer["message_id"], one.button(score))
            for one in rateable
            for score in one.ratings[1:]
            if one.answer is not None
        ]
        assert all("Оценка записана" in words for words in self.pressed(again))

    def correct(self) -> None:
        """Some people correct the text."""
        said = [
            self.telegram.say(one.person, one.reference, reply_to=one.answer["message_id"])
            for one in self.crowd.kept
            if one.reference and one.answer
        ]
        assert said
        self.until(lambda: all(one["message_id"] in replies(self.telegram) for one in said), "answers to corrections")
        shown = replies(self.telegram)
        assert all(shown[one["message_id"]][0]["text"].startswith("✏️ Спасибо, исправлено:") for one in said)

        self._have_corrected = True
        self.until(lambda: all(self._is_shown(one) for one in self.crowd.kept if one.reference), "corrected answers")

    def _is_shown(self, one: Sending) -> bool:
        """Return whether the answer shows the correction of its speaker."""
        assert one.message is not None
        text: str = replies(self.telegram)[one.message["message_id"]][0]["text"]
        return text == one.reference

    def forget(self, person: int) -> None:
        """A person asks for the deletion of their data."""
        self.telegram.say(person, "/forget")
        self.until(lambda: self.telegram.answers(person)[-1].get("text", "").startswith("Удалить всё"), "the question")
        self.telegram.press(person, self.telegram.answers(person)[-1]["message_id"], "🗑")
        self.until(lambda: self.telegram.answers(person)[-1]["text"].startswith("Удалено всё"), "forgetting")
