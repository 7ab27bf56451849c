"""Correct the words of a message: store the new words, the history of changes and the payment in one transaction."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.correction_bodies import Correction, CorrectionReference, CorrectionResult
from glas.db.correction_tables import CorrectionChangeRow, CorrectionRow
from glas.db.tables import TranscriptionRow, UserRow
from glas.db_assist import coins, messages, people, vocabulary
from glas.db_assist.coins import Payment
from glas.db_assist.correction_history import add_change, applied_changes, last_change, words_before
from glas.db_assist.judgements import lock_reviewed
from glas.db_assist.ratings import open_case, own_case, refusal_of, reward_of
from glas.domain.corrections import Rank, rank_of
from glas.domain.errors import ConflictError, ImplausibleCorrectionError, NotFoundError
from glas.domain.ledger import Reason, Refusal
from glas.domain.text import normalise
from glas.settings import DbAssistSettings


async def correct(
    transcription_id: int, wanted: Correction, *, settings: DbAssistSettings, session: AsyncSession
) -> CorrectionResult:
    """Store the words that were said in a message, according to the author of the message.

    Doubtful words replace the current words only if the author confirms the doubtful words. Before this confirmation,
    doubtful words are stored only in the history. If a reviewer has given the same words, the words get the rank
    `agreed`. The first correction that is not doubtful determines the payment.

    Raises:
        ImplausibleCorrectionError: the correction contains no word.
        NotFoundError: the message or the person does not exist.
        ForbiddenError: the message belongs to another person, or the person is banned.
        ConflictError: the message has no text.
    """
    reviewed = await lock_reviewed(transcription_id, wanted.tg_id, session=session)
    user, row = own_case(reviewed.user, reviewed.row)
    reference = wanted.reference.strip()
    if not normalise(reference):
        raise ImplausibleCorrectionError("expected words, got none", param="reference")
    before = _standing(row)
    last = await last_change(row.id, session=session)
    is_repeated = last is not None and (last.user_id, last.reference) == (user.id, reference)
    if last is not None and is_repeated and (last.is_applied or not wanted.is_confirmed):
        payment = await _payment_before(user, row, session=session)
        before = await words_before(last, row, session=session)
        return await _result(user, row, last, before, payment, session=session)
    rank = rank_of(
        reference,
        row.text or "",
        duration_s=row.duration_s or 0.0,
        max_chars_per_s=settings.correction_max_chars_per_s,
        sound=wanted.sound,
    )
    if same := reviewed.reviews_with(reference):
        rank = Rank.AGREED
    is_applied = rank is not Rank.DOUBTFUL or wanted.is_confirmed
    change = await add_change(row, user, reference, rank, is_applied=is_applied, sound=wanted.sound, session=session)
    payment, is_first = Payment(refusal=Refusal.DOUBTFUL), False
    if is_applied:
        payment, is_first = await _apply(user, row, change, settings=settings, session=session)
    await reviewed.agree(same, settings=settings, session=session)
    await session.flush()
    return await _result(user, row, change, before, payment, is_first=is_first, session=session)


async def take_back(transcription_id: int, wanted: CorrectionReference, *, session: AsyncSession) -> CorrectionResult:
    """Restore the words that the last change replaced; the payment for the change is not reversed.

    Raises:
        NotFoundError: there is no such message, person or change.
        ForbiddenError: the message belongs to another person, or the person is banned.
        ConflictError: the change is not the last change of the message.
    """
    user, row = await open_case(transcription_id, wanted.tg_id, session=session)
    before = _standing(row)
    applied = await applied_changes(row.id, session=session)
    payment = await _payment_before(user, row, session=session)
    if applied and applied[-1].takes_back == wanted.change_id:
        before = await words_before(applied[-1], row, session=session)
        return await _result(user, row, applied[-1], before, payment, session=session)
    if wanted.change_id not in {one.id for one in applied}:
        raise NotFoundError("expected a change of this message", param="change_id")
    if applied[-1].id != wanted.change_id:
        raise ConflictError("the words were changed again after this change", param="change_id")
    change = await _take_back(row, user, applied, refusal=None, session=session)
    return await _result(user, row, change, before, payment, session=session)


async def take_back_review(row: TranscriptionRow, reviewer: UserRow, since: datetime, *, session: AsyncSession) -> None:
    """Restore the words that the last change replaced, if `reviewer` made this change at or after `since`."""
    applied = await applied_changes(row.id, session=session)
    if not applied or applied[-1].user_id != reviewer.id or applied[-1].creation_datetime < since:
        return
    await _take_back(row, reviewer, applied, refusal=Refusal.DOUBTFUL, session=session)


def _standing(row: TranscriptionRow) -> str:
    """Return the current words of a message."""
    return row.corrected_text or row.text or ""


async def _take_back(
    row: TranscriptionRow,
    user: UserRow,
    applied: Sequence[CorrectionChangeRow],
    *,
    refusal: Refusal | None,
    session: AsyncSession,
) -> CorrectionChangeRow:
    """Restore the words that the last applied change replaced; return the new change that restores them."""
    reference, rank = (applied[-2].reference, applied[-2].rank) if len(applied) > 1 else (None, None)
    former_rank = None if rank is None else Rank(rank)
    change = await add_change(row, user, reference, former_rank, takes_back=applied[-1].id, session=session)
    await let_stand(row, reference, change.rank, refusal=refusal, session=session)
    return change


async def let_stand(
    row: TranscriptionRow, reference: str | None, rank: str | None, *, refusal: str | None, session: AsyncSession
) -> None:
    """Replace the current words, and mark the message as changed for exports.

    `refusal` is the reason why nothing is paid for the words; None if there is no such reason. After the refusal
    DOUBTFUL, the author's next correction is paid as if it were the first.
    """
    await messages.mark_changed(row, session=session)
    now = people.now()
    if row.correction is None:
        row.correction = CorrectionRow(creation_datetime=now, reward_refusal=refusal)
    elif row.correction.reward_refusal == Refusal.DOUBTFUL:
        row.correction.reward_refusal = refusal
    row.correction.reference, row.correction.rank = reference, rank
    row.correction.changed_datetime = now


async def _apply(
    user: UserRow,
    row: TranscriptionRow,
    change: CorrectionChangeRow,
    *,
    settings: DbAssistSettings,
    session: AsyncSession,
) -> tuple[Payment, bool]:
    """Replace the current words by the words of the author's change, and pay for them.

    Returns:
        The payment, and whether this call decided the payment.
    """
    is_first = row.correction is None or row.correction.reward_refusal == Refusal.DOUBTFUL
    if is_first:
        payment = await _pay(user, row, change, settings=settings, session=session)
    else:
        payment = await _payment_before(user, row, session=session)
    await let_stand(row, change.reference, change.rank, refusal=payment.refusal, session=session)
    return payment, is_first


async def _pay(
    user: UserRow,
    row: TranscriptionRow,
    change: CorrectionChangeRow,
    *,
    settings: DbAssistSettings,
    session: AsyncSession,
) -> Payment:
    """Pay for the first correction of a message, unless this correction is doubtful or changes no word."""
    if change.rank == Rank.DOUBTFUL:
        return Payment(refusal=Refusal.DOUBTFUL)
    if normalise(change.reference or "") == normalise(row.text or ""):
        return Payment(refusal=Refusal.UNCHANGED)
    amount, cap = coins.hundredths(settings.correction_reward), coins.hundredths(settings.daily_coin_cap)
    return await coins.pay(user, row, Reason.CORRECTION, amount, cap=cap, session=session)


async def _payment_before(user: UserRow, row: TranscriptionRow, *, session: AsyncSession) -> Payment:
    """Return what an earlier call decided about the payment for the correction of this message."""
    payment = await coins.paid_before(user, row, Reason.CORRECTION, session=session)
    return payment._replace(refusal=refusal_of(None if row.correction is None else row.correction.reward_refusal))


async def _result(
    user: UserRow,
    row: TranscriptionRow,
    change: CorrectionChangeRow,
    before: str,
    payment: Payment,
    *,
    is_first: bool = False,
    session: AsyncSession,
) -> CorrectionResult:
    await session.flush()
    return CorrectionResult(
        **dict(reward_of(user, row, payment, is_first=is_first)),
        change_id=change.id,
        rank=None if change.rank is None else Rank(change.rank),
        is_applied=change.is_applied,
        before=before,
        learned=await vocabulary.learned(change, session=session),
    )
