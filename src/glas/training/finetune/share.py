"""Choose how much of a learnt change is kept.

The whole change fits the corrected messages best, and forgets most of everything else. A part of it often keeps most of
the gain and loses nothing (measured in docs/lab-notes.md; the idea: Wortsman et al., "Robust fine-tuning of zero-shot
models", 2022). So models with several shares are measured on dev, and on recordings that must not become worse.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from glas.domain.metrics import ErrorRates

SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)
MOST_WORSE = 0.003  # word error rate that a set which must not become worse may lose


class MeasuredShare(BaseModel):
    """A share of the change, measured."""

    model_config = ConfigDict(frozen=True)

    share: float
    dev: ErrorRates
    kept: dict[str, ErrorRates]


def choose_share(before: MeasuredShare, trials: Sequence[MeasuredShare]) -> MeasuredShare | None:
    """Return the trial with the fewest word errors on dev that makes no other set worse; None if none is better.

    Of trials with equally many errors it is the one with the fewest character errors, then the smallest share.

    Args:
        before: the base, share 0.
        trials: shares above 0.
    """
    allowed = [
        one
        for one in trials
        if one.dev.word_errors <= before.dev.word_errors
        and one.dev.char_errors + one.dev.word_errors < before.dev.char_errors + before.dev.word_errors
        and all(rates.wer <= before.kept[name].wer + MOST_WORSE for name, rates in one.kept.items())
    ]
    return min(allowed, key=lambda one: (one.dev.word_errors, one.dev.char_errors, one.share), default=None)


def measure_shares(
    build: Callable[[float], Path],
    measure: Callable[[Path], tuple[ErrorRates, dict[str, ErrorRates]]],
    shares: Sequence[float] = SHARES,
    on_done: Callable[[MeasuredShare], None] = lambda _trial: None,
) -> list[MeasuredShare]:
    """Measure a model for each share.

    Args:
        build: writes the model with that share and returns its directory.
        measure: gives its error rates on dev, and on the sets that must not become worse.
        shares: which.
        on_done: told after each.
    """
    trials = []
    for share in shares:
        dev, kept = measure(build(share))
        trials.append(MeasuredShare(share=share, dev=dev, kept=kept))
        on_done(trials[-1])
    return trials
