"""Choose the share of a learnt change that is kept.

The whole change is best for the corrected messages, and worst for other speech. A part of the change often keeps most
of the gain, without becoming worse on other speech (measured in docs/lab-notes.md; the idea: Wortsman et al., "Robust
fine-tuning of zero-shot models", 2022). Shares are compared by their loss: the cross-entropy of the references, in
nepers a token. The loss shows the difference of two models with far fewer recordings than word errors.
"""

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict

from glas.domain.metrics import ErrorRates

SHARES: Final = (0.2, 0.4, 0.6, 0.8, 1.0)
MOST_RISEN: Final = 0.01
"""Permitted rise of the loss on a set that must not become worse.

In docs/lab-notes.md, a smaller rise raised the word error rate by at most 0.3 points, and twice this rise raised it by
one point or more.
"""

FEWEST_WORDS: Final = 500
"""Number of words of such a set below which a rise may be chance: about 40 sentences."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class ShareLosses(_Value):
    """The losses of a model with a share of the change.

    Attributes:
        share: the share, 0..1; 0 is the base model.
        dev: loss on the development set.
        kept: losses on the sets that must not become worse, by name.
    """

    share: float
    dev: float
    kept: dict[str, float]

    def worse_than(self, before: "ShareLosses") -> list[str]:
        """Return the names of the sets that must not become worse and are worse than with the base model."""
        return [name for name, loss in self.kept.items() if loss - before.kept[name] > MOST_RISEN]


class MeasuredShare(_Value):
    """The error rates of a model with a share of the change, as it would be served.

    Attributes:
        share: the share, 0..1; 0 is the base model.
        dev: error rates on the development set.
        kept: error rates on the sets that must not become worse, by name.
    """

    share: float
    dev: ErrorRates
    kept: dict[str, ErrorRates]

    def is_better_than(self, before: "MeasuredShare") -> bool:
        """Return whether dev has fewer errors than with the base model; fewer wrong characters count, too."""
        fewer_characters = self.dev.char_errors + self.dev.word_errors < before.dev.char_errors + before.dev.word_errors
        return self.dev.word_errors <= before.dev.word_errors and fewer_characters


def choose_share(before: ShareLosses, shares: Sequence[ShareLosses]) -> float | None:
    """Return the share with the lowest loss on dev.

    Only shares count that are better than the base model on dev and not worse on the other sets. Without such a share,
    return None.

    Args:
        before: the base model, share 0.
        shares: shares above 0.
    """
    allowed = [one for one in shares if one.dev < before.dev and not one.worse_than(before)]
    return min(allowed, key=lambda one: one.dev).share if allowed else None
