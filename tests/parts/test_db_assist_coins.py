"""db_assist: what is paid, and that it is paid once; with SQLite and PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from glas.clients.db_assist import DbAssistClient
from glas.domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidParameterError,
    NotFoundError,
)
from glas.domain.ledger import Reason, Refusal
from glas.domain.messages import Score
from glas.domain.people import Role
from glas.settings import Settings
from tests.parts.voices import open_db_assist, send, someone

CORRECTED = "Привет, это проверка голосового сообщенья!"


async def _person(client: DbAssistClient, role: Role = Role.USER) -> int:
    tg_id = someone()
    await client.register(tg_id)
    await client.set_role(tg_id, role)
    return tg_id


async def test_a_rating_pays_once(db_assist: DbAssistClient) -> None:
    """The score may change, but the payment does not; a repeated press gets the same answer."""
    tg_id = await _person(db_assist)
    sent = await send(db_assist, tg_id, duration_s=25)
    first = await db_assist.rate(sent.id, tg_id, Score.BEST)
    assert (first.paid_hundredths, first.balance_hundredths, first.is_first) == (300, 300, True)
    assert (first.transcription.score, first.refusal_reason) == (Score.BEST, None)
    for score in (Score.BEST, Score.BAD, Score.NORMAL):
        again = await db_assist.rate(sent.id, tg_id, score)
        assert (again.paid_hundredths, again.balance_hundredths, again.is_first) == (300, 300, False)
        assert (await db_assist.transcription(sent.id)).score is score
    (entry,) = await db_assist.transactions(tg_id)
    assert (entry.amount_hundredths, entry.reason, entry.transcription_id) == (300, Reason.RATING, sent.id)


async def test_a_hundred_presses_at_once_pay_once(db_assist: DbAssistClient) -> None:
    """Such presses come from a slow network, or from a person who tries to get more coins."""
    tg_id = await _person(db_assist)
    sent = await send(db_assist, tg_id)
    scores = [Score.BAD, Score.NORMAL, Score.BEST]
    results = await asyncio.gather(*(db_assist.rate(sent.id, tg_id, scores[n % 3]) for n in range(100)))
    assert sum(result.is_first for result in results) == 1
    assert {result.paid_hundredths for result in results} == {80}
    assert (await db_assist.user(tg_id)).cash_hundredths == 80
    assert len(await db_assist.transactions(tg_id)) == 1
    assert (await db_assist.check_ledger()).is_balanced


async def test_ratings_of_many_messages_at_once_add_up(db_assist: DbAssistClient) -> None:
    """Simultaneous payments to one person are all counted."""
    tg_id = await _person(db_assist)
    sent = [await send(db_assist, tg_id) for _ in range(20)]
    await asyncio.gather(*(db_assist.rate(one.id, tg_id, Score.BEST) for one in sent))
    assert (await db_assist.user(tg_id)).cash_hundredths == 20 * 80


async def test_only_the_owner_rates_and_corrects(db_assist: DbAssistClient) -> None:
    """Other people cannot rate or correct a message."""
    owner, stranger = await _person(db_assist), await _person(db_assist)
    sent = await send(db_assist, owner)
    with pytest.raises(ForbiddenError):
        await db_assist.rate(sent.id, stranger, Score.BEST)
    with pytest.raises(ForbiddenError):
        await db_assist.correct(sent.id, stranger, CORRECTED)
    with pytest.raises(NotFoundError):
        await db_assist.rate(sent.id, someone(), Score.BEST)
    with pytest.raises(InvalidParameterError):
        await db_assist.rate(sent.id, owner, Score.NOT_RATED)
    assert (await db_assist.transcription(sent.id)).score is Score.NOT_RATED


async def test_what_is_not_paid(db_assist: DbAssistClient) -> None:
    """The score is stored and the reason is returned, also after repetitions; a later rating is not paid either."""
    tg_id = await _person(db_assist)
    cases = {
        Refusal.FORWARDED: await send(db_assist, tg_id, forwarded=True),
        Refusal.NO_SPEECH: await send(db_assist, tg_id, text=" … "),
        Refusal.NOTHING_EARNED: await send(db_assist, tg_id, duration_s=0.01),
    }
    for reason, sent in cases.items():
        for score in (Score.BEST, Score.BAD):
            result = await db_assist.rate(sent.id, tg_id, score)
            assert (result.refusal_reason, result.paid_hundredths) == (reason, 0)
            assert result.transcription.score is score
    assert (await db_assist.user(tg_id)).cash_hundredths == 0


@pytest.mark.parametrize("same", ["file", "samples"])
async def test_the_same_audio_pays_nobody_twice(db_assist: DbAssistClient, same: str) -> None:
    """Neither the sender nor another person is paid again, by Telegram's name of the file or by the samples."""
    people = [await _person(db_assist) for _ in range(4)]
    name = {same: f"audio-of-{people[0]}"}
    sent = [(await send(db_assist, tg_id, **name), tg_id) for tg_id in (*people, people[0])]  # type: ignore[arg-type]
    results = await asyncio.gather(*(db_assist.rate(one.id, tg_id, Score.BEST) for one, tg_id in sent))
    assert sorted(result.paid_hundredths for result in results) == [0, 0, 0, 0, 80]
    assert [result.refusal_reason for result in results].count(Refusal.SAME_AUDIO) == 4


@pytest.mark.parametrize("same", ["file", "samples"])
async def test_forgetting_lets_no_audio_pay_again(db_assist: DbAssistClient, same: str) -> None:
    """Neither the person who registers again nor another person is paid."""
    anna, boris = await _person(db_assist), await _person(db_assist)
    name = {same: f"audio-of-{anna}"}
    first = await send(db_assist, anna, **name)  # type: ignore[arg-type]
    assert (await db_assist.rate(first.id, anna, Score.BEST)).paid_hundredths == 80
    await db_assist.forget(anna)
    await db_assist.register(anna)
    for person in (anna, boris):
        again = await send(db_assist, person, **name)  # type: ignore[arg-type]
        assert (await db_assist.rate(again.id, person, Score.BEST)).refusal_reason is Refusal.SAME_AUDIO


async def test_a_day_has_a_cap(database_settings: Settings) -> None:
    """At the daily cap one payment is reduced and the next is refused, also in parallel; a grant does not count."""
    rules = database_settings.db_assist.model_copy(update={"daily_coin_cap": Decimal("2.50")})
    async with open_db_assist(database_settings.model_copy(update={"db_assist": rules})) as client:
        tg_id, admin = await _person(client), await _person(client, Role.ADMIN)
        await client.grant(admin, tg_id, 10_00, reason="подарок", key="cap")
        sent = [await send(client, tg_id, duration_s=20) for _ in range(3)]
        results = await asyncio.gather(*(client.rate(one.id, tg_id, Score.BEST) for one in sent))
        assert sorted(result.paid_hundredths for result in results) == [0, 90, 160]
        assert [result.refusal_reason for result in results if not result.paid_hundredths] == [Refusal.DAILY_CAP]
        assert (await client.user(tg_id)).cash_hundredths == 12_50


async def test_960_coins_make_a_beta_tester(db_assist: DbAssistClient) -> None:
    """The new role is returned by the payment that earned it, also if it is repeated; a higher role is not lowered."""
    admin = await _person(db_assist, Role.ADMIN)
    tg_id = await _person(db_assist)
    await db_assist.grant(admin, tg_id, 959_50, reason="почти", key=f"almost-{tg_id}")
    first, second = [await send(db_assist, tg_id) for _ in range(2)]
    crossing = [await db_assist.rate(first.id, tg_id, Score.BEST) for _ in range(2)]
    assert [one.became_beta_tester for one in crossing] == [True, True]
    assert not (await db_assist.rate(second.id, tg_id, Score.BEST)).became_beta_tester
    assert (await db_assist.user(tg_id)).role is Role.BETA_TESTER
    await db_assist.grant(admin, admin, 2000_00, reason="себе", key=f"self-{admin}")
    assert (await db_assist.user(admin)).role is Role.ADMIN


async def test_grants_are_entered_once_by_administrators(db_assist: DbAssistClient) -> None:
    """A grant with a key is made once, only by administrators, and no balance becomes negative."""
    admin, tg_id, user = await _person(db_assist, Role.ADMIN), await _person(db_assist), await _person(db_assist)
    key = f"grant-{tg_id}"
    granted = await asyncio.gather(
        *(db_assist.grant(admin, tg_id, 500, reason="за помощь", key=key) for _ in range(10))
    )
    assert {one.cash_hundredths for one in granted} == {500}
    for wrong in (
        db_assist.grant(admin, tg_id, 501, reason="-", key=key),
        db_assist.grant(admin, user, 500, reason="-", key=key),
    ):
        with pytest.raises(ConflictError):
            await wrong
    with pytest.raises(ForbiddenError):
        await db_assist.grant(user, user, 1000, reason="себе", key="mine")
    with pytest.raises(ConflictError):
        await db_assist.grant(admin, tg_id, -501, reason="-", key="too much")
    with pytest.raises(InvalidParameterError):
        await db_assist.grant(admin, tg_id, 0, reason="-", key="nothing")
    assert (await db_assist.grant(admin, tg_id, -500, reason="ошибка", key="back")).cash_hundredths == 0
    assert [entry.note for entry in await db_assist.transactions(tg_id)] == ["за помощь", "ошибка"]


async def test_the_ledger_has_dates(db_assist: DbAssistClient) -> None:
    """The end of a range is not included; a time without a time zone is refused."""
    admin, tg_id = await _person(db_assist, Role.ADMIN), await _person(db_assist)
    for number in range(3):
        await db_assist.grant(admin, tg_id, 1, reason=str(number), key=f"{tg_id}-{number}")
    entries = await db_assist.transactions(tg_id)
    middle = entries[1].date_of_transaction.astimezone(timezone(timedelta(hours=3)))
    assert await db_assist.transactions(tg_id, since=middle) == entries[1:]
    assert await db_assist.transactions(tg_id, until=middle) == entries[:1]
    assert await db_assist.transactions(tg_id, since=datetime.now(UTC)) == ()
    with pytest.raises(InvalidParameterError):
        await db_assist.transactions(tg_id, since=datetime(2026, 1, 1))  # noqa: DTZ001
