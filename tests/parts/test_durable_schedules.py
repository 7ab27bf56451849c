"""Schedules of the durable engine: they come by the clock, and end with their setting or their part."""

import asyncio
from pathlib import Path

import sqlalchemy as sa

from glas.durable import Durable, Place, Queue, Schedule, sqlite_place
from glas.durable.members import Members
from tests.parts.diaries import Diary, make
from tests.parts.diaries import place as place  # noqa: PLC0414 - a fixture, found here by its name


async def test_schedules_come_by_the_clock(tmp_path: Path) -> None:
    """Scheduled work runs once for each time, and gets the scheduled time."""
    engine = Durable(sqlite_place(tmp_path / "durable.sqlite"), slot="one")
    times: list[str] = []

    async def tick(scheduled: str, _context: None) -> None:
        times.append(scheduled)

    engine.workflow("tick", tick)
    engine.queue(Queue("ticks", 1, one_per_person=False))
    engine.schedule(Schedule("ticks", "tick", "* * * * * *", "ticks"))
    await engine.start()
    async with asyncio.timeout(20):
        while len(times) < 2:  # noqa: ASYNC110 - the clock has no event to offer
            await asyncio.sleep(0.05)
    await engine.close()
    assert len(times) == len(set(times))


async def test_a_schedule_that_nobody_wants_any_more_ends(place: Place) -> None:
    """A schedule ends with its setting or its part; its enqueued work is dropped."""
    engine = Durable(place, slot="one")
    times: list[str] = []

    async def tick(scheduled: str, _context: None) -> None:
        times.append(scheduled)
        await asyncio.sleep(60)

    engine.workflow("tick", tick)
    engine.queue(Queue("ticks", 1, one_per_person=False))
    engine.schedule(Schedule("ticks", "tick", "* * * * * *", "ticks"))
    await engine.start()
    async with asyncio.timeout(20):
        while not times:  # noqa: ASYNC110 - the clock has no event to offer
            await asyncio.sleep(0.05)
    await engine.close(patience_s=0.0)
    engine = make(place, Diary())
    await engine.start()
    # The engine asks once a second which schedules there are.
    await asyncio.sleep(1.5)
    other = place.open()
    schema = f"{place.schema}." if place.schema else ""
    try:
        with other.connect() as connection:
            assert connection.execute(sa.text(f"SELECT count(*) FROM {schema}workflow_schedules")).scalar_one() == 0  # noqa: S608
            query = f"SELECT DISTINCT status FROM {schema}workflow_status"  # noqa: S608
            assert connection.execute(sa.text(query)).scalars().all() == ["CANCELLED"]
    finally:
        other.dispose()
        # Or each later test of this process would find a second engine.
        await engine.close()


async def test_a_schedule_is_taken_back_while_others_live(place: Place) -> None:
    """Only the unwanted schedule is removed, because other processes may still need theirs."""
    engine = Durable(place, slot="one")

    async def tick(_scheduled: str, _context: None) -> None:
        pass

    engine.workflow("tick", tick)
    engine.queue(Queue("ticks", 1, one_per_person=False))
    for name in ("unwanted", "of another"):
        engine.schedule(Schedule(name, "tick", "0 0 0 1 1 *", "ticks"))
    await engine.start()
    await engine.close()
    other = place.open()
    Members(other, place.schema).beat("somebody else")
    engine = make(place, Diary())
    engine.unschedule("unwanted")
    await engine.start()
    schema = f"{place.schema}." if place.schema else ""
    with other.connect() as connection:
        query = f"SELECT schedule_name FROM {schema}workflow_schedules"  # noqa: S608
        assert connection.execute(sa.text(query)).scalars().all() == ["of another"]
    other.dispose()
    await engine.close()
