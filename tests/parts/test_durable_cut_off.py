"""The durable engine without its database: it stops before other processes take over its work.

It takes over work late.
"""

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from glas.durable import postgres_place
from glas.durable.members import Members
from tests.conftest import Postgres
from tests.parts.diaries import Diary, make, until, work


async def test_who_is_cut_off_stops_before_others_take_over(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work is interrupted while no heartbeat arrives, so that no step is done twice; then it continues once."""
    monkeypatch.setattr("glas.durable.maintenance._INTERRUPTED_AFTER_S", 1.0)
    monkeypatch.setattr("glas.durable.maintenance._HEARTBEAT_S", 0.2)
    place = postgres_place(postgres.create(f"cut_{tmp_path.name[-20:].lower()}"), "tg_bot")
    diary = Diary()
    diary.door.clear()
    engine = make(place, diary)
    await engine.start()
    await engine.enqueue(work("anna", "раз", "u:1"))
    await until(diary, 1)
    locker = place.open()
    with locker.begin() as connection:
        # No heartbeat can be written now.
        connection.execute(sa.text("LOCK TABLE durable_tg_bot.glas_executors"))
        await asyncio.sleep(1.5)
        diary.door.set()
        await asyncio.sleep(0.3)
        assert diary.lines == ["anna first раз"]
    await until(diary, 2)
    await engine.close()
    locker.dispose()
    assert diary.lines == ["anna first раз", "anna second раз!"]


async def test_nobody_is_taken_for_dead_when_the_database_goes_away(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an outage all heartbeats are old, so only a process that stays silent counts as dead."""
    monkeypatch.setattr("glas.durable.maintenance._INTERRUPTED_AFTER_S", 0.7)
    monkeypatch.setattr("glas.durable.maintenance._HEARTBEAT_S", 0.2)
    monkeypatch.setattr("glas.durable.maintenance.DEAD_AFTER_S", 2.0)
    place = postgres_place(postgres.create(f"away_{tmp_path.name[-20:].lower()}"), "tg_bot")
    diary = Diary()
    diary.door.clear()
    engine = make(place, diary)
    await engine.start()
    await engine.enqueue(work("anna", "раз", "u:1"))
    await until(diary, 1)
    other = place.open()
    members = Members(other, place.schema)

    def owner() -> str:
        with other.connect() as connection:
            return str(connection.scalar(sa.text("SELECT executor_id FROM durable_tg_bot.workflow_status")))

    with other.begin() as connection:
        # As if somebody else had begun it.
        connection.execute(sa.text("UPDATE durable_tg_bot.workflow_status SET executor_id = 'two'"))
    for _ in range(12):
        members.beat("two")
        await asyncio.sleep(0.2)
    with other.begin() as connection:
        connection.execute(sa.text("LOCK TABLE durable_tg_bot.glas_executors"))
        await asyncio.sleep(2.5)
    await asyncio.sleep(0.8)
    assert owner() == "two"
    diary.door.set()
    await until(diary, 2)
    assert owner() == "one"
    await engine.close()
    other.dispose()
    assert diary.lines == ["anna first раз", "anna second раз!"]
