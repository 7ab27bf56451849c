"""db_assist: the order of changes that exports read, and deletion of data; with SQLite and PostgreSQL."""

import asyncio

import pytest

from glas.clients.db_assist import DbAssistClient
from glas.clients.db_assist_bodies import Change
from glas.domain.errors import ForbiddenError, InvalidParameterError, NotFoundError
from glas.domain.messages import Score
from glas.domain.people import Purpose, Role
from tests.parts.voices import BOT, HEARD, heard, message, send, sha256, someone


async def _read(client: DbAssistClient, cursor: str = "", *, limit: int = 500) -> tuple[list[Change], str]:
    found: list[Change] = []
    while True:
        page = await client.changed_since(cursor, limit=limit)
        assert len(page.items) <= limit
        found += page.items
        cursor = page.next_cursor
        if not page.has_more:
            return found, cursor


async def _consent(client: DbAssistClient, tg_id: int, *, granted: bool) -> None:
    await client.set_consent(tg_id, Purpose.TRAINING, granted=granted, text_version="2026-11")


async def test_every_change_of_a_finished_message_is_told(db_assist: DbAssistClient) -> None:
    """A rating, a correction and archiving are changes. A message that is not finished and a repetition are not."""
    tg_id = someone()
    await db_assist.register(tg_id)
    await _consent(db_assist, tg_id, granted=True)
    created = await db_assist.create_transcription(message(tg_id))
    assert (await _read(db_assist))[0] == []
    await db_assist.finish(created.id, heard())
    (change,), cursor = await _read(db_assist)
    assert (change.transcription_id, change.is_exportable) == (created.id, True)
    for step in (
        lambda: db_assist.archive(created.id, audio_key="k", sha256=sha256("a"), size_bytes=1),
        lambda: db_assist.rate(created.id, tg_id, Score.BAD),
        lambda: db_assist.rate(created.id, tg_id, Score.BEST),
        lambda: db_assist.correct(created.id, tg_id, HEARD + " ещё"),
    ):
        for expected in (1, 0):
            await step()
            changes, cursor = await _read(db_assist, cursor)
            assert len(changes) == expected
            if changes:
                assert changes[0].transcription == await db_assist.transcription(created.id)


async def test_pages_skip_nothing_where_changes_share_a_moment(db_assist: DbAssistClient) -> None:
    """A withdrawn consent changes many messages at once; pages of any size return each message once."""
    tg_id, other = someone(), someone()
    for person in (tg_id, other):
        await db_assist.register(person)
        await _consent(db_assist, person, granted=True)
    mine = [(await send(db_assist, tg_id, forwarded=number == 0)).id for number in range(7)]
    theirs = (await send(db_assist, other)).id
    first, cursor = await _read(db_assist, limit=3)
    assert [change.transcription_id for change in first] == [*mine, theirs]
    assert [change.is_exportable for change in first] == [False, *[True] * 7]
    await _consent(db_assist, tg_id, granted=False)
    for limit in (1, 2, 3, 500):
        again, _ = await _read(db_assist, cursor, limit=limit)
        assert [change.transcription_id for change in again] == mine
        assert not any(change.training_consent for change in again)
    everything, _ = await _read(db_assist, limit=2)
    assert [change.transcription_id for change in everything] == [theirs, *mine]


async def test_a_reader_beside_many_writers_misses_nothing(db_assist: DbAssistClient) -> None:
    """A transaction that began earlier may commit later; the reader must not miss its change."""
    people = [someone() for _ in range(4)]
    for tg_id in people:
        await db_assist.register(tg_id)
    created = [await db_assist.create_transcription(message(people[n % 4])) for n in range(40)]
    seen: dict[int, Change] = {}
    done = asyncio.Event()

    async def follow() -> None:
        cursor = ""
        while True:
            last_round = done.is_set()
            changes, cursor = await _read(db_assist, cursor, limit=3)
            seen.update({change.transcription_id: change for change in changes})
            if last_round:
                return

    async def work(number: int) -> None:
        await db_assist.finish(created[number].id, heard())
        await db_assist.rate(created[number].id, people[number % 4], Score.BEST)

    async with asyncio.TaskGroup() as group:
        group.create_task(follow())
        await asyncio.gather(*(work(number) for number in range(40)))
        done.set()
    assert set(seen) == {one.id for one in created}
    assert all(change.transcription is not None and change.transcription.score for change in seen.values())


@pytest.mark.parametrize("cursor", ["x", "1", "1.2.3", "-1.0", "9" * 60, "1.2; DROP TABLE users"])
async def test_a_cursor_is_ours_or_refused(db_assist: DbAssistClient, cursor: str) -> None:
    """An unknown cursor is refused before it is used in a query."""
    with pytest.raises(InvalidParameterError):
        await db_assist.changed_since(cursor)


async def test_everything_that_is_held_is_told(db_assist: DbAssistClient) -> None:
    """`/mydata` contains the person, consents, messages with corrections and the ledger."""
    tg_id, other = someone(), someone()
    for person in (tg_id, other):
        await db_assist.register(person)
        await send(db_assist, person)
    await _consent(db_assist, tg_id, granted=True)
    sent = await send(db_assist, tg_id)
    await db_assist.rate(sent.id, tg_id, Score.BEST)
    await db_assist.correct(sent.id, tg_id, HEARD + " ещё")
    data = await db_assist.export_user(tg_id)
    assert data.user == await db_assist.user(tg_id)
    assert len(data.consents) == 1
    assert [one.user_id for one in data.transcriptions] == [data.user.id] * 2
    assert data.transcriptions[1].reference == HEARD + " ещё"
    assert sum(entry.amount_hundredths for entry in data.transactions) == data.user.cash_hundredths == 180


async def test_a_person_is_forgotten(db_assist: DbAssistClient) -> None:
    """Name, messages, corrections and consents are deleted; the ledger stays; the objects to delete are returned."""
    admin, tg_id = someone(), someone()
    for person in (admin, tg_id):
        await db_assist.register(person)
    await db_assist.set_role(admin, Role.ADMIN)
    await _consent(db_assist, tg_id, granted=True)
    sent = await send(db_assist, tg_id)
    pending = await db_assist.create_transcription(message(tg_id))
    await db_assist.archive(sent.id, audio_key=f"{sent.id}/{sent.id}_audio.ogg", sha256=sha256("a"), size_bytes=1)
    await db_assist.rate(sent.id, tg_id, Score.BEST)
    await db_assist.grant(admin, tg_id, 500, reason="Анне за помощь", key=f"g-{tg_id}")
    _, cursor = await _read(db_assist)
    forgotten = await db_assist.forget(tg_id)
    assert forgotten.transcription_ids == (sent.id, pending.id)
    assert f"{sent.id}/{sent.id}_audio.ogg" in forgotten.object_keys
    assert f"{sent.id}/{sent.id}_transcription.txt" in forgotten.object_keys
    assert f"{sent.id}/{sent.id}_transcription.json" in forgotten.object_keys
    for gone in (db_assist.user(tg_id), db_assist.transcription(sent.id), db_assist.by_message(BOT, tg_id, 1)):
        with pytest.raises(NotFoundError):
            await gone
    assert await db_assist.same_file(sent.file_unique_id) is None
    changes, _ = await _read(db_assist, cursor)
    assert [(change.transcription_id, change.transcription) for change in changes] == [
        (sent.id, None),
        (pending.id, None),
    ]
    check = await db_assist.check_ledger()
    assert (check.is_balanced, check.n_transactions) == (True, 2)
    assert (await db_assist.forget(tg_id)).transcription_ids == ()
    fresh = await db_assist.register(tg_id)
    assert (fresh.cash_hundredths, fresh.consents) == (0, frozenset())
    assert await db_assist.transactions(tg_id) == ()
    assert (await send(db_assist, tg_id)).id > pending.id, "an id that names deleted objects must not come back"


async def test_forgetting_is_no_way_out_of_a_ban(db_assist: DbAssistClient) -> None:
    """The id and the ban stay; everything else is deleted."""
    tg_id = someone()
    await db_assist.register(tg_id)
    await send(db_assist, tg_id)
    await db_assist.ban(tg_id)
    assert len((await db_assist.forget(tg_id)).transcription_ids) == 1
    await db_assist.register(tg_id)
    with pytest.raises(ForbiddenError):
        await db_assist.create_transcription(message(tg_id))


async def test_forgetting_beside_new_messages_leaves_none(db_assist: DbAssistClient) -> None:
    """A message that arrives at the same moment is deleted too, or refused; no message stays without an owner."""
    for _ in range(5):
        tg_id = someone()
        await db_assist.register(tg_id)
        arriving = [db_assist.create_transcription(message(tg_id)) for _ in range(6)]
        results = await asyncio.gather(*arriving[:3], db_assist.forget(tg_id), *arriving[3:], return_exceptions=True)
        assert all(isinstance(result, NotFoundError) or not isinstance(result, Exception) for result in results)
    assert sum((await db_assist.statistics()).n_transcriptions.values()) == 0
