"""Messages that are too old are deleted, with a tombstone and an entry of the audit; coins stay."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import bindparam, text

from glas.clients.db_assist import DbAssistClient
from glas.db.session import database_url, open_database
from glas.db.types import UtcDateTime
from glas.db_assist.retention import delete_old
from glas.domain.audit import Action
from glas.domain.messages import Score
from glas.domain.people import Purpose
from glas.settings import Settings
from tests.parts.voices import open_db_assist, send, someone

_AGE = text("UPDATE transcriptions SET creation_datetime = :then WHERE id = :id").bindparams(
    bindparam("then", type_=UtcDateTime())
)
_DEADLINE_S = 20


async def _aged(settings: Settings, days: dict[int, int]) -> None:
    """Make messages older by a number of days."""
    database = open_database(database_url(settings))
    async with database.writing() as session:
        for number, age in days.items():
            await session.execute(_AGE, {"then": datetime.now(UTC) - timedelta(days=age), "id": number})
    await database.close()


async def _deleted(client: DbAssistClient, n_expected: int) -> set[int]:
    """Wait for tombstones; db_assist deletes by itself after its start."""
    async with asyncio.timeout(_DEADLINE_S):
        while True:
            changes = (await client.changed_since("", limit=200)).items
            gone = {change.transcription_id for change in changes if change.transcription is None}
            if len(gone) >= n_expected:
                return gone
            await asyncio.sleep(0.05)


async def _pass(settings: Settings) -> int:
    """Let db_assist search once for old messages; return how many it deleted."""
    database = open_database(database_url(settings))
    try:
        return await delete_old(database, settings.db_assist)
    finally:
        await database.close()


def _with_rules(settings: Settings, **rules: int) -> Settings:
    return settings.model_copy(update={"db_assist": settings.db_assist.model_copy(update=rules)})


async def test_old_messages_are_deleted_by_purpose(database_settings: Settings) -> None:
    """Messages of people who agree to training have a separate limit; a withdrawn consent does not count."""
    agrees, refuses, silent = someone(), someone(), someone()
    ages = {agrees: (400, 100, 1), refuses: (400, 100, 1), silent: (31, 29)}
    sent: dict[int, dict[int, int]] = {}
    async with open_db_assist(database_settings) as client:
        for person in (agrees, refuses, silent):
            await client.register(person)
        for person, answers in ((agrees, (True,)), (refuses, (True, False))):
            for answer in answers:
                await client.set_consent(person, Purpose.TRAINING, granted=answer, text_version="1")
        for person, days in ages.items():
            sent[person] = {age: (await send(client, person)).id for age in days}
        await client.rate(sent[refuses][100], refuses, Score.BEST)
        earned = (await client.user(refuses)).cash_hundredths
    await _aged(database_settings, {number: age for messages in sent.values() for age, number in messages.items()})
    assert await _pass(database_settings) == 0  # off by default
    told = _with_rules(database_settings, retention_days=30, training_retention_days=365)
    expected = {sent[agrees][400], sent[refuses][400], sent[refuses][100], sent[silent][31]}
    async with open_db_assist(told) as client:
        assert await _deleted(client, len(expected)) == expected
        entries = (await client.audit()).items
        assert {(one.action, one.actor_id, one.subject_tg_id) for one in entries} == {
            (Action.RETENTION, None, person) for person in (agrees, refuses, silent)
        }
        counted = {one.subject_tg_id: one.before for one in entries}
        assert counted[refuses] == {"n_messages": 2}
        assert (await client.user(refuses)).cash_hundredths == earned > 0
        assert (await client.check_ledger()).is_balanced
        own = await client.export_user(refuses)
        assert [one.action for one in own.audit] == [Action.RETENTION]
    assert await _pass(told) == 0


@pytest.mark.parametrize("rules", [{"retention_days": 30}, {"training_retention_days": 30}])
async def test_each_limit_stands_alone(database_settings: Settings, rules: dict[str, int]) -> None:
    """A limit of 0 means never, for any value of the other limit."""
    agrees, silent = someone(), someone()
    async with open_db_assist(database_settings) as client:
        for person in (agrees, silent):
            await client.register(person)
        await client.set_consent(agrees, Purpose.TRAINING, granted=True, text_version="1")
        sent = {person: (await send(client, person)).id for person in (agrees, silent)}
    await _aged(database_settings, dict.fromkeys(sent.values(), 1000))
    async with open_db_assist(_with_rules(database_settings, **rules)) as client:
        assert await _deleted(client, 1) == {sent[silent if "retention_days" in rules else agrees]}
