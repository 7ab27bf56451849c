"""A word bigram language model with classes of words, which is stored in `lm.npz` beside the character model.

The probability of a word depends on its frequency, on the class of the word before it, and, for frequent pairs, on the
word before it. Words that are not in the model's word list get a probability from the character model:

    P(w | v) = B(w | v) + β(v) · (λ U(w) R(w | v) + (1 - λ) C(w) R(? | v))

v is the word before w, and U is the relative frequency of w. R(w | v) = P(class of w | class of v) / P(class of w). If
w is `?`, its class is the class of unknown words. C(w) is the character model's probability of the letters of w and of
the space after w. B and β are computed from frequent pairs of words by the method of Witten and Bell (1991). λ is the
constant `LISTED`; the term with λ is 0 for words that are not in the list.
"""

from array import array
from bisect import bisect_left
from collections.abc import Mapping
from math import log
from typing import Any

import numpy as np
import numpy.typing as npt

ENCODING = "cp1251"  # one byte a letter, in the order of the alphabet
LISTED = 0.85  # λ
NO_WORD = -1
LEAST = 1e-300  # lower bound of a probability, so that its logarithm exists even for very long words


class WordLM:
    """Words, their classes and their pairs.

    Args:
        arrays: the arrays of `lm.npz`. `words` has the bytes of the sorted words; a newline ends each word.
            `word_costs` and `word_classes` have one byte for each word. `word_step` is the size of one unit of cost in
            nats. `class_gains`, shape `(n, n)`, has the logarithms of R in units of `word_step`, as signed bytes; a row
            belongs to the class of the preceding word. The last two classes are the class of unknown words, and the
            class for the beginning of a text. `pair_contexts` has the indices of the first words of frequent pairs; an
            index equal to the number of words stands for the beginning of a text. The second words of the pairs with
            the i-th first word are in `pair_words[pair_starts[i]:pair_starts[i + 1]]`. `pair_costs` has the cost of
            each pair, and `pair_rest` the cost of β for each first word.

    Attributes:
        beginning: number that stands for the beginning of a text, in place of the word before the first word.

    Raises:
        KeyError, ValueError: the arrays do not contain such a model.
    """

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        step = float(arrays["word_step"])
        self._words = tuple(arrays["words"].tobytes().split(b"\n")[:-1])
        self.beginning = len(self._words)
        probabilities = _probabilities(arrays["word_costs"], step)
        if len(probabilities) != self.beginning or len(arrays["word_classes"]) != self.beginning:
            raise ValueError(f"expected a cost and a class of each of {self.beginning} words")
        self._frequency = array("d", (probabilities / probabilities.sum()).tobytes())
        gains = np.exp(arrays["class_gains"].astype(np.float64) * step)
        self._gains = tuple(map(tuple, gains.tolist()))
        self._classes = arrays["word_classes"].tobytes() + bytes([len(gains) - 1])
        self._unknown = len(gains) - 2
        self._contexts = array("i", arrays["pair_contexts"].astype(np.int32).tobytes())
        self._starts = array("i", arrays["pair_starts"].astype(np.int32).tobytes())
        self._rest = array("d", _probabilities(arrays["pair_rest"], step).tobytes())
        self._followers = array("i", arrays["pair_words"].astype(np.int32).tobytes())
        self._costs = arrays["pair_costs"].tobytes()
        self._probability = tuple(_probabilities(np.arange(256), step).tolist())

    def number(self, word: str) -> int:
        """Return the index of a word in the word list; `NO_WORD` if the word is not in the list."""
        spelt = word.encode(ENCODING, errors="replace")
        at = bisect_left(self._words, spelt)
        return at if at < len(self._words) and self._words[at] == spelt else NO_WORD

    def logprob(self, word: int, before: int, spelling: float) -> float:
        """Return the natural logarithm of the probability of a word, given the previous word.

        Args:
            word: index of the word in the word list; `NO_WORD` if the list does not contain the word.
            before: index of the previous word in the word list; `NO_WORD` if the list does not contain this word;
                `beginning` if `word` is the first word of the text.
            spelling: probability of the word's letters in the character model.
        """
        gains = self._gains[self._classes[before] if before != NO_WORD else self._unknown]
        probability = (1 - LISTED) * spelling * gains[self._unknown]
        if word != NO_WORD:
            probability += LISTED * self._frequency[word] * gains[self._classes[word]]
        context = bisect_left(self._contexts, before)
        if context < len(self._contexts) and self._contexts[context] == before:
            probability *= self._rest[context]
            last = self._starts[context + 1]
            at = bisect_left(self._followers, word, self._starts[context], last)
            if at < last and self._followers[at] == word:
                probability += self._probability[self._costs[at]]
        return log(max(probability, LEAST))


def _probabilities(costs: npt.NDArray[Any], step: float) -> npt.NDArray[np.float64]:
    probabilities: npt.NDArray[np.float64] = np.exp(-step * costs.astype(np.float64))
    return probabilities
