"""The durable engine: work is done once, records are kept, and other processes take over the work of dead ones."""

# ruff: noqa: PLC0414 - some imports are fixtures, found here by their names

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import sqlalchemy as sa

from glas.durable import Durable, Place, Queue, Retry, Work, postgres_place, sqlite_place, with_retries
from glas.durable.members import Members
from tests.parts.diaries import Diary, make, until, work
from tests.parts.diaries import diary as diary
from tests.parts.diaries import durable as durable
from tests.parts.diaries import place as place


async def test_the_same_work_is_done_once(durable: Durable, diary: Diary) -> None:
    """A second delivery finds the first work."""
    for _ in range(3):
        await durable.enqueue(work("anna", "раз", "u:1"))
    await until(diary, 2)
    await durable.enqueue(work("anna", "раз", "u:1"))
    await asyncio.sleep(0.3)
    assert diary.lines == ["anna first раз", "anna second раз!"]


async def test_a_person_waits_for_their_own_work_only(durable: Durable, diary: Diary) -> None:
    """The works of a person run one after another, in order; other people do not wait."""
    diary.door.clear()
    for number in range(3):
        await durable.enqueue(work("anna", str(number), f"a{number}"))
    await durable.enqueue(work("boris", "0", "b0"))
    await until(diary, 2)
    await asyncio.sleep(0.2)
    assert sorted(diary.lines) == ["anna first 0", "boris first 0"]
    assert await durable.backlog.count_waiting("lines", "others") == 2
    assert await durable.backlog.count_running("lines", "others") == 2
    assert [await durable.backlog.has_work(person, "lines") for person in ("anna", "boris", "carl")] == [
        True,
        True,
        False,
    ]
    assert not await durable.backlog.has_work("anna", "others")
    assert await durable.backlog.has_work("anna", "lines", workflow="write")
    assert not await durable.backlog.has_work("anna", "lines", workflow="read")
    diary.door.set()
    await until(diary, 8)
    assert [line for line in diary.lines if "anna second" in line] == [f"anna second {n}!" for n in range(3)]


async def test_a_person_can_be_forgotten(durable: Durable, diary: Diary) -> None:
    """Ended work is deleted with its arguments; the work of other people stays."""
    await durable.enqueue(work("anna", "тайна", "a"))
    await durable.enqueue(work("boris", "другое", "b"))
    await until(diary, 4)
    await asyncio.sleep(0.3)
    assert await durable.forget("anna") == 1
    assert await durable.forget("anna") == 0
    assert await durable.forget("boris") == 1


async def test_who_asks_to_be_forgotten_is_forgotten_with_the_asking(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Running work is deleted when it has ended, also after the next start; later work stays."""
    monkeypatch.setattr("glas.durable.maintenance._HEARTBEAT_S", 0.1)
    engine = Durable(place, slot="one")

    async def ask(person: str) -> None:
        assert await engine.forget(person) == 1

    async def talk(_what: str) -> None:
        pass

    def register() -> None:
        engine.workflow("ask", ask)
        engine.workflow("talk", talk)
        engine.queue(Queue("lines", concurrency=4))

    register()
    await engine.start()
    await engine.enqueue(Work("lines", "talk", "u:1", ("a secret of hers",), person="anna"))
    await gone(engine, "anna", {"u:1"})
    await engine.enqueue(Work("lines", "ask", "u:2", ("anna",), person="anna"))
    await engine.enqueue(Work("lines", "talk", "u:3", ("другое",), person="boris"))
    await gone(engine, "anna", set())
    await engine.enqueue(Work("lines", "talk", "u:4", ("снова",), person="anna"))
    await gone(engine, "anna", {"u:4"})
    await asyncio.sleep(0.3)
    await gone(engine, "anna", {"u:4"})
    await gone(engine, "boris", {"u:3"})
    await engine.close()


async def gone(engine: Durable, person: str, left: set[str]) -> None:
    """Wait until the database contains only `left` ended works of a person, and no request for deletion."""
    other = engine._place.open()
    schema = f"{engine._place.schema}." if engine._place.schema else ""
    query = f"SELECT workflow_uuid, status FROM {schema}workflow_status WHERE authenticated_user = '{person}'"  # noqa: S608
    found: dict[str, str] = {}
    try:
        async with asyncio.timeout(20):
            while True:
                with other.connect() as connection:
                    found = dict(tuple(row) for row in connection.execute(sa.text(query)))
                    wishes = connection.execute(sa.text(f"SELECT count(*) FROM {schema}glas_forgotten")).scalar_one()  # noqa: S608
                if found == dict.fromkeys(left, "SUCCESS") and not wishes:
                    return
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"{person}: expected {left}, found {found}")
    finally:
        other.dispose()


def test_what_is_deleted_is_overwritten(tmp_path: Path) -> None:
    """SQLite may otherwise keep it in free pages, depending on how it was built."""
    opened = sqlite_place(tmp_path / "durable.sqlite").open()
    with opened.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar_one() == 1
    opened.dispose()


async def test_a_lease_has_one_holder(place: Place, durable: Durable) -> None:
    """Another slot gets the lease only after the first one has given it up."""
    assert await durable.take_lease("intake", 30)
    assert await durable.take_lease("intake", 30)
    other = place.open()
    members = Members(other, place.schema)
    assert not members.take_lease("intake", "two", 30)
    members.leave("one")
    assert members.take_lease("intake", "two", 30)
    other.dispose()


async def test_what_was_cut_off_goes_on_at_the_next_start(place: Place) -> None:
    """A recorded step is not repeated."""
    before, after = Diary(), Diary()
    before.door.clear()
    engine = make(place, before)
    await engine.start()
    await engine.enqueue(work("anna", "раз", "u:1"))
    await until(before, 1)
    await asyncio.sleep(0.2)
    await engine.close(patience_s=0.1)
    engine = make(place, after)
    await engine.start()
    await until(after, 1)
    await engine.close()
    assert (before.lines, after.lines) == (["anna first раз"], ["anna second раз!"])


async def test_the_living_take_over_from_the_dead(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another slot completes the work of a killed process."""
    script = textwrap.dedent(f"""
        import asyncio, sys
        sys.path.insert(0, {str(Path(__file__).parents[2])!r})
        from glas.durable import Place
        from tests.parts.diaries import Diary, make, until, work
        async def main():
            diary = Diary()
            diary.door.clear()
            engine = make(Place({place.url!r}, {place.schema!r}), diary, slot="dead")
            await engine.start()
            await engine.enqueue(work("anna", "раз", "u:1"))
            await until(diary, 1)
            await asyncio.sleep(0.3)
            print("ready", flush=True)
            await asyncio.sleep(60)
        asyncio.run(main())
    """)
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)  # noqa: ASYNC220
    assert process.stdout is not None
    assert await asyncio.to_thread(process.stdout.readline) == b"ready\n"
    os.kill(process.pid, signal.SIGKILL)
    await asyncio.to_thread(process.communicate)
    monkeypatch.setattr("glas.durable.maintenance.DEAD_AFTER_S", 1.0)
    monkeypatch.setattr("glas.durable.maintenance._HEARTBEAT_S", 0.3)
    diary = Diary()
    engine = make(place, diary, slot="alive")
    await engine.start()
    await until(diary, 1)
    await engine.close()
    assert diary.lines == ["anna second раз!"]


async def test_retries_end_when_waiting_does_not_help() -> None:
    """A temporary error is repeated; any other error is raised at once."""
    calls: list[int] = []

    async def flaky() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise ConnectionError("away")
        return "done"

    def pause_s(error: Exception) -> float | None:
        return 0.0 if isinstance(error, ConnectionError) else None

    retry = Retry(first_s=0.01)
    assert await with_retries(flaky, retry, name="flaky", pause_s=pause_s) == "done"

    async def wrong() -> str:
        raise ValueError("for ever")

    with pytest.raises(ValueError, match="for ever"):
        await with_retries(wrong, retry, name="wrong", pause_s=pause_s)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_work_under_the_former_name_goes_on(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Work that an older version left under its old name is completed under the new name."""
    if kind == "sqlite":
        old = sqlite_place(tmp_path / "durable-a-b.sqlite")
        new = sqlite_place(tmp_path / "durable-b.sqlite", former=tmp_path / "durable-a-b.sqlite")
    else:
        url = request.getfixturevalue("postgres").create(f"former_{tmp_path.name[-20:].lower()}")
        old, new = postgres_place(url, "a_b"), postgres_place(url, "b", former="a_b")
    before, after = Diary(), Diary()
    before.door.clear()
    engine = make(old, before)
    await engine.start()
    await engine.enqueue(work("anna", "раз", "u:1"))
    await until(before, 1)
    await asyncio.sleep(0.2)
    await engine.close(patience_s=0.1)
    for _ in range(2):
        engine = make(new, after)
        await engine.start()
        await until(after, 1)
        await engine.enqueue(work("anna", "раз", "u:1"))
        await asyncio.sleep(0.2)
        await engine.close()
    assert after.lines == ["anna second раз!"]
    if kind == "sqlite":
        assert [name for name in os.listdir(tmp_path) if name.endswith(".sqlite")] == ["durable-b.sqlite"]  # noqa: PTH208
