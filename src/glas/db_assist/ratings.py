"""Rating and correcting: the score or the words, the payment and the role, all in one transaction."""

from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.db_assist_bodies import Correction, CorrectionResult, Rating, RatingResult
from glas.db.tables import CorrectionRow, TranscriptionRow, UserRow
from glas.db_assist import coins, messages, people
from glas.db_assist.coins import Payment
from glas.domain.errors import ConflictError, ForbiddenError, ImplausibleCorrectionError
from glas.domain.ledger import Reason, Refusal
from glas.domain.messages import Score, Status
from glas.domain.metrics import error_rates
from glas.domain.rewards import reward_hundredths
from glas.domain.text import normalise
from glas.settings import DbAssistSettings

# In three or four words everything may be misheard; two texts as short as this cannot be judged.
_TOO_SHORT_TO_JUDGE_CHARS = 24


class _Case(NamedTuple):
    """Who speaks of which message; both rows are locked."""

    user: UserRow
    row: TranscriptionRow


async def rate(
    transcription_id: int, rating: Rating, *, settings: DbAssistSettings, session: AsyncSession
) -> RatingResult:
    """Record a score. The first one decides the payment; later ones change the score only.

    Raises:
        NotFoundError: no such message or person.
        ForbiddenError: another person's message, or a banned person.
        ConflictError: there is no text yet.
    """
    user, row = await _open(transcription_id, rating.tg_id, session=session)
    is_first = row.score == Score.NOT_RATED
    if is_first:
        earned = reward_hundredths(row.duration_s or 0.0)
        cap = coins.hundredths(settings.daily_coin_cap)
        payment = await coins.pay(user, row, Reason.RATING, earned, cap=cap, session=session)
        row.reward_refusal = payment.refusal
    else:
        payment = await coins.paid_before(user, row, Reason.RATING, session=session)
        payment = payment._replace(refusal=_refusal(row.reward_refusal))
    if row.score != rating.score:
        await messages.mark_changed(row, session=session)
        row.score = rating.score.value
    return RatingResult(
        transcription=messages.as_transcription(row),
        paid_hundredths=payment.paid_hundredths,
        balance_hundredths=user.cash_hundredths,
        became_beta_tester=payment.became_beta_tester,
        refusal_reason=payment.refusal,
        is_first=is_first,
    )


async def correct(
    transcription_id: int, wanted: Correction, *, settings: DbAssistSettings, session: AsyncSession
) -> CorrectionResult:
    """Record what was really said. The first correction decides the payment; later ones change the words only.

    Raises:
        ImplausibleCorrectionError: it can hardly be what was said.
        NotFoundError: no such message or person.
        ForbiddenError: another person's message, or a banned person.
        ConflictError: there is no text yet.
    """
    user, row = await _open(transcription_id, wanted.tg_id, session=session)
    reference = wanted.reference.strip()
    _require_plausible(reference, row, settings)
    is_first = row.correction is None
    if row.correction is None:
        payment = await _pay_correction(user, row, reference, settings=settings, session=session)
        now = people.now()
        await messages.mark_changed(row, session=session)
        row.correction = CorrectionRow(
            reference=reference, reward_refusal=payment.refusal, creation_datetime=now, changed_datetime=now
        )
    else:
        payment = await coins.paid_before(user, row, Reason.CORRECTION, session=session)
        payment = payment._replace(refusal=_refusal(row.correction.reward_refusal))
        if row.correction.reference != reference:
            await messages.mark_changed(row, session=session)
            row.correction.reference = reference
            row.correction.changed_datetime = people.now()
    return CorrectionResult(
        transcription=messages.as_transcription(row),
        paid_hundredths=payment.paid_hundredths,
        balance_hundredths=user.cash_hundredths,
        became_beta_tester=payment.became_beta_tester,
        refusal_reason=payment.refusal,
        is_first=is_first,
    )


async def _open(transcription_id: int, tg_id: int, *, session: AsyncSession) -> _Case:
    """Lock the person, then the message: always in this order, so that two transactions never wait in a circle."""
    user = await people.lock(tg_id, session=session)
    row = await messages.lock(transcription_id, session=session)
    if row.user_id != user.id:
        raise ForbiddenError("only the person who sent a message may rate or correct it")
    if row.status != Status.DONE:
        raise ConflictError(f"expected a message with a text, got one that is {row.status}")
    return _Case(user, row)


async def _pay_correction(
    user: UserRow, row: TranscriptionRow, reference: str, *, settings: DbAssistSettings, session: AsyncSession
) -> Payment:
    if normalise(reference) == normalise(row.text or ""):
        return Payment(refusal=Refusal.UNCHANGED)
    amount, cap = coins.hundredths(settings.correction_reward), coins.hundredths(settings.daily_coin_cap)
    return await coins.pay(user, row, Reason.CORRECTION, amount, cap=cap, session=session)


def _require_plausible(reference: str, row: TranscriptionRow, settings: DbAssistSettings) -> None:
    """Refuse what can hardly be the words of this recording.

    A correction must hold a word; be short enough to have been said in the time; and, unless both texts are short,
    share letters with what was heard: the character error rate under RU-NORM stays within a setting.

    Raises:
        ImplausibleCorrectionError: it is none of that.
    """
    said, heard = normalise(reference), normalise(row.text or "")
    if not said:
        raise ImplausibleCorrectionError("expected words, got none", param="reference")
    longest = settings.correction_max_chars_per_s * max(row.duration_s or 0.0, 1.0)
    if len(said) > longest:
        raise ImplausibleCorrectionError(
            f"expected at most {longest:.0f} letters for {row.duration_s:.1f} s, got {len(said)}", param="reference"
        )
    if max(len(said), len(heard)) <= _TOO_SHORT_TO_JUDGE_CHARS:
        return
    cer = error_rates([said], [heard]).cer if heard else 0.0
    if cer > settings.correction_max_cer:
        raise ImplausibleCorrectionError(
            f"expected a character error rate of at most {settings.correction_max_cer:g}, got {cer:.2f}",
            param="reference",
        )


def _refusal(code: str | None) -> Refusal | None:
    return None if code is None else Refusal(code)
