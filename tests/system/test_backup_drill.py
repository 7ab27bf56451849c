"""Test in both places of data that all lost data is restored, except data of people who deleted it.

`DRILL_MESSAGES=10000` adds so many messages with a recording and two texts each, and prints times and sizes.
"""

import asyncio
import os
import time
from pathlib import Path

import obstore
import pytest
from pydantic import SecretStr
from sqlalchemy import insert, select

from glas.clients.db_assist import DbAssistClient
from glas.clients.held_bodies import PersonalData
from glas.data_loader.app import make_store
from glas.db import roles
from glas.db.session import database_url, open_database
from glas.db.tables import TranscriptionRow
from glas.domain.errors import NotFoundError
from glas.domain.messages import Score
from glas.domain.object_keys import audio_key, recognition_key, transcription_key
from glas.domain.people import Purpose
from glas.durable import Durable, Queue, Work
from glas.s3 import Store
from glas.settings import Settings
from tests.parts.conftest import as_role
from tests.parts.voices import HEARD, open_db_assist, send, sha256, someone
from tests.system.places import Place, directory_place, servers_place

MORE = int(os.environ.get("DRILL_MESSAGES", "0"))
N_PEOPLE = 5
# An Opus recording of ten seconds, and what is kept of its recognition.
AUDIO_BYTES, RECOGNITION_BYTES = 25_000, 4_000


@pytest.fixture(params=["directory", "servers"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An installation with tables and no people."""
    if request.param == "directory":
        made = directory_place(tmp_path / "data")
    else:
        postgres, seaweed = (request.getfixturevalue(name) for name in ("postgres", "seaweed"))
        made = servers_place(f"drill_{os.getpid()}", postgres, seaweed, tmp_path / "data")
    made.prepare()
    return made


def as_parts(place: Place) -> Settings:
    """Return the settings of the running parts: on a server, with the rights of db_assist only."""
    if place.postgres is None:
        return place.settings
    return place.settings.model_copy(update={"database_url": SecretStr(as_role(place.url, roles.APP))})


async def fill(place: Place) -> dict[int, int]:
    """Make people with one message each; return the messages."""
    store, sent = make_store(place.settings), dict[int, int]()
    async with open_db_assist(as_parts(place)) as client:
        for number in range(N_PEOPLE):
            person = someone()
            await client.register(person)
            await client.set_consent(person, Purpose.TRAINING, granted=True, text_version="1")
            sent[person] = await _message(client, store, person, f"{HEARD} {number}")
    await work(place, "before")
    return sent


async def _message(client: DbAssistClient, store: Store, person: int, text: str) -> int:
    kept = await send(client, person, text=text)
    stored = await store.put(audio_key(kept.id, "ogg"), os.urandom(AUDIO_BYTES))
    await store.put(transcription_key(kept.id), text.encode())
    await client.archive(kept.id, audio_key=stored.key, sha256=stored.sha256, size_bytes=stored.size_bytes)
    await client.rate(kept.id, person, Score.BEST)
    return kept.id


async def work(place: Place, name: str) -> None:
    """Run a piece of durable work to its end."""
    done = asyncio.Event()

    async def finish() -> None:
        done.set()

    durable = Durable(place.durable, slot="drill")
    durable.workflow("work", finish)
    durable.queue(Queue("queue", 1))
    await durable.start()
    try:
        await durable.enqueue(Work("queue", "work", name, ()))
        await asyncio.wait_for(done.wait(), 20)
    finally:
        await durable.close()


async def add_messages(place: Place, count: int) -> None:
    """Copy one message `count` times, each with objects, without the services, which would take minutes."""
    store, database = make_store(place.settings), open_database(database_url(place.settings))
    async with database.writing() as session:
        last = (await session.scalars(select(TranscriptionRow).order_by(TranscriptionRow.id.desc()).limit(1))).one()
        columns = [column.key for column in TranscriptionRow.__table__.columns if column.key != "id"]
        row = {name: getattr(last, name) for name in columns}
        copies = [
            row | {"message_id": 10**6 + number, "file_unique_id": f"copy-{number}", "fingerprint": sha256(str(number))}
            for number in range(count)
        ]
        for start in range(0, count, 500):
            await session.execute(insert(TranscriptionRow), copies[start : start + 500])
        ids = (await session.scalars(select(TranscriptionRow.id).where(TranscriptionRow.id > last.id))).all()
    await database.close()
    for start in range(0, len(ids), 32):
        await asyncio.gather(*(_put_objects(store, number) for number in ids[start : start + 32]))


async def _put_objects(store: Store, number: int) -> None:
    """Write the objects of a message without reading them back."""
    contents = {
        audio_key(number, "ogg"): os.urandom(AUDIO_BYTES),
        transcription_key(number): HEARD.encode(),
        recognition_key(number): os.urandom(RECOGNITION_BYTES // 2).hex().encode(),
    }
    for key, content in contents.items():
        await obstore.put_async(store._inner, key, content)


async def everything_about(place: Place, people: list[int]) -> list[PersonalData]:
    async with open_db_assist(as_parts(place)) as client:
        return [await client.export_user(person) for person in people]


def test_all_comes_back_but_the_forgotten(place: Place, tmp_path: Path) -> None:
    """A person and a message are deleted after the backup; a later backup contains this information."""
    kept = tmp_path / "kept"
    sent = asyncio.run(fill(place))
    forgotten, other, *people = sent
    if MORE:
        asyncio.run(add_messages(place, MORE))
    whole = place.objects(is_read=not MORE)
    assert len(whole) == 2 * N_PEOPLE + 3 * MORE
    timed("backup", place, kept / "old.tar")
    stayed = asyncio.run(everything_about(place, people))

    async def delete() -> None:
        async with open_db_assist(as_parts(place)) as client:
            gone = await client.forget(forgotten)
            await make_store(place.settings).delete(gone.object_keys)
            await client.delete_message(sent[other], other)
            await _message(client, make_store(place.settings), people[0], "после копии")

    asyncio.run(delete())
    assert place.run("backup", kept / "new.tar").exit_code == 0
    place = place.destroy()

    returned = timed("restore", place, kept / "old.tar")
    assert "они не вернулись" in returned
    gone = [sent[forgotten], sent[other]]
    assert place.objects(is_read=not MORE) == {
        key: value for key, value in whole.items() if int(key.partition("/")[0]) not in gone
    }
    assert asyncio.run(everything_about(place, people)) == stayed

    async def answers() -> None:
        async with open_db_assist(as_parts(place)) as client:
            with pytest.raises(NotFoundError):
                await client.export_user(forgotten)
            assert [one.id for one in (await client.export_user(other)).transcriptions] == []
            for message in gone:
                with pytest.raises(NotFoundError):
                    await client.transcription(message)
            newcomer = someone()
            await client.register(newcomer)
            await _message(client, make_store(place.settings), newcomer, HEARD)
            assert (await client.check_ledger()).is_balanced
        await work(place, "after")

    asyncio.run(answers())


def timed(command: str, place: Place, archive: Path) -> str:
    """Run a command that must succeed; return its output."""
    start, cpu = time.monotonic(), time.process_time()
    done = place.run(command, archive)
    assert done.exit_code == 0, done.output
    if MORE:
        kind = "PostgreSQL and S3" if place.postgres else "embedded"
        print(  # noqa: T201 - the figures are what it is started for
            f"\n{kind}: {command} of {MORE} messages in {time.monotonic() - start:.1f} s "
            f"(this process: {time.process_time() - cpu:.1f} s of CPU), {archive.stat().st_size / 1e6:.0f} MB"
        )
    return done.output
