"""Kill test, in short: the worker is killed with SIGKILL at every named step and at random, and nothing may be lost.

A worker that confirms before it handles goes through the same test and must fail it, or the test would prove nothing.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from glas.clients.db_assist import DbAssistClient
from glas.domain.rewards import reward_hundredths
from glas.settings import Settings
from tests.conftest import ROOT, Sample, Server
from tests.parts.bots import is_waiting, texts_of_buttons
from tests.parts.voices import open_db_assist
from tests.telegram.server import TelegramServer
from tests.telegram.world import BOT_ID, JsonObject

STEPS = ("placeholder", "recognise", "deliver", "archive", "handle")
# `make chaos` asks for more kills at random.
CHAOS_KILLS = int(os.environ.get("CHAOS_KILLS", "0"))
POINTS = (
    *(f"{when} {step}" for step in STEPS for when in ("before", "after", "recorded")),
    "before enqueue hear",
    "after enqueue hear",
    "before enqueue keep",
)
N_RANDOM_KILLS = CHAOS_KILLS or 4
PATIENCE_S = 25.0 + 3 * CHAOS_KILLS


class Verdict(NamedTuple):
    """What people got."""

    lost: int
    answered_twice: int
    orphans: int


class Lab:
    """One Telegram, and workers that come and go."""

    def __init__(self, telegram: TelegramServer, order: dict[str, Any], zygote: "subprocess.Popen[str]") -> None:
        self.telegram = telegram
        self.sent: list[JsonObject] = []
        self.pressed: set[tuple[int, int]] = set()
        self.kills = 0
        self._order = order
        self._zygote = zygote
        self._pid: int | None = None

    def start(self, **details: Any) -> None:
        """Start a worker."""
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.write(json.dumps(self._order | details) + "\n")
        self._zygote.stdin.flush()
        self._pid = int(self._zygote.stdout.readline())

    def is_alive(self) -> bool:
        """Whether the worker lives."""
        try:
            os.kill(self._pid or 0, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        """Kill the worker."""
        assert self._pid is not None
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        self.wait(lambda: not self.is_alive())
        self.kills += 1

    def wait(self, condition: Callable[[], bool], patience_s: float = PATIENCE_S) -> bool:
        """Wait for something; tells whether it came. Meanwhile people press ✅ under what they get."""
        deadline = time.monotonic() + patience_s
        while not condition():
            self.press_all()
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def press_all(self) -> None:
        """People rate each new answer, twice, as impatient fingers do."""
        for message in self.finals():
            place = (message["chat"]["id"], message["message_id"])
            if "✅" in texts_of_buttons(message) and place not in self.pressed:
                self.pressed.add(place)
                for _ in range(2):
                    self.telegram.press(place[0], place[1], "✅")

    def finals(self) -> list[JsonObject]:
        """Answers that are no placeholders any more."""
        with self.telegram.world.lock:
            messages = [dict(message) for message in self.telegram.world.messages.values()]
        return [m for m in messages if m["from"]["is_bot"] and "reply_to_message" in m and not is_waiting(m)]

    def verdict(self) -> Verdict:
        """Count."""
        answers = Counter(m["reply_to_message"]["message_id"] for m in self.finals())
        with self.telegram.world.lock:
            waiting = [m for m in self.telegram.world.messages.values() if m["from"]["is_bot"] and is_waiting(m)]
        lost = sum(answers[message["message_id"]] == 0 for message in self.sent)
        return Verdict(lost, sum(n > 1 for n in answers.values()), len(waiting))


@pytest.fixture(scope="module")
def zygote() -> Iterator["subprocess.Popen[str]"]:
    """The process that forks workers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.parts.bot_zygote"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.communicate(timeout=10)


@pytest.fixture
def lab(zygote: "subprocess.Popen[str]", server: Server, tmp_path: Path) -> Iterator[Lab]:
    """A Telegram and no worker yet."""
    with TelegramServer() as telegram:
        order = {
            "data_dir": str(tmp_path / "data"),
            "token": telegram.token,
            "telegram": telegram.url,
            "nn_service": server.url,
            "log": str(tmp_path / "worker.log"),
        }
        made = Lab(telegram, order, zygote)
        yield made
        if made.is_alive():
            made.kill()


def speak(lab: Lab, sample: Sample, person: int) -> None:
    """A voice message comes."""
    lab.sent.append(lab.telegram.speak(person, sample.path.read_bytes()))


@pytest.mark.slow
@pytest.mark.timeout(240 + 5 * CHAOS_KILLS)
def test_nothing_is_lost_or_done_twice(lab: Lab, samples: list[Sample], settings: Settings) -> None:
    """Kills at every named step, then at random, then a quiet run; everything agrees in the end."""
    people = count(6_000_000_001)
    for point in POINTS:
        lab.start(die_at=point)
        person = next(people)
        lab.telegram.say(person, "/start")
        speak(lab, samples[lab.kills % len(samples)], person)
        assert lab.wait(lambda: not lab.is_alive()), f"{point} was never reached"
        lab.kills += 1
    dice = random.Random(20261122)  # noqa: S311 - no secret
    for _ in range(N_RANDOM_KILLS):
        lab.start()
        for _ in range(3):
            person = next(people)
            lab.telegram.say(person, "/start")
            speak(lab, dice.choice(samples), person)
        lab.wait(lambda: False, dice.uniform(0.6, 2.0))
        lab.kill()
    lab.start()
    lab.wait(lambda: lab.verdict().lost == 0 and not lab.telegram.world.updates)
    lab.wait(lambda: False, 2.0)
    verdict = lab.verdict()
    print(f"{len(lab.sent)} messages, {lab.kills} kills: {verdict}")  # noqa: T201 - shown by `pytest -s` and `make chaos`
    assert (verdict.lost, verdict.answered_twice) == (0, 0)
    assert verdict.orphans <= lab.kills
    data_dir = Path(lab._order["data_dir"])
    lab.wait(lambda: all(press.is_answered for press in lab.telegram.world.presses.values()))
    lab.kill()
    asyncio.run(_check_money(lab, settings.model_copy(update={"data_dir": data_dir})))
    assert lab.telegram.violations().before_retry_after == 0
    _check_token(lab, data_dir)


async def _check_money(lab: Lab, settings: Settings) -> None:
    """Every message is rated, each sound was paid once however often it was sent, and cash is the ledger's sum."""
    async with open_db_assist(settings) as db_assist:
        check = await db_assist.check_ledger()
        assert check.is_balanced
        assert len(lab.pressed) == len(lab.sent)
        owed = dict([await _owed(db_assist, place) for place in lab.pressed])
        paid = (check.n_transactions, (await db_assist.statistics()).paid_hundredths)
        assert paid == (len(owed), sum(owed.values()))


async def _owed(db_assist: DbAssistClient, place: tuple[int, int]) -> tuple[str, int]:
    """The sound of a message, and what it is worth."""
    row = await db_assist.by_message(BOT_ID, *place)
    assert row.score == 3
    assert row.fingerprint is not None
    return row.fingerprint, reward_hundredths(row.duration_s or 0.0)


def _check_token(lab: Lab, data_dir: Path) -> None:
    """The token stands in no file that the worker wrote, its log included."""
    secret = lab.telegram.token.partition(":")[2].encode()
    for path in [*data_dir.rglob("*"), data_dir.parent / "worker.log"]:
        if path.is_file():
            assert secret not in path.read_bytes(), path


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_naive_worker_fails_the_same_test(lab: Lab, samples: list[Sample]) -> None:
    """Confirm first, handle later: messages get lost."""
    dice = random.Random(20261122)  # noqa: S311 - no secret
    people = count(6_100_000_001)
    for _ in range(3):
        lab.start(naive=True)
        for _ in range(3):
            speak(lab, dice.choice(samples), next(people))
        lab.wait(lambda: not lab.telegram.world.updates, 3.0)
        lab.kill()
    lab.start(naive=True)
    lab.wait(lambda: not lab.telegram.world.updates, 3.0)
    lab.wait(lambda: lab.verdict().lost == 0, 3.0)
    assert lab.verdict().lost > 0
