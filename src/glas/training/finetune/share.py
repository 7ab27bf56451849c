"""Choose the share of a learnt change that is kept.

The whole change is best for speech like the corrected messages, and worst for other speech. A part of it often keeps
most of the gain and makes nothing worse (measured in docs/lab-notes.md; the idea: Wortsman et al., "Robust fine-tuning
of zero-shot models", 2022). So models with several shares are measured on the development set, and on sets that must
not become worse.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from glas.domain.metrics import ErrorRates, bootstrap_difference_interval
from glas.recognition.evaluation import RESAMPLES, SEED, Evaluation, blocks_of

SHARES: Final = (0.2, 0.4, 0.6, 0.8, 1.0)
MOST_WORSE: Final = 0.003
"""Largest permitted rise of the word error rate on a set that must not become worse."""

CERTAINTY: Final = 0.8
"""Certainty with which such a set must have become worse to reject a share. docs/lab-notes.md has the simulation for
this value.
"""

FEWEST_WORDS: Final = 1000
"""Number of words of such a set below which a loss of a whole point is often overlooked; this is about 80 sentences."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Loss(_Value):
    """The rise of the word error rate on a set, compared with the base model.

    Attributes:
        wer: difference of the word error rates; it is negative if the set is recognised better.
        low: the true difference is above this value with the probability `CERTAINTY`; None if there is only one
            recording.
    """

    wer: float
    low: float | None

    @property
    def is_too_large(self) -> bool:
        """Whether the loss is larger than permitted, and unlikely to be chance.

        With few recordings, the estimate varies by more than `MOST_WORSE`. So the estimate alone would reject shares by
        chance.
        """
        return self.wer > MOST_WORSE and (self.low is None or self.low > 0)


class MeasuredShare(_Value):
    """The error rates of a model with a share of the change.

    Attributes:
        share: the share, 0..1; 0 is the base model.
        dev: error rates on the development set.
        kept: error rates on the sets that must not become worse, by name.
        losses: differences from the base model on these sets, by name; empty for the base model.
    """

    share: float
    dev: ErrorRates
    kept: dict[str, ErrorRates]
    losses: dict[str, Loss] = Field(default_factory=dict)


def choose_share(before: MeasuredShare, shares: Sequence[MeasuredShare]) -> MeasuredShare | None:
    """Return the share with the fewest word errors on dev that makes no other set worse; None if no share is better.

    If several shares have equally many errors, the one with the fewest character errors is chosen, then the smallest
    share.

    Args:
        before: the base model, which has the share 0.
        shares: measured shares above 0.
    """
    allowed = [
        one
        for one in shares
        if one.dev.word_errors <= before.dev.word_errors
        and one.dev.char_errors + one.dev.word_errors < before.dev.char_errors + before.dev.word_errors
        and not any(loss.is_too_large for loss in one.losses.values())
    ]
    return min(allowed, key=lambda one: (one.dev.word_errors, one.dev.char_errors, one.share), default=None)


def measure_shares(
    measure: Callable[[float], tuple[Evaluation, Sequence[Evaluation]]],
    shares: Sequence[float] = SHARES,
    on_done: Callable[[MeasuredShare], None] = lambda _share: None,
) -> list[MeasuredShare]:
    """Measure the base model and a model for each share.

    Args:
        measure: evaluates the model with a given share (0 for the base model) on dev and on the sets that must not
            become worse.
        shares: the shares above 0.
        on_done: is called after each measurement.

    Returns:
        The base model, and the shares in their order.
    """
    found: list[MeasuredShare] = []
    base: Mapping[str, Evaluation] = {}
    for share in (0.0, *shares):
        dev, kept = measure(share)
        losses = {one.data: loss_between(base[one.data], one) for one in kept if share}
        base = base or {one.data: one for one in kept}
        rates = {one.data: one.rates for one in kept}
        found.append(MeasuredShare(share=share, dev=dev.rates, kept=rates, losses=losses))
        on_done(found[-1])
    return found


def loss_between(before: Evaluation, after: Evaluation) -> Loss:
    """Compare two evaluations of the same set."""
    wrong_before, wrong_after = ([one.word_errors for one in some.utterances] for some in (before, after))
    speakers = [one.speaker for one in before.utterances]
    return loss_of(wrong_before, wrong_after, [one.words for one in before.utterances], speakers)


def loss_of(
    before: Sequence[int],
    after: Sequence[int],
    words: Sequence[int],
    speakers: Sequence[str | None],
    *,
    resamples: int = RESAMPLES,
) -> Loss:
    """Compute the loss from the word errors of each recording.

    The bound is from a paired bootstrap over speakers, or over recordings if few speakers are named; see
    `glas.recognition.evaluation`.

    Args:
        before: word errors of the base model.
        after: word errors of the other model.
        words: number of words of each reference.
        speakers: speaker of each recording; None if unknown.
        resamples: number of draws of the bootstrap.
    """
    _, blocks = blocks_of(speakers)
    low = None
    if len(set(blocks)) > 1:
        level = 2 * CERTAINTY - 1  # the interval has two bounds, and only the lower one is used
        low = bootstrap_difference_interval(
            after, before, words, blocks, resamples=resamples, level=level, seed=SEED
        ).low
    return Loss(wer=(sum(after) - sum(before)) / max(sum(words), 1), low=low)
