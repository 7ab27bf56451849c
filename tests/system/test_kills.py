"""Test that nothing is lost or done twice if processes are killed at every named step and at random.

`make test` kills the system in one process a few times. `make chaos` does it a hundred times and more while a thousand
messages flow, then again with every part apart, where any of them may die. A worker that confirms before it handles
goes through the same test and must fail it, or the test would prove nothing.
"""

import os
import random
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from glas.domain.transcription import SAMPLE_RATE_HZ
from tests.conftest import Postgres, Sample, Server, as_wav
from tests.system import secrecy
from tests.system.forking import Zygote
from tests.system.killing import Lab, check_rows
from tests.system.points import ADMIN, Road, points, steps_of_the_bot
from tests.system.processes import Part
from tests.system.worlds import World, apart_world, embedded_world
from tests.telegram.server import TelegramServer

# `make chaos` asks for more.
CHAOS_MESSAGES = int(os.environ.get("CHAOS_MESSAGES", "0"))
N_MESSAGES = CHAOS_MESSAGES or 24
N_RANDOM_KILLS = int(os.environ.get("CHAOS_KILLS", "3"))
# A life is long enough to begin something, and short enough to be cut off in it.
LIFE_S = (0.8, 2.5)
PATIENCE_S = 150.0 + 0.6 * CHAOS_MESSAGES
WORLDS = ["embedded", "apart"] if CHAOS_MESSAGES else ["embedded"]
SERVICES = ["db_assist", "data_loader", "nn_service"]


@pytest.fixture
def lab(zygote: Zygote) -> Iterator[Lab]:
    """Start a Telegram server without a bot."""
    with TelegramServer() as telegram:
        yield Lab(telegram, zygote)


@pytest.fixture
def world(
    request: pytest.FixtureRequest,
    lab: Lab,
    tmp_path: Path,
) -> Iterator[World]:
    """Return the system; in the short form the recogniser is a separate process, because its start is slow."""
    told = {"GLAS_LOG__LEVEL": "info", "ADMIN_USER_IDS": str(ADMIN)}
    if request.param == "embedded":
        if not CHAOS_MESSAGES:
            told["GLAS_NN_SERVICE_URL"] = request.getfixturevalue("server").url
        # The test starts it so that it dies.
        with embedded_world(tmp_path / "world", lab.telegram, told, zygote=lab.zygote, is_started=False) as running:
            yield running
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    variables: dict[str, str] = request.getfixturevalue("variables_of_env")
    with apart_world(tmp_path / "world", lab.telegram, postgres, variables, told, zygote=lab.zygote) as running:
        yield running


@pytest.fixture
def recordings(samples: list[Sample], tmp_path: Path) -> tuple[Path, ...]:
    """Return the samples; in the short form only their first seconds."""
    if CHAOS_MESSAGES:
        return tuple(sample.path for sample in samples)
    made = []
    for sample in samples:
        sound = np.concatenate(list(decode_blocks(sample.path.read_bytes(), DecodeLimits())))
        made.append(tmp_path / f"{sample.path.stem}.wav")
        made[-1].write_bytes(as_wav(sound[: 2 * SAMPLE_RATE_HZ]))
    return tuple(made)


def test_all_steps_are_known() -> None:
    """The full form kills at every step of the bot."""
    known = {point.split()[1] for point in points(rare=True) if "enqueue" not in point}
    assert known == steps_of_the_bot()


@pytest.mark.slow
@pytest.mark.timeout(600 + 3 * CHAOS_MESSAGES)
@pytest.mark.parametrize("world", WORLDS, indirect=True)
async def test_nothing_is_lost_or_done_twice(lab: Lab, world: World, recordings: tuple[Path, ...]) -> None:
    """Processes are killed at every named step, then at random; after a quiet run all data agrees."""
    bot = world.part("tg_bot" if world.is_apart else "glas")
    people, voices = count(6_000_000_001), [path.read_bytes() for path in recordings]
    road = Road(lab, bot, recordings)
    bot.kill()
    for point in points(rare=bool(CHAOS_MESSAGES)):
        road.lead(point, next(people))
    lab.start(bot)
    dice = random.Random(20261122)  # noqa: S311 - no secret
    parts = [bot, bot, *(world.part(name) for name in SERVICES if world.is_apart)]
    for left in range(N_RANDOM_KILLS, 0, -1):
        for _ in range(-(-(N_MESSAGES - len(lab.sent)) // left)):
            person = next(people)
            lab.telegram.say(person, "/start")
            lab.speak(person, dice.choice(voices))
        lab.wait(lambda: False, dice.uniform(*LIFE_S))
        _kill_and_start(lab, dice.choice(parts))
    assert lab.wait(lab.is_all_answered, PATIENCE_S), f"{lab.verdict()}: {world.left()[:9]}\n{world.tails()}"
    world.rest()
    verdict = lab.verdict()
    print(f"{len(lab.sent)} messages, {lab.kills.total()} kills {dict(lab.kills)}: {verdict}")  # noqa: T201 - shown by `pytest -s` and `make chaos`
    assert (verdict.lost, verdict.answered_twice) == (0, 0)
    assert verdict.orphans <= lab.kills.total()
    assert len(lab.sent) >= N_MESSAGES
    if not world.is_apart:
        bot.kill()
    async with world.look() as doors:
        await check_rows(lab, doors)
    assert lab.telegram.violations().before_retry_after == 0
    bot.kill()
    secrecy.check_secrets(world)


def _kill_and_start(lab: Lab, part: Part) -> None:
    lab.kill(part)
    lab.start(part)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_naive_worker_fails_the_same_test(lab: Lab, server: Server, short_wav: bytes, tmp_path: Path) -> None:
    """A worker that confirms first and handles later loses messages."""
    part = Part("naive", [lab.telegram.token, lab.telegram.url, server.url], dict(os.environ), tmp_path)
    people = count(6_100_000_001)
    for _ in range(3):
        lab.start(part, is_naive=True)
        for _ in range(3):
            lab.speak(next(people), short_wav)
        lab.wait(lambda: not lab.telegram.world.updates, 3.0)
        lab.kill(part)
    lab.start(part, is_naive=True)
    lab.wait(lambda: not lab.telegram.world.updates, 3.0)
    lab.wait(lambda: lab.verdict().lost == 0, 3.0)
    lab.kill(part)
    assert lab.verdict().lost > 0
