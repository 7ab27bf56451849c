"""Test the whole system from messages to the dataset: as one process, and as compose.yaml starts it.

`make test` sends fewer messages; `make whole` sends 200 of 50 people; `make containers` uses containers made from
namespaces. Everything that can be counted must agree.
"""

import copy
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from glas.settings import Settings
from tests.conftest import Postgres, Sample
from tests.system import agreement, secrecy
from tests.system.acting import Clock, People
from tests.system.crowd import Crowd, Fate, gather
from tests.system.forking import Zygote
from tests.system.worlds import World, apart_world, contained_world, embedded_world
from tests.telegram.server import TelegramServer

IN_CONTAINERS = "IN_CONTAINERS" in os.environ
N_PEOPLE = int(os.environ.get("WHOLE_PEOPLE", "7"))
IS_LONG = "WHOLE_PEOPLE" in os.environ
N_ROUNDS = 4 if IS_LONG else 3
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600 + 12 * N_PEOPLE)]


@pytest.fixture(scope="module")
def invented(samples: list[Sample], tmp_path_factory: pytest.TempPathFactory) -> Crowd:
    """Make people and recordings, and recognise the recordings."""
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("hearing"))
    return gather(N_PEOPLE, N_ROUNDS, [sample.path for sample in samples], settings, first_words=not IS_LONG)


@pytest.fixture
def crowd(invented: Crowd) -> Crowd:
    """Make the people of one world."""
    return copy.deepcopy(invented)


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    """Start a Telegram server for this test."""
    with TelegramServer() as running:
        yield running


@pytest.fixture(params=["contained"] if IN_CONTAINERS else ["embedded", "apart"])
def world(request: pytest.FixtureRequest, telegram: TelegramServer, zygote: Zygote, tmp_path: Path) -> Iterator[World]:
    """The running system."""
    if request.param == "embedded":
        with embedded_world(tmp_path / "world", telegram, zygote=zygote) as running:
            yield running
        return
    variables: dict[str, str] = request.getfixturevalue("variables_of_env")
    if request.param == "contained":
        with contained_world(tmp_path, variables) as running:
            yield running
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    with apart_world(tmp_path / "world", telegram, postgres, variables, zygote=zygote) as running:
        yield running


async def test_everything_agrees(world: World, crowd: Crowd) -> None:
    """Messages, answers, ratings, corrections, archive, export and deletions agree in all places."""
    clock = Clock()
    try:
        await _live(People(crowd, world), clock)
    except BaseException as error:
        error.add_note(f"{clock}\n{world.tails()}")
        raise
    # Shown by `pytest -s` and `make whole`.
    print(f"{len(crowd.sendings)} messages of {len(crowd.people)} people: {clock}")  # noqa: T201


async def _live(people: People, clock: Clock) -> None:
    crowd, world = people.crowd, people.world
    people.begin()
    clock.mark("begin")
    people.speak()
    clock.mark("answered")
    people.check_answers()
    people.rate()
    people.correct()
    clock.mark("rated and corrected")
    world.rest()
    clock.mark("archived")
    await _compare(people, clock, forgotten=None)
    clock.mark("closed")
    if not world.is_apart:
        world.start()
        clock.mark("started again")
    forgotten = next(person for person in crowd.people if any(one.person == person for one in crowd.exported))
    people.forget(forgotten)
    world.rest()
    clock.mark("forgotten")
    people.check_answers()
    assert world.telegram.violations() == (0, 0, 0, 0)
    assert len(world.work_of(forgotten)) <= 1, "only the forgetting itself is remembered"
    secrecy.check_metrics(world)
    if world.is_apart:
        one = next(one for one in crowd.sendings if one.fate is Fate.TEXT)
        await secrecy.check_doors(world, one.data, one.text)
    await _compare(people, clock, forgotten=forgotten)
    if world.is_apart:
        world.stop()
        secrecy.check_read_only(world)
    clock.mark("stopped")
    secrecy.check_secrets(world)


async def _compare(people: People, clock: Clock, *, forgotten: int | None) -> None:
    crowd, world = people.crowd, people.world
    if not world.is_apart:
        world.stop()
    clock.mark("stopped")
    async with world.look() as doors:
        story = await agreement.check_rows(crowd, doors, forgotten=forgotten)
        clock.mark("rows")
        report = await doors.data_loader.export_now()
        assert report.n_failed == 0
        clock.mark("exported")
        await agreement.check_objects(crowd, story, doors, world, forgotten=forgotten)
        await agreement.check_export(crowd, story, world, forgotten=forgotten)
        clock.mark("compared")
