"""Choose which share of a learnt change of weights a fine-tuned model keeps.

The larger the share, the better the model recognises messages like the corrected messages, and the worse it recognises
other speech. With a part of the change, a model often keeps most of the improvement, and is not worse than the base
model on other speech (measured in docs/lab-notes.md). The idea is from Wortsman et al., "Robust fine-tuning of
zero-shot models", 2022.

Shares are compared by their loss: the cross-entropy of the references, in nats per token. To show which of two
models is better, far fewer recordings are needed for the loss than for the number of word errors.
"""

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict

from glas.domain.metrics import ErrorRates

SHARES: Final = (0.2, 0.4, 0.6, 0.8, 1.0)
MOST_RISEN: Final = 0.01
"""Permitted rise of the loss on a set that must not become worse, in nats per token.

In the experiments of docs/lab-notes.md, the word error rate rose by at most 0.3 percentage points if the loss rose less
than this. The word error rate rose by one percentage point or more if the loss rose by twice this value.
"""

FEWEST_WORDS: Final = 500
"""Least number of words (about 40 sentences) of a set that must not become worse.

On a smaller set, a rise of the loss may be due to chance.
"""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class ShareLosses(_Value):
    """The losses of a model that keeps a share of the learnt change of the weights.

    Attributes:
        share: the share, 0..1; 0 is the base model.
        dev: loss on the development set.
        kept: losses on the sets that must not become worse, by name.
    """

    share: float
    dev: float
    kept: dict[str, float]

    def worse_than(self, before: "ShareLosses") -> list[str]:
        """Return the names of the sets in `kept` on which this model has a clearly higher loss than the base model.

        Args:
            before: the losses of the base model on the same sets.
        """
        return [name for name, loss in self.kept.items() if loss - before.kept[name] > MOST_RISEN]


class MeasuredShare(_Value):
    """The error rates of a model that keeps a share of the learnt change, measured as the server would use it.

    Attributes:
        share: the share, 0..1; 0 is the base model.
        dev: error rates on the development set.
        kept: error rates on the sets that must not become worse, by name.
    """

    share: float
    dev: ErrorRates
    kept: dict[str, ErrorRates]

    def is_better_than(self, before: "MeasuredShare") -> bool:
        """Return whether this model is better than the base model on the development set.

        This model must not make more word errors, and the sum of its word errors and character errors must be lower.
        """
        fewer_characters = self.dev.char_errors + self.dev.word_errors < before.dev.char_errors + before.dev.word_errors
        return self.dev.word_errors <= before.dev.word_errors and fewer_characters


def choose_share(before: ShareLosses, shares: Sequence[ShareLosses]) -> float | None:
    """Return the permitted share with the lowest loss on dev.

    A share is permitted only if the model with this share has a lower loss on dev than the base model, and is not worse
    than the base model on any set in `kept`. If no share is permitted, return None.

    Args:
        before: losses of the base model (share 0).
        shares: losses of all shares above 0.
    """
    allowed = [one for one in shares if one.dev < before.dev and not one.worse_than(before)]
    return min(allowed, key=lambda one: one.dev).share if allowed else None


def between(chosen: float | None, shares: Sequence[float]) -> list[float]:
    """Return the shares in the middle between the chosen share and its neighbours.

    Args:
        chosen: one of `shares`, or None if no share is permitted.
        shares: the measured shares. 0, the base model, is a neighbour of the smallest share.

    Returns:
        At most two shares. If `chosen` is None, or if only one share was measured, none.
    """
    if chosen is None or len(shares) == 1:
        return []
    ordered = sorted({0.0, *shares})
    at = ordered.index(chosen)
    return [round((chosen + neighbour) / 2, 4) for neighbour in (ordered[at - 1], *ordered[at + 1 : at + 2])]
