"""The audit of administrators' actions, which nobody can change; the queries of the pages."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from glas.clients.db_assist import DbAssistClient
from glas.db.session import database_url, open_database
from glas.db_assist import bans
from glas.domain.audit import Action
from glas.domain.errors import ForbiddenError, NotFoundError
from glas.domain.messages import Score
from glas.domain.people import Purpose, Role
from glas.settings import Settings
from tests.parts.voices import send, someone


async def _administrator(client: DbAssistClient) -> int:
    admin = someone()
    await client.register(admin)
    await client.set_role(admin, Role.ADMIN)
    return admin


async def test_actions_are_written_down_once(db_assist: DbAssistClient) -> None:
    """Entries have values before and after. Actions of people on their own data, and repetitions, are not recorded."""
    admin, anna = await _administrator(db_assist), someone()
    await db_assist.register(anna)
    kept, deleted = await send(db_assist, anna), await send(db_assist, anna)
    await db_assist.rate(kept.id, anna, Score.BEST)
    for _ in range(2):
        await db_assist.set_role(anna, Role.UNLIMITED, by=admin)
        await db_assist.set_reviewer(anna, is_reviewer=True, by=admin)
        await db_assist.read_message(kept.id, anna, by=admin)
        await db_assist.delete_message(deleted.id, anna, by=admin)
        await db_assist.grant(admin, anna, 500, reason="gift", key="once")
    for _ in range(2):
        await db_assist.ban(anna, by=admin)
    assert [(one.action, one.before, one.after) for one in (await db_assist.audit(tg_id=anna)).items[::-1]] == [
        (Action.ROLE, {"role": 0}, {"role": 2}),
        (Action.REVIEWER, {"is_reviewer": False}, {"is_reviewer": True}),
        (Action.READ_MESSAGE, None, None),
        (Action.DELETE_MESSAGE, None, None),
        (Action.GRANT, {"cash_hundredths": 80}, {"cash_hundredths": 580}),
        (Action.BAN, {"is_banned": False}, {"is_banned": True}),
    ]
    data = await db_assist.export_user(anna)
    assert data.audit[0].action is Action.ROLE
    assert {one.actor_tg_id for one in data.audit} == {None}
    await db_assist.unban(anna, by=admin)
    await db_assist.forget(anna, by=admin)
    last = (await db_assist.audit(limit=1)).items[0]
    assert (last.action, last.before, last.subject_tg_id, last.actor_tg_id) == (
        Action.FORGET,
        {"n_messages": 1},
        None,
        admin,
    )


async def test_a_ban_has_a_reason_and_an_end(db_assist: DbAssistClient, database_settings: Settings) -> None:
    """The person finds both among their data; the reason is not in the audit, and goes with their data."""
    admin, anna, boris = await _administrator(db_assist), someone(), someone()
    for person in (anna, boris):
        await db_assist.register(person)
    now = datetime.now(UTC)
    await db_assist.ban(anna, by=admin, reason="music all day", until=now + timedelta(days=7))
    await db_assist.ban(boris, by=admin, reason="shouts", until=now + timedelta(days=1))
    found = (await db_assist.export_user(anna)).user
    assert (found.is_banned, found.ban_reason, found.ban_until) == (True, "music all day", now + timedelta(days=7))
    (entry,) = (await db_assist.audit(tg_id=anna)).items
    assert entry.after == {"is_banned": True, "until": f"{now + timedelta(days=7):%Y-%m-%d %H:%M}"}
    await db_assist.ban(boris, by=admin, reason="shouts", until=now - timedelta(seconds=1))
    database = open_database(database_url(database_settings))
    try:
        await bans.lift_ended(database)
    finally:
        await database.close()
    lifted = await db_assist.user(boris)
    assert (lifted.is_banned, lifted.ban_reason, lifted.ban_until) == (False, None, None)
    assert (await db_assist.user(anna)).is_banned
    await db_assist.forget(anna, by=admin)
    kept = await db_assist.user(anna)
    assert (kept.is_banned, kept.ban_reason) == (True, None), "the ban stays, and nothing about the person"


async def test_only_administrators_act(db_assist: DbAssistClient) -> None:
    """Actions of all other people have no effect."""
    anna, boris = someone(), someone()
    for person in (anna, boris):
        await db_assist.register(person)
    sent = await send(db_assist, anna)
    for refused in (
        db_assist.ban(anna, by=boris),
        db_assist.set_role(anna, Role.ADMIN, by=someone()),
        db_assist.set_reviewer(anna, is_reviewer=True, by=anna),
        db_assist.forget(anna, by=boris),
        db_assist.delete_message(sent.id, anna, by=boris),
        db_assist.read_message(sent.id, anna, by=boris),
    ):
        with pytest.raises(ForbiddenError):
            await refused
    found = await db_assist.user(anna)
    assert (found.is_banned, found.role, found.is_reviewer) == (False, Role.USER, False)
    assert (await db_assist.transcription(sent.id)).id == sent.id
    assert (await db_assist.audit()).items == ()


async def test_the_audit_cannot_be_changed(db_assist: DbAssistClient, owner_settings: Settings) -> None:
    """The database refuses changes, even by the owner."""
    admin, anna = await _administrator(db_assist), someone()
    await db_assist.register(anna)
    await db_assist.ban(anna, by=admin)
    before = (await db_assist.audit()).items
    database = open_database(database_url(owner_settings))
    for change in ("UPDATE audit SET action = 'role'", "DELETE FROM audit"):
        with pytest.raises(DBAPIError, match="never changed"):
            async with database.writing() as session:
                await session.execute(text(change))
    await database.close()
    assert (await db_assist.audit()).items == before
    assert len(before) == 1


async def test_one_message_is_deleted(db_assist: DbAssistClient) -> None:
    """A tombstone is written; only the author may delete; payments stay; audio of other people can still be paid."""
    anna, boris = someone(), someone()
    for person in (anna, boris):
        await db_assist.register(person)
    kept, deleted = await send(db_assist, anna), await send(db_assist, anna, file="same", samples="same")
    for one in (kept, deleted):
        await db_assist.rate(one.id, anna, Score.BAD)
    with pytest.raises(ForbiddenError):
        await db_assist.delete_message(deleted.id, boris)
    with pytest.raises(NotFoundError):
        await db_assist.delete_message(10**9, anna)
    gone = await db_assist.delete_message(deleted.id, anna)
    assert gone.transcription_ids == (deleted.id,)
    assert (await db_assist.delete_message(deleted.id, anna)).transcription_ids == (deleted.id,)
    with pytest.raises(NotFoundError):
        await db_assist.transcription(deleted.id)
    changes = (await db_assist.changed_since()).items
    assert [(one.transcription_id, one.transcription is None) for one in changes] == [
        (kept.id, False),
        (deleted.id, True),
    ]
    assert (await db_assist.user(anna)).cash_hundredths == 160
    again = await send(db_assist, anna, file="same", samples="same")
    assert (await db_assist.rate(again.id, anna, Score.BEST)).paid_hundredths == 0


async def test_what_is_held_is_read_in_pages(db_assist: DbAssistClient) -> None:
    anna = someone()
    await db_assist.register(anna)
    await db_assist.set_consent(anna, Purpose.TRAINING, granted=True, text_version="1")
    sent = [await send(db_assist, anna, duration_s=30) for _ in range(3)]
    for one in sent:
        await db_assist.rate(one.id, anna, Score.NORMAL)
    held = await db_assist.holding(anna)
    assert (held.n_messages, held.audio_s, held.n_messages_day, held.earned_day_hundredths) == (3, 90, 3, 720)
    assert [one.granted for one in held.consents] == [True]
    first = await db_assist.messages_of(anna, limit=2)
    assert [one.id for one in first.items] == [sent[2].id, sent[1].id]
    rest = await db_assist.messages_of(anna, before=int(first.next_cursor), limit=2)
    assert ([one.id for one in rest.items], first.has_more, rest.has_more) == ([sent[0].id], True, False)
    ledger = await db_assist.ledger_of(anna, limit=2)
    assert [one.transcription_id for one in ledger.items] == [sent[2].id, sent[1].id]
    assert [one.amount_hundredths for one in await db_assist.paid_for(sent[0].id)] == [240]
    for number in (anna, held.user.id, sent[0].id):
        assert anna in [one.user.tg_id for one in (await db_assist.people(number)).items]
    newest = (await db_assist.people(limit=1)).items[0]
    assert (newest.user.tg_id, newest.n_messages, newest.last_datetime) == (anna, 3, held.last_datetime)


async def test_the_bot_is_told_whose_work_to_forget(db_assist: DbAssistClient) -> None:
    anna = someone()
    await db_assist.register(anna)
    assert (await db_assist.work_to_forget()).people == ()
    await db_assist.forget(anna)
    assert (await db_assist.work_to_forget()).people == (anna,)
    for _ in range(2):
        await db_assist.work_forgotten(anna)
    assert (await db_assist.work_to_forget()).people == ()
