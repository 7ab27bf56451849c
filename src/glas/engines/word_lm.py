"""A language model of words over one of letters: what `lm.npz` holds beside the letters' n-grams.

A word is either one of the list, by its frequency, its fit to the word before (by classes of words, and by pairs that
were read often), or any string of letters, as the character model has it:

    P(w | v) = B(w | v) + β(v) · (λ U(w) R(w | v) + (1 - λ) C(w) R(? | v))

U: frequency of the word; R(w | v) = P(class of w | class of v) / P(class of w); C: the character model's probability of
the letters and the space after them; B and β: the pairs of words, interpolated by Witten and Bell's (1991) method.
Inside a word a letter is scored by λ U + (1 - λ) C of all words that begin so; the rest comes with the space. So the
letters of a word and its space together have the logarithm of P(w | v), and the search knows early what may follow.
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
LAST = 255  # the byte of the alphabet's last letter
LEAST = 1e-300  # a word of a thousand letters is improbable, and no division by zero

# Where in a sentence. The words of the list that begin like this one: number of the first, and behind the last; the
# letters so far; the character model's probability of them; probability of all words that begin so; number of the word
# before. A plain tuple, since a search makes thousands a second and the garbage collector has to look at any other.
Place = tuple[int, int, bytes, float, float, int]


class WordLM:
    """Words, their classes and their pairs.

    Args:
        arrays: `words`: bytes of the sorted words, each closed by a newline; `word_costs` and `word_classes`, one byte
            each; `word_step`: natural logarithm per unit of a cost; `class_gains` (n, n), signed bytes: logarithm of R,
            rows by the class of the word before; the last two classes are the unknown word's and the beginning's;
            `pair_contexts`, `pair_starts`, `pair_words`, `pair_costs`: words seen after a word, the number of words
            standing for the beginning; `pair_rest`: cost of β of each context.

    Raises:
        KeyError, ValueError: the arrays are not such a model.
    """

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        step = float(arrays["word_step"])
        self._words = tuple(arrays["words"].tobytes().split(b"\n")[:-1])
        n_words = len(self._words)
        probabilities = _probabilities(arrays["word_costs"], step)
        if len(probabilities) != n_words or len(arrays["word_classes"]) != n_words:
            raise ValueError(f"expected a cost and a class of each of {n_words} words")
        total = np.concatenate([[0.0], np.cumsum(probabilities)])
        self._total = array("d", (total / total[-1]).tobytes())
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
        self.start = self.between(n_words)

    def between(self, before: int) -> Place:
        """The place after a word and its space."""
        return 0, len(self._words), b"", 1.0, 1.0, before

    def longer(self, place: Place, letter: int, spelling: float) -> tuple[Place, float]:
        """The place one letter later, and the logarithm of that letter's probability.

        Args:
            place: between words or inside one.
            letter: the letter, a byte.
            spelling: its probability in the character model.
        """
        low, high, prefix, spelt, shorter, before = place
        follows = prefix + bytes((letter + 1,)) if letter < LAST else b""
        prefix += bytes((letter,))
        spelt = max(spelt * spelling, LEAST)
        mass = (1 - LISTED) * spelt
        if low < high:
            words = self._words
            low = bisect_left(words, prefix, low, high)
            if follows:
                high = bisect_left(words, follows, low, high)
            mass += LISTED * (self._total[high] - self._total[low])
        return (low, high, prefix, spelt, mass, before), log(mass / shorter)

    def closed(self, place: Place, spelling: float) -> tuple[int, float]:
        """Number of the word that ends here, and the logarithm of what its end adds to its probability.

        Args:
            place: inside a word, behind its last letter.
            spelling: the space's probability in the character model.
        """
        low, high, prefix, spelt, mass, before = place
        gains = self._gains[self._classes[before] if before != NO_WORD else self._unknown]
        word, lower = NO_WORD, (1 - LISTED) * spelt * spelling * gains[self._unknown]
        if low < high and self._words[low] == prefix:
            word = low
            lower += LISTED * (self._total[low + 1] - self._total[low]) * gains[self._classes[low]]
        context = bisect_left(self._contexts, before)
        if context < len(self._contexts) and self._contexts[context] == before:
            lower *= self._rest[context]
            last = self._starts[context + 1]
            at = bisect_left(self._followers, word, self._starts[context], last)
            if at < last and self._followers[at] == word:
                lower += self._probability[self._costs[at]]
        return word, log(lower / mass)


def _probabilities(costs: npt.NDArray[Any], step: float) -> npt.NDArray[np.float64]:
    probabilities: npt.NDArray[np.float64] = np.exp(-step * costs.astype(np.float64))
    return probabilities
