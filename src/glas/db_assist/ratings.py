"""Rate a message: store the score, the payment and the person's role in one transaction."""

from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.db_assist_bodies import Rating, Reward
from glas.db.tables import TranscriptionRow, UserRow
from glas.db_assist import coins, messages, people
from glas.db_assist.coins import Payment
from glas.domain.errors import ConflictError, ForbiddenError
from glas.domain.ledger import Reason, Refusal
from glas.domain.messages import Score, Status
from glas.domain.rewards import reward_hundredths
from glas.settings import DbAssistSettings


class Case(NamedTuple):
    """The rows of the person and of the message that a request names; both rows are locked."""

    user: UserRow
    row: TranscriptionRow


async def rate(transcription_id: int, rating: Rating, *, settings: DbAssistSettings, session: AsyncSession) -> Reward:
    """Store a person's score for a message. Only the first score of a message is paid; a later score replaces it.

    Raises:
        NotFoundError: there is no such message or person.
        ForbiddenError: the message belongs to another person, or the person is banned.
        ConflictError: the message has no text.
    """
    user, row = await open_case(transcription_id, rating.tg_id, session=session)
    is_first = row.score == Score.NOT_RATED
    if is_first:
        earned = reward_hundredths(row.duration_s or 0.0)
        cap = coins.hundredths(settings.daily_coin_cap)
        payment = await coins.pay(user, row, Reason.RATING, earned, cap=cap, session=session)
        row.reward_refusal = payment.refusal
    else:
        payment = await coins.paid_before(user, row, Reason.RATING, session=session)
        payment = payment._replace(refusal=refusal_of(row.reward_refusal))
    if row.score != rating.score:
        await messages.mark_changed(row, session=session)
        row.score = rating.score.value
    return reward_of(user, row, payment, is_first=is_first)


def reward_of(user: UserRow, row: TranscriptionRow, payment: Payment, *, is_first: bool) -> Reward:
    """Return the result of a rating: the present values of the message, and the payment."""
    return Reward(
        transcription=messages.as_transcription(row),
        paid_hundredths=payment.paid_hundredths,
        balance_hundredths=user.cash_hundredths,
        became_beta_tester=payment.became_beta_tester,
        refusal_reason=payment.refusal,
        is_first=is_first,
    )


async def open_case(transcription_id: int, tg_id: int, *, session: AsyncSession) -> Case:
    """Lock the row of the person, then the row of the message; the order is always the same, to avoid deadlocks."""
    user = await people.lock(tg_id, session=session)
    return own_case(user, await messages.lock(transcription_id, session=session))


def own_case(user: UserRow, row: TranscriptionRow) -> Case:
    """Return the given rows if the message belongs to the person and has a text.

    The caller must have locked both rows.

    Raises:
        ForbiddenError: the message belongs to another person.
        ConflictError: the message has no text.
    """
    if row.user_id != user.id:
        raise ForbiddenError("only the person who sent a message may rate or correct it")
    if row.status != Status.DONE:
        raise ConflictError(f"expected a message with a text, got one that is {row.status}")
    return Case(user, row)


def refusal_of(code: str | None) -> Refusal | None:
    """Return the reason why a payment was refused, from its code in a row; None if the row has no code."""
    return None if code is None else Refusal(code)
