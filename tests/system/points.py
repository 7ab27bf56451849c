"""The points at which a bot can be killed, and the actions that lead to them."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from glas.domain.transcription import SAMPLE_RATE_HZ
from tests.conftest import ROOT
from tests.parts.hostile import random_bytes, silent_opus
from tests.parts.recordings import encoded
from tests.system.killing import Lab
from tests.system.processes import Part
from tests.telegram.server import TelegramServer

STEPS = ("placeholder", "recognise", "deliver", "archive", "handle")
RARE_STEPS = (
    *("unarchive", "forget", "clean", "page", "tell", "document", "confess", "fail", "apologise", "change"),
    *("withdraw", "place", "texts", "subtitles"),
)
# Announcements and decisions about models: tests/parts/test_tg_bot_announcements_restart.py kills at these. Here no
# model can be downloaded, so no choice is recorded: tests/parts/test_tg_bot_models_restart.py ends the bot at "record".
OF_MODELS = frozenset({"reach", "give up", "send", "mark", "decide", "serve", "take back", "record"})
WORK = ("hear", "keep", "update")
ADMIN = 6_200_000_001
PATIENCE_S = 60.0
_LONG_ROUNDS = 25
_DOWNLOADS_IN_VAIN = 5


def points(*, rare: bool) -> list[str]:
    """Return the points: before and after the effect of each step, after its record, and around storing of work.

    Without the rare ones also without those after a record, since nothing happens from there to the next step.
    """
    steps = (*RARE_STEPS, *STEPS) if rare else STEPS
    found = [f"{when} {step}" for step in steps for when in ("before", "after", *(["recorded"] if rare else []))]
    return found + [f"{when} enqueue {work}" for work in WORK for when in ("before", "after")]


def steps_of_the_bot() -> set[str]:
    """Return the names of steps in the source, except those of models."""
    sources = (ROOT / "src" / "glas" / "tg_bot").rglob("*.py")
    names = {name for path in sources for name in re.findall(r'steps\.run\(\s*"([\w ]+)"', path.read_text("utf-8"))}
    assert names >= OF_MODELS
    return names - OF_MODELS


@dataclass(frozen=True)
class Road:
    """Leads a bot to the point at which it ends.

    Attributes:
        lab: where it happens.
        bot: the process.
        samples: recordings to be sent.
    """

    lab: Lab
    bot: Part
    samples: tuple[Path, ...]

    def lead(self, point: str, person: int) -> None:
        """Start the bot so that it ends at a point, and make a new person cause this; return when it has ended."""
        step = point.rpartition(" ")[2]
        match step:
            case "unarchive" | "forget":
                self._be_about_to_archive(person)
                self.lab.start(self.bot, die_at=point)
                self._forget(person)
            case "clean":
                self.lab.start(self.bot, die_at=point)
                self.lab.telegram.say(person, "/start")
                welcomed = self.lab.wait(
                    lambda: bool(self.lab.telegram.answers(person)) or self.lab.is_dead(self.bot), PATIENCE_S
                )
                assert welcomed, f"/start was not answered\n{self.bot.tail()}"
                self._forget(person)
            case "page" | "tell":
                self.lab.start(self.bot, die_at=point)
                self.lab.telegram.say(ADMIN, "/repair")
            case "change":
                self.lab.start(self.bot, die_at=point)
                self._choose_a_model()
            case "apologise":
                self.lab.telegram.fail("sendMessage", "bad_request", chat_id=person)
                self.lab.start(self.bot, die_at=point)
                self.lab.telegram.say(person, "/help")
            case "withdraw" | "place":
                self.lab.start(self.bot, die_at=point)
                self._speak_in_a_group(person, step)
            case "texts" | "subtitles":
                self.lab.start(self.bot, die_at=point)
                self._correct(person)
            case _:
                self.lab.start(self.bot, die_at=point)
                self.lab.telegram.say(person, "/start")
                self.lab.speak(person, self._recording(step, person))
        self._await_death(point)

    def _recording(self, step: str, person: int) -> bytes:
        match step:
            case "document":
                return long_recording(self.samples)
            case "confess" | "fail":
                return random_bytes(5000)
            case _:
                return self.samples[person % len(self.samples)].read_bytes()

    def _be_about_to_archive(self, person: int) -> None:
        """The bot ends after the answer; the next process downloads the recording again, with many failures."""
        self.lab.silent.add(person)
        self.lab.start(self.bot, die_at="before archive")
        self.lab.telegram.say(person, "/start")
        message = self.lab.speak(person, self._recording("archive", person))
        self._await_death("before archive")
        self.lab.telegram.break_file(message, "missing", times=_DOWNLOADS_IN_VAIN)

    def _forget(self, person: int) -> None:
        """The person deletes their data meanwhile.

        A deletion that the last death left behind may lead to the point before.
        """
        self.lab.telegram.say(person, "/forget")
        telegram = self.lab.telegram

        def asks() -> bool:
            return _last_words(telegram, person).startswith("Удалить всё")

        is_there = self.lab.wait(lambda: asks() or self.lab.is_dead(self.bot), PATIENCE_S)
        assert is_there, f"/forget was not understood\n{self.bot.tail()}"
        if asks():
            telegram.press(person, telegram.answers(person)[-1]["message_id"], "🗑")

    def _speak_in_a_group(self, person: int, step: str) -> None:
        """Send a voice message without speech, or a video with speech, in a group; nobody rates it."""
        group = -person
        self.lab.silent.add(group)
        if step == "withdraw":
            self.lab.telegram.speak(person, silent_opus(2.0), chat=group)
        else:
            self.lab.telegram.speak(person, self._recording(step, person), chat=group, kind="video")

    def _correct(self, person: int) -> None:
        """Correct a text with other letters only, for which nothing is paid.

        A correction that the last death left behind may lead there before.
        """
        telegram = self.lab.telegram
        telegram.say(person, "/start")
        self.lab.speak(person, self._recording("", person))
        is_there = self.lab.wait(lambda: bool(self._rateable_of(person)) or self.lab.is_dead(self.bot), PATIENCE_S)
        assert is_there, f"a recording was not answered\n{self.bot.tail()}"
        for answer in self._rateable_of(person):
            telegram.say(person, telegram.world.messages[answer]["text"].upper(), reply_to=answer[1])

    def _rateable_of(self, person: int) -> list[tuple[int, int]]:
        return [place for place in self.lab.rateable() if place[0] == person]

    def _choose_a_model(self) -> None:
        """The administrator requests a model that cannot be downloaded; the step ends nevertheless."""
        telegram = self.lab.telegram
        telegram.say(ADMIN, "/model")
        asked = self.lab.wait(lambda: _last_words(telegram, ADMIN).startswith("Сейчас распознаёт"), PATIENCE_S)
        assert asked, f"/model was not answered\n{self.bot.tail()}"
        telegram.press(ADMIN, telegram.answers(ADMIN)[-1]["message_id"], "⬇️")

    def _await_death(self, point: str) -> None:
        died = self.lab.wait(lambda: self.lab.is_dead(self.bot), PATIENCE_S)
        assert died, f"{point} was never reached\n{self.bot.tail()}"
        self.lab.kills[self.bot.name] += 1


def _last_words(telegram: TelegramServer, person: int) -> str:
    said = telegram.answers(person)
    return str(said[-1].get("text", "")) if said else ""


@cache
def long_recording(samples: tuple[Path, ...]) -> bytes:
    """Return a recording with more words than a message of Telegram permits."""
    sounds = [block for path in samples for block in decode_blocks(path.read_bytes(), DecodeLimits())]
    return encoded(np.tile(np.concatenate(sounds), _LONG_ROUNDS), "ogg-opus", SAMPLE_RATE_HZ)
