"""Decide about payments and write them into the ledger; only this module writes ledger entries.

Before a function that pays is called, the caller must lock the row of the person who is paid.
"""

import hashlib
from datetime import timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.db_assist_bodies import Grant
from glas.db.session import insert
from glas.db.tables import PaidAudioRow, TransactionRow, TranscriptionRow, UserRow
from glas.db_assist import audit, people
from glas.domain.audit import Action
from glas.domain.errors import ConflictError, ForbiddenError, InvalidParameterError
from glas.domain.ledger import Reason, Refusal
from glas.domain.people import Role
from glas.domain.rewards import role_for
from glas.domain.text import normalise

PAID_KEPT: Final = timedelta(days=90)
"""How long, after a paid message was deleted, no other message with the same sound is paid."""


class Payment(NamedTuple):
    """The payment for a rating, a correction or a review, or the reason why nothing is paid."""

    paid_hundredths: int = 0
    became_beta_tester: bool = False
    refusal: Refusal | None = None


def hundredths(coins: Decimal) -> int:
    """Convert an amount to whole hundredths of a coin."""
    return int(coins * 100)


async def pay(
    user: UserRow, row: TranscriptionRow, reason: Reason, amount_hundredths: int, *, cap: int, session: AsyncSession
) -> Payment:
    """Pay once for a message, or return the reason why nothing is paid.

    Args:
        user: the row of the person who is paid (the speaker or a reviewer); it must be locked.
        row: the row of the message; it must be locked.
        reason: why the person is paid: RATING, CORRECTION or REVIEW.
        amount_hundredths: hundredths of a coin to be paid, before the cap is applied.
        cap: largest number of hundredths that a person may earn in 24 hours; a payment that would exceed it is reduced.
        session: the caller's database transaction, in which the rating, correction or review is written, too.
    """
    if row.is_forwarded:
        return Payment(refusal=Refusal.FORWARDED)
    if not normalise(row.text or ""):
        return Payment(refusal=Refusal.NO_SPEECH)
    if amount_hundredths <= 0:
        return Payment(refusal=Refusal.NOTHING_EARNED)
    left = cap - await _earned_today(user.id, session=session)
    if left <= 0:
        return Payment(refusal=Refusal.DAILY_CAP)
    if not await _claim_audio(user, row, reason, session=session):
        return Payment(refusal=Refusal.SAME_AUDIO)
    entry = TransactionRow(
        user_id=user.id,
        amount_hundredths=min(amount_hundredths, left),
        reason=reason.value,
        transcription_id=row.id,
        date_of_transaction=people.now(),
    )
    await _book(user, entry, session=session)
    return Payment(entry.amount_hundredths, entry.role_earned is not None)


async def paid_before(user: UserRow, row: TranscriptionRow, reason: Reason, *, session: AsyncSession) -> Payment:
    """Return the earlier payment to a person for a message and a reason; a payment of 0 coins if nothing was paid."""
    query = select(TransactionRow).where(
        TransactionRow.transcription_id == row.id,
        TransactionRow.reason == reason.value,
        TransactionRow.user_id == user.id,
    )
    entry = (await session.scalars(query)).one_or_none()
    return Payment() if entry is None else Payment(entry.amount_hundredths, entry.role_earned is not None)


async def grant(tg_id: int, wanted: Grant, *, session: AsyncSession) -> None:
    """Write an administrator's grant into the ledger; a grant with the key of an earlier grant is not written again.

    Raises:
        NotFoundError: the administrator, or the person who gets the coins, is not registered.
        ForbiddenError: the person who gives the coins is not an administrator.
        ConflictError: another grant has the same key, or the amount to be taken away is larger than the balance.
        InvalidParameterError: the amount is zero.
    """
    if wanted.amount_hundredths == 0:
        raise InvalidParameterError("expected an amount other than 0", param="amount_hundredths")
    user = await people.lock(tg_id, session=session)
    admin = await people.sender(wanted.admin_tg_id, session=session)
    if admin.role != Role.ADMIN:
        raise ForbiddenError("only an administrator may grant coins")
    query = select(TransactionRow).where(TransactionRow.idempotency_key == wanted.key)
    before = (await session.scalars(query)).one_or_none()
    if before is not None:
        same = (before.user_id, before.amount_hundredths, before.granted_by) == (
            user.id,
            wanted.amount_hundredths,
            admin.id,
        )
        if not same:
            raise ConflictError("this key was used for another grant", param="key")
        return
    if user.cash_hundredths + wanted.amount_hundredths < 0:
        raise ConflictError(
            f"expected to take back at most {user.cash_hundredths} hundredths of a coin", param="amount_hundredths"
        )
    entry = TransactionRow(
        user_id=user.id,
        amount_hundredths=wanted.amount_hundredths,
        reason=Reason.GRANT.value,
        granted_by=admin.id,
        idempotency_key=wanted.key,
        note=wanted.note,
        date_of_transaction=people.now(),
    )
    had = {"cash_hundredths": user.cash_hundredths}
    await _book(user, entry, session=session)
    has = {"cash_hundredths": user.cash_hundredths}
    await audit.write(admin.tg_id, Action.GRANT, subject=user, before=had, after=has, session=session)


async def _earned_today(user_id: int, *, session: AsyncSession) -> int:
    query = select(func.coalesce(func.sum(TransactionRow.amount_hundredths), 0)).where(
        TransactionRow.user_id == user_id,
        TransactionRow.reason != Reason.GRANT.value,
        TransactionRow.date_of_transaction > people.now() - people.DAY,
    )
    # PostgreSQL sums BIGINT as NUMERIC.
    return int((await session.scalars(query)).one())


async def _claim_audio(user: UserRow, row: TranscriptionRow, reason: Reason, *, session: AsyncSession) -> bool:
    """Store hashes of a message's sound as paid; return False if another message with the same sound is paid already.

    Several reviewers can be paid for the same message, but each of them only once for the same sound.

    All transactions insert the hashes in the same order, so there is no deadlock. If two transactions insert a hash of
    the same sound, the second transaction waits until the first one ends. If the first transaction commits, the second
    pays nothing.
    """
    whose = f"reviewer:{user.id}:" if reason is Reason.REVIEW else ""
    names = [f"{whose}file:{row.file_unique_id}"] + ([f"{whose}samples:{row.fingerprint}"] if row.fingerprint else [])
    hashes = [hashlib.sha256(name.encode()).hexdigest() for name in names]
    values = [{"reason": reason.value, "audio": audio, "transcription_id": row.id} for audio in hashes]
    claim = insert(session, PaidAudioRow).values(values).on_conflict_do_nothing().returning(PaidAudioRow.audio)
    return len((await session.scalars(claim)).all()) == len(names)


async def let_expire(messages: ColumnElement[bool], *, session: AsyncSession) -> None:
    """Set the time at which the hashes of paid audio expire, for messages that the caller's transaction deletes."""
    expiry = people.now() + PAID_KEPT
    mine = select(TranscriptionRow.id).where(messages)
    paid = PaidAudioRow.transcription_id.in_(mine)
    await session.execute(update(PaidAudioRow).where(paid).values(expiry_datetime=expiry))


async def _book(user: UserRow, entry: TransactionRow, *, session: AsyncSession) -> None:
    """Write a ledger entry, and change the cash and, if necessary, the role of the person."""
    user.cash_hundredths += entry.amount_hundredths
    role = role_for(user.cash_hundredths, Role(user.role))
    if role != user.role:
        user.role = role.value
        entry.role_earned = role.value
    session.add(entry)
    await session.flush()
