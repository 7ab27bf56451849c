"""The private names of DBOS that the adapter uses: each test fails if a release of DBOS changes their behaviour."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from dbos import DBOS
from dbos._utils import retriable_postgres_exception

from glas.durable import Durable, Place, Queue, Work, postgres_place, sqlite_place
from glas.durable.dbos_adapter import join_queue_threads
from tests.conftest import Postgres

_SEARCH = "operation_outputs.output"
_POLL = "WITH RECURSIVE partitions"


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return sqlite_place(tmp_path / "durable.sqlite")
    postgres = request.getfixturevalue("postgres")
    assert isinstance(postgres, Postgres)
    return postgres_place(postgres.create(f"adapter_{tmp_path.name[-20:].lower()}"), "tg_bot")


class Walk:
    """A workflow of three steps; the third waits until the test opens a gate, or fails."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    def engine(self, place: Place, *, poll_s: float = 0.2) -> Durable:
        """An engine with this workflow, not started."""
        durable = Durable(place, slot="one")

        async def step(name: str) -> str:
            self.done.append(name)
            if name == "third":
                await self.gate.wait()
                if self.error is not None:
                    raise self.error
            return name

        async def walk() -> None:
            for name in ("first", "second", "third"):
                await durable.step(name, lambda name=name: step(name))  # type: ignore[misc]

        durable.workflow("walk", walk)
        durable.queue(Queue("walks", concurrency=4, poll_s=poll_s))
        return durable

    async def until(self, n_steps: int) -> None:
        """Wait until a number of steps have begun."""
        async with asyncio.timeout(30):
            while len(self.done) < n_steps:  # noqa: ASYNC110 - the steps have no event to offer
                await asyncio.sleep(0.02)


WALK = Work("walks", "walk", "w:1", (), person="anna")


@pytest.fixture
async def walk() -> Walk:
    """The workflow with a closed gate."""
    return Walk()


@pytest.fixture
async def durable(place: Place, walk: Walk) -> AsyncIterator[Durable]:
    """A started engine."""
    engine = walk.engine(place)
    await engine.start()
    yield engine
    await engine.close(patience_s=0.5)


def test_the_installed_release_is_the_one_that_the_adapter_knows() -> None:
    assert version("dbos").startswith("3.4."), (
        "read glas/durable/dbos_adapter.py against the new release, then raise this"
    )


async def test_a_resumed_workflow_repeats_no_recorded_step(durable: Durable, walk: Walk) -> None:
    """Resuming sets the number of runs to 0, so this number alone does not show that steps have records."""
    await durable.enqueue(WALK)
    await walk.until(3)
    await DBOS.cancel_workflow_async(WALK.id)
    await DBOS.resume_workflow_async(WALK.id)
    await walk.until(4)
    walk.gate.set()
    await asyncio.sleep(0.5)
    assert walk.done == ["first", "second", "third", "third"]


async def test_a_forked_workflow_repeats_no_recorded_step(durable: Durable, walk: Walk) -> None:
    walk.gate.set()
    await durable.enqueue(WALK)
    await walk.until(3)
    await ended(WALK.id)
    handle = await DBOS.fork_workflow_async(WALK.id, 3)
    await handle.get_result()
    assert walk.done == ["first", "second", "third", "third"]


async def test_the_records_of_a_first_run_are_not_searched(durable: Durable, walk: Walk) -> None:
    """One query for all works that were claimed together replaces a query for each step."""
    statements: list[str] = []
    walk.gate.set()
    assert durable._engine is not None
    sa.event.listen(durable._engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    await durable.enqueue(WALK)
    await walk.until(3)
    await ended(WALK.id)
    assert [one for one in statements if _SEARCH in one] == []
    assert sum("INSERT INTO" in one and "operation_outputs" in one for one in statements) == 3


async def test_what_this_process_enqueues_is_begun_at_once(place: Place, walk: Walk) -> None:
    """Without the adapter, the queue would be polled after twenty seconds."""
    engine = walk.engine(place, poll_s=20.0)
    await engine.start()
    await asyncio.sleep(0.5)
    began_s = time.monotonic()
    await engine.enqueue(WALK)
    await walk.until(1)
    took_s = time.monotonic() - began_s
    walk.gate.set()
    await engine.close()
    assert took_s < 10


async def test_an_idle_queue_is_polled_rarely(tmp_path: Path, walk: Walk) -> None:
    """With SQLite only this process enqueues work. The works of one person still follow each other at once."""
    polls: list[str] = []
    with patch("glas.durable.dbos_adapter._IDLE_POLL_S", 60.0):
        engine = walk.engine(sqlite_place(tmp_path / "durable.sqlite"))
        await engine.start()
        assert engine._engine is not None
        sa.event.listen(engine._engine, "before_cursor_execute", lambda *given: polls.append(given[2]))
        await asyncio.sleep(1.5)
        assert sum(_POLL in one for one in polls) > 1
        polls.clear()
        await asyncio.sleep(1.0)
        assert sum(_POLL in one for one in polls) <= 1
        walk.gate.set()
        for number in range(3):
            await engine.enqueue(replace(WALK, id=f"w:{number}"))
        await walk.until(9)
        await engine.close()


async def test_a_new_queue_is_polled_at_once(place: Place, walk: Walk) -> None:
    """DBOS looks for new queues once a second, and would poll this one after its interval."""
    engine = walk.engine(place)
    await engine.start()
    began_s = time.monotonic()
    async with asyncio.timeout(20):
        while "queue-worker-walks" not in {thread.name for thread in threading.enumerate()}:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.005)
    took_s = time.monotonic() - began_s
    await engine.close()
    assert took_s < 0.5


async def test_closing_waits_for_the_work_that_runs(place: Place, walk: Walk) -> None:
    engine = walk.engine(place)
    await engine.start()
    await engine.enqueue(WALK)
    await walk.until(3)
    asyncio.get_running_loop().call_later(0.5, walk.gate.set)
    await engine.close(patience_s=20)
    again = Walk()
    engine = again.engine(place)
    await engine.start()
    await asyncio.sleep(0.5)
    status = await DBOS.get_workflow_status_async(WALK.id)
    await engine.close()
    assert again.done == []
    assert status is not None
    assert status.status == "SUCCESS"


async def test_an_error_of_a_step_is_not_recorded(durable: Durable, walk: Walk) -> None:
    """A later run repeats this step, but not the steps before it."""
    walk.error = KeyError("a bug")
    walk.gate.set()
    await durable.enqueue(WALK)
    await ended(WALK.id)
    assert [step["function_name"] for step in await DBOS.list_workflow_steps_async(WALK.id)] == ["first", "second"]
    walk.error = None
    await (await DBOS.fork_workflow_async(WALK.id, 3)).get_result()
    assert walk.done == ["first", "second", "third", "third"]


async def test_claimed_work_that_does_not_run_is_put_back(place: Place, walk: Walk) -> None:
    """This happens if the connection breaks after the claim; work that runs for a long time is not put back."""
    with patch("glas.durable.maintenance._HEARTBEAT_S", 0.2):
        engine = walk.engine(place)
        await engine.start()
        await engine.enqueue(WALK)
        await walk.until(3)
        await asyncio.sleep(1.0)
        assert walk.done == ["first", "second", "third"]
        for task in asyncio.all_tasks():
            if task in engine._running._ids:
                task.cancel()
        await walk.until(4)
        walk.gate.set()
        await ended(WALK.id)
        await engine.close()
    assert walk.done == ["first", "second", "third", "third"]


async def ended(workflow_id: str) -> None:
    """Wait for the outcome of a work."""
    async with asyncio.timeout(20):
        while True:
            status = await DBOS.get_workflow_status_async(workflow_id)
            if status is not None and status.status in ("SUCCESS", "ERROR"):
                return
            await asyncio.sleep(0.05)


async def test_old_work_is_deleted_however_much_it_is(place: Place, walk: Walk) -> None:
    """More than ten batches are deleted at one start; work within the number of days to keep stays."""
    walk.gate.set()
    engine = walk.engine(place)
    await engine.start()
    await engine.enqueue(WALK)
    await walk.until(3)
    await ended(WALK.id)
    await engine.close()
    database = place.open()
    table = sa.Table("workflow_status", sa.MetaData(schema=place.schema), autoload_with=database)
    with database.begin() as connection:
        row = dict(connection.execute(sa.select(table)).mappings().one())
        row["created_at"] -= 10 * 86_400_000
        connection.execute(sa.insert(table), [row | {"workflow_uuid": f"old:{n}"} for n in range(5_600)])
    engine = walk.engine(place)
    await engine.start()
    count = sa.select(sa.func.count()).select_from(table)
    try:
        async with asyncio.timeout(60):
            while True:
                with database.connect() as connection:
                    left = connection.execute(count).scalar_one()
                if left == 1:
                    break
                await asyncio.sleep(0.1)
    except TimeoutError:
        pytest.fail(f"expected the old work to be deleted, {left} pieces are left")
    finally:
        database.dispose()
        await engine.close()


@pytest.mark.parametrize("hosts", ["/nowhere", "127.0.0.1:9", "a.invalid:5432", "/nowhere&host=/nowhere"])
def test_no_connection_is_no_end_of_the_work(hosts: str) -> None:
    """DBOS waits for an unavailable database with any such error; another error would end the work."""
    engine = postgres_place(f"postgresql://glas@/glas?host={hosts}&target_session_attrs=read-write", "tg_bot").open()
    with pytest.raises(sa.exc.OperationalError) as caught, engine.connect():
        pass
    assert retriable_postgres_exception(caught.value)
    engine.dispose()


def test_threads_that_are_only_being_started_are_awaited() -> None:
    """`threading.enumerate` returns such threads, and `Thread.join` refuses to wait for them."""
    ended = threading.Event()

    def end_late() -> None:
        time.sleep(0.2)
        ended.set()

    late = threading.Thread(target=end_late, name="queue-worker-late")
    with patch("threading.enumerate", return_value=[late]):
        starting = threading.Timer(0.2, late.start)
        starting.start()
        join_queue_threads()
    assert ended.is_set()
