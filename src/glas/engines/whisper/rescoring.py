"""Choose among the texts of a beam search with a language model that knows more words than Whisper's decoder.

A text's score is `log P(text | sound) + WEIGHT * (log P(words) + WORD_BONUS * number of words)`. Both numbers were
chosen on stock whisper-base, where every weight from 0.1 to 0.3 and every bonus from 0 to 8 helps (docs/lab-notes.md).
"""

from collections.abc import Sequence

from glas.engines.language_model import LanguageModel
from glas.engines.whisper.confidence import Alternative

WEIGHT = 0.15
WORD_BONUS = 3.0  # natural logarithm of probability; without it short texts are preferred


def best_text(found: Sequence[Alternative], language_model: LanguageModel) -> int:
    """Say which text to keep: the index of the best one.

    Args:
        found: different texts of one sound, each with the logarithm of its probability, the end token included.
        language_model: of the language that is written.
    """

    def score(one: Alternative) -> float:
        words = language_model.logprobs(one.text)
        return one.logprob + WEIGHT * (sum(words) + WORD_BONUS * len(words))

    return max(range(len(found)), key=lambda index: score(found[index]))
