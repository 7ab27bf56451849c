"""db_assist: people and messages, through its typed client, with SQLite and PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from glas.clients.db_assist import DbAssistClient
from glas.clients.db_assist_bodies import ChatSettings, Usage, UsageRecord
from glas.db.session import Database, database_url, open_database
from glas.db.tables import PaidAudioRow, UsageRow
from glas.db_assist import people
from glas.domain.errors import ConflictError, ForbiddenError, InvalidParameterError, NotFoundError
from glas.domain.messages import MediaKind, Score, Status
from glas.domain.model_ref import ModelRef
from glas.domain.people import Locale, Purpose, Role
from glas.settings import Settings
from tests.parts.voices import BOT, heard, message, open_db_assist, send, sha256, someone


async def test_a_person_is_registered_once(db_assist: DbAssistClient) -> None:
    """`/start` may be pressed several times, even at the same moment."""
    tg_id = someone()
    users = await asyncio.gather(*(db_assist.register(tg_id, locale=Locale.EN) for _ in range(10)))
    assert len({user.id for user in users}) == 1
    again = await db_assist.register(tg_id, locale=Locale.RU)
    assert (again.tg_id, again.locale, again.cash_hundredths, again.role) == (tg_id, Locale.EN, 0, Role.USER)
    assert abs((datetime.now(UTC) - again.registration_datetime).total_seconds()) < 60
    assert await db_assist.user(tg_id) == again


async def test_nobody_is_invented(db_assist: DbAssistClient) -> None:
    """A person who never registered is not found and cannot send messages."""
    with pytest.raises(NotFoundError):
        await db_assist.user(someone())
    with pytest.raises(NotFoundError):
        await db_assist.create_transcription(message(someone()))
    with pytest.raises(NotFoundError):
        await db_assist.transcription(2**60)


@pytest.mark.parametrize("tg_id", [0, -1, 2**52, 2**63, 2**200])
async def test_impossible_ids_are_refused(db_assist: DbAssistClient, tg_id: int) -> None:
    """Such ids are refused before they reach a database, where they would overflow."""
    with pytest.raises(InvalidParameterError):
        await db_assist.user(tg_id)


async def test_settings_of_a_person(db_assist: DbAssistClient) -> None:
    """Language, role, ban."""
    tg_id = someone()
    await db_assist.register(tg_id)
    assert (await db_assist.set_locale(tg_id, Locale.EN)).locale is Locale.EN
    assert (await db_assist.set_role(tg_id, Role.UNLIMITED)).role is Role.UNLIMITED
    sent = await send(db_assist, tg_id)
    assert (await db_assist.ban(tg_id)).is_banned
    with pytest.raises(ForbiddenError):
        await db_assist.create_transcription(message(tg_id))
    with pytest.raises(ForbiddenError):
        await db_assist.rate(sent.id, tg_id, Score.BEST)
    assert not (await db_assist.unban(tg_id)).is_banned
    await send(db_assist, tg_id)


async def test_consents_are_remembered_with_their_words(db_assist: DbAssistClient) -> None:
    """There are two purposes with two consents. The last decision counts, and each decision is kept."""
    tg_id = someone()
    await db_assist.register(tg_id)
    for granted, version in ((True, "2026-11"), (True, "2026-11"), (True, "2026-12"), (False, "2026-12")):
        await db_assist.set_consent(tg_id, Purpose.TRAINING, granted=granted, text_version=version)
    user = await db_assist.set_consent(tg_id, Purpose.SERVICE, granted=True, text_version="2026-11")
    assert user.consents == {Purpose.SERVICE}
    history = (await db_assist.export_user(tg_id)).consents
    assert [(one.purpose, one.granted, one.text_version) for one in history] == [
        (Purpose.TRAINING, True, "2026-11"),
        (Purpose.TRAINING, True, "2026-12"),
        (Purpose.TRAINING, False, "2026-12"),
        (Purpose.SERVICE, True, "2026-11"),
    ]


async def test_a_message_is_recorded_once(db_assist: DbAssistClient) -> None:
    """A second delivery of an update finds the row; other values for the same message are a conflict."""
    tg_id, other = someone(), someone()
    await db_assist.register(tg_id)
    await db_assist.register(other)
    new = message(tg_id)
    rows = await asyncio.gather(*(db_assist.create_transcription(new) for _ in range(20)))
    assert len({row.id for row in rows}) == 1
    assert rows[0].status is Status.PENDING
    renamed = new.model_copy(update={"file_id": "named-anew"})
    assert (await db_assist.create_transcription(renamed)).id == rows[0].id
    for change in ({"tg_id": other}, {"file_unique_id": "x"}, {"is_forwarded": True}, {"media_kind": MediaKind.VIDEO}):
        with pytest.raises(ConflictError):
            await db_assist.create_transcription(new.model_copy(update=change))
    retry = await db_assist.create_transcription(new.model_copy(update={"attempt": 2}))
    assert retry.id > rows[0].id


async def test_the_way_of_a_message(db_assist: DbAssistClient) -> None:
    """A message is created, answered, archived and finished.

    Each step may be repeated, and none may be changed later.
    """
    tg_id = someone()
    await db_assist.register(tg_id)
    created = await db_assist.create_transcription(message(tg_id))
    await db_assist.set_answer(created.id, 55)
    for _ in range(2):
        await db_assist.archive(created.id, audio_key="1/1_audio.ogg", sha256=sha256("audio"), size_bytes=3)
    with pytest.raises(ConflictError):
        await db_assist.archive(created.id, audio_key="1/1_audio.ogg", sha256=sha256("other"), size_bytes=3)
    result = heard("Ёлки\x00 и «палки»", duration_s=12.3456789)
    done = [await db_assist.finish(created.id, result) for _ in range(2)]
    assert done[0] == done[1]
    assert (done[0].text, done[0].duration_s, done[0].status) == ("Ёлки и «палки»", 12.3456789, Status.DONE)
    with pytest.raises(ConflictError):
        await db_assist.finish(created.id, result.model_copy(update={"text": "другое"}))
    with pytest.raises(ConflictError):
        await db_assist.fail(created.id, "audio_corrupt")
    found = await db_assist.by_message(BOT, tg_id, 55)
    assert found == await db_assist.transcription(created.id)
    assert (found.audio_size_bytes, found.score, found.reference) == (3, Score.NOT_RATED, None)
    with pytest.raises(NotFoundError):
        await db_assist.by_message(BOT, tg_id, 56)


async def test_a_failed_message_stays_failed(db_assist: DbAssistClient) -> None:
    """A retry is another attempt; a failed message has no text that can be rated."""
    tg_id = someone()
    await db_assist.register(tg_id)
    created = await db_assist.create_transcription(message(tg_id))
    failed = [await db_assist.fail(created.id, "audio_corrupt") for _ in range(2)]
    assert failed[0] == failed[1]
    assert failed[0].failure_code == "audio_corrupt"
    for attempt in (db_assist.fail(created.id, "overloaded"), db_assist.finish(created.id, heard())):
        with pytest.raises(ConflictError):
            await attempt
    with pytest.raises(ConflictError):
        await db_assist.rate(created.id, tg_id, Score.BAD)
    with pytest.raises(ConflictError):
        await db_assist.correct(created.id, tg_id, "слова")


async def test_the_same_file_is_known(db_assist: DbAssistClient) -> None:
    """Any person may have sent the file; only finished texts of the requested model are found."""
    tg_id = someone()
    await db_assist.register(tg_id)
    file = f"same-{tg_id}"
    assert await db_assist.same_file(file) is None
    await db_assist.create_transcription(message(tg_id, file=file))
    assert await db_assist.same_file(file) is None
    sent = await send(db_assist, tg_id, file=file, text="раз")
    newer = await send(db_assist, tg_id, file=file, text="два")
    model = ModelRef(name="onnx:test", version="0123456789ab")
    assert await db_assist.same_file(file) == await db_assist.same_file(file, model=model) == newer != sent
    assert newer.model_version == model.version
    for change in ({"name": "onnx:other"}, {"version": "ba9876543210"}):
        assert await db_assist.same_file(file, model=model.model_copy(update=change)) is None


async def test_usage_of_a_day(db_assist: DbAssistClient) -> None:
    """The recordings of a party count once: stored or not, before it registers, and after its data was deleted."""
    tg_id, party = someone(), sha256(f"party {someone()}")

    def record(name: str, audio_s: float) -> UsageRecord:
        return UsageRecord(recording=sha256(f"{party} {name}"), party=party, audio_s=audio_s)

    async def used() -> tuple[bool, int, float]:
        found = await db_assist.standing(party, tg_id)
        return found.user is not None, found.usage.n_messages, found.usage.audio_s

    assert await used() == (False, 0, 0.0)
    for _ in range(2):
        await db_assist.count_usage(record("unregistered", 10.5))
    assert await used() == (False, 1, 10.5)
    await db_assist.register(tg_id)
    created = await db_assist.create_transcription(message(tg_id))
    result = heard(duration_s=20).model_copy(update={"usage": record("registered", 20)})
    for _ in range(2):
        await db_assist.finish(created.id, result)
    assert await used() == (True, 2, 30.5)
    assert (await db_assist.export_user(tg_id, party=party)).usage == Usage(n_messages=2, audio_s=30.5)
    await db_assist.forget(tg_id)
    assert await used() == (False, 2, 30.5)
    assert (await db_assist.standing(sha256("nobody"))).usage.n_messages == 0


async def test_what_may_be_kept_for_a_time_only_is_deleted(database_settings: Settings) -> None:
    """Usage is deleted after a day, hashes of deleted audio after 90 days: at the next start and every hour."""
    tg_id, party = someone(), sha256("party")
    async with open_db_assist(database_settings) as client:
        await client.register(tg_id)
        sent = await send(client, tg_id)
        await client.rate(sent.id, tg_id, Score.BEST)
        await client.forget(tg_id)
        for number in range(2):
            await client.count_usage(UsageRecord(recording=sha256(f"{number}"), party=party, audio_s=1))
    opened = open_database(database_url(database_settings))
    ago = people.now() - timedelta(hours=24)
    async with opened.writing() as session:
        old = update(UsageRow).where(UsageRow.recording == sha256("0"))
        await session.execute(old.values(creation_datetime=ago))
        paid = (await session.scalars(select(PaidAudioRow))).all()
        assert {row.transcription_id for row in paid} == {None}
        paid[0].expiry_datetime = ago
    async with open_db_assist(database_settings) as client:
        async with asyncio.timeout(10):
            while await _count(opened, UsageRow) == 2:  # noqa: ASYNC110 - a count in a database
                await asyncio.sleep(0.01)
        assert (await client.standing(party)).usage.n_messages == 1
    assert (await _count(opened, UsageRow), await _count(opened, PaidAudioRow)) == (1, len(paid) - 1)
    await opened.close()


async def _count(opened: Database, table: type[UsageRow | PaidAudioRow]) -> int:
    async with opened.reading() as session:
        return len((await session.scalars(select(table))).all())


async def test_settings_of_a_chat(db_assist: DbAssistClient) -> None:
    """Groups have negative ids; the default is to answer everything."""
    chat = -1_000_000_000_000 - someone()
    assert (await db_assist.chat(BOT, chat)).answers_automatically
    for wish in (False, False, True):
        await db_assist.set_chat(BOT, chat, ChatSettings(answers_automatically=wish))
        assert (await db_assist.chat(BOT, chat)).answers_automatically is wish


async def test_a_chat_gets_another_number(db_assist: DbAssistClient) -> None:
    """The settings move to the new number, unless it has settings; if there are no settings, nothing is written."""
    was, now = -someone(), -1_000_000_000_000 - someone()
    assert (await db_assist.move_chat(BOT, was, now)).answers_automatically
    await db_assist.set_chat(BOT, was, ChatSettings(answers_automatically=False))
    assert not (await db_assist.move_chat(BOT, was, now)).answers_automatically
    await db_assist.set_chat(BOT, now, ChatSettings(answers_automatically=True))
    assert (await db_assist.move_chat(BOT, was, now)).answers_automatically


async def test_statistics(db_assist: DbAssistClient) -> None:
    """The figures of `/stats` are right."""
    tg_id = someone()
    await db_assist.register(tg_id)
    rated = await send(db_assist, tg_id, duration_s=10)
    await db_assist.rate(rated.id, tg_id, Score.NORMAL)
    await db_assist.create_transcription(message(tg_id))
    figures = await db_assist.statistics()
    assert figures.n_transcriptions == {"pending": 1, "done": 1, "failed": 0}
    assert figures.n_scores == {0: 0, 1: 0, 2: 1, 3: 0}
    assert (figures.n_users, figures.n_active_users, figures.audio_s, figures.paid_hundredths) == (1, 1, 10, 80)
