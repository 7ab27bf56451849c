"""Choose among the texts of a beam search with a language model that knows more words than Whisper's decoder.

A text's score is `log P(text | sound) + WEIGHT * (log P(words) + WORD_BONUS * number of words)`. Both numbers were
chosen on stock whisper-base, where every weight from 0.1 to 0.3 and every bonus from 0 to 8 helps (docs/lab-notes.md).

The sum of a text's log-probabilities prefers texts that end early: what is left out costs nothing. The beam's own
order, by the mean over tokens, does not. So only texts about as long as the beam's best one are compared.
"""

from collections.abc import Sequence

from glas.engines.language_model import LanguageModel
from glas.engines.whisper.confidence import Alternative

WEIGHT = 0.15
WORD_BONUS = 3.0  # natural logarithm of probability; without it short texts are preferred
LEAST_LENGTH = 0.85  # of the best one's letters


def best_text(found: Sequence[Alternative], language_model: LanguageModel) -> int:
    """Say which text to keep: the index of the best one.

    Args:
        found: different texts of one sound, the beam's best one first, each with the logarithm of its probability, the
            end token included.
        language_model: of the language that is written.
    """

    def score(index: int) -> float:
        words = language_model.logprobs(found[index].text)
        return found[index].logprob + WEIGHT * (sum(words) + WORD_BONUS * len(words))

    least = LEAST_LENGTH * len(found[0].text)
    return max((index for index in range(len(found)) if len(found[index].text) >= least), key=score)
