"""For any sequence of actions, a balance is the sum of its ledger entries."""

import asyncio
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text

from glas.clients.db_assist import DbAssistClient
from glas.db.session import database_url, open_database
from glas.domain.errors import ConflictError
from glas.domain.ledger import Reason
from glas.domain.messages import Score, Transcription
from glas.domain.people import Role
from glas.settings import Settings
from tests.parts.voices import HEARD, open_db_assist, send, someone

CAP_HUNDREDTHS = 5_00
Action: TypeAlias = tuple[str, int, int]

_rating = st.tuples(st.just("rate"), st.integers(0, 3), st.integers(1, 3))
_correction = st.tuples(st.just("correct"), st.integers(0, 3), st.integers(0, 2))
_grant = st.tuples(st.just("grant"), st.integers(0, 2), st.integers(-300, 500).filter(bool))
_actions = st.lists(st.one_of(_rating, _correction, _grant), max_size=12)


async def _act(client: DbAssistClient, tg_id: int, admin: int, sent: list[Transcription], action: Action) -> None:
    kind, which, value = action
    if kind == "rate":
        await client.rate(sent[which].id, tg_id, Score(value))
    elif kind == "correct":
        await client.correct(sent[which].id, tg_id, [HEARD, HEARD + " раз", HEARD + " два"][value])
    else:
        try:
            await client.grant(admin, tg_id, value, reason="-", key=f"{tg_id}-{which}")
        except ConflictError:
            return  # the key was used for another amount, or there is too little to take


async def _play(client: DbAssistClient, actions: list[Action]) -> None:
    tg_id, admin = someone(), someone()
    await client.register(tg_id)
    await client.register(admin)
    await client.set_role(admin, Role.ADMIN)
    sent = [await send(client, tg_id, duration_s=duration_s) for duration_s in (8, 25, 31)]
    sent.append(await send(client, tg_id, duration_s=25, file=sent[1].file_unique_id))
    for action in actions:
        await _act(client, tg_id, admin, sent, action)
    user, entries = await client.user(tg_id), await client.transactions(tg_id)
    assert user.cash_hundredths == sum(entry.amount_hundredths for entry in entries)
    earned = [entry for entry in entries if entry.reason is not Reason.GRANT]
    assert sum(entry.amount_hundredths for entry in earned) <= CAP_HUNDREDTHS
    assert len({(entry.reason, entry.transcription_id) for entry in earned}) == len(earned)
    assert (await client.check_ledger()).is_balanced


@pytest.fixture
def play(settings: Settings) -> Iterator[Callable[[list[Action]], None]]:
    """Run actions of a new person, in a service that stays open for all examples."""
    rules = settings.db_assist.model_copy(update={"daily_coin_cap": Decimal(CAP_HUNDREDTHS) / 100})
    opened = open_db_assist(settings.model_copy(update={"db_assist": rules}))
    with asyncio.Runner() as runner:
        client = runner.run(opened.__aenter__())
        yield lambda actions: runner.run(_play(client, actions))
        runner.run(opened.__aexit__(None, None, None))


@pytest.mark.slow
@given(actions=_actions)
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_cash_is_the_sum_of_the_ledger(play: Callable[[list[Action]], None], actions: list[Action]) -> None:
    """This is true for any sequence of ratings, corrections and grants, including repetitions."""
    play(actions)


async def test_a_wrong_balance_is_found(database_settings: Settings) -> None:
    """The check must be able to fail."""
    async with open_db_assist(database_settings) as client:
        user = await client.register(someone())
        database = open_database(database_url(database_settings))
        async with database.writing() as session:
            await session.execute(text("UPDATE users SET cash_hundredths = 7"))
        await database.close()
        check = await client.check_ledger()
        metrics = (await client._http.get("/metrics")).text
    assert "glas_ledger_wrong_balances 1.0" in metrics
    assert not check.is_balanced
    (found,) = check.discrepancies
    assert (found.user_id, found.cash_hundredths, found.ledger_hundredths) == (user.id, 7, 0)
