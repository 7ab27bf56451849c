"""A character n-gram language model, as `glas.training.language.language_model` writes it."""

from array import array
from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

SPACE = " "


class CharacterLM:
    """Computes log-probabilities of words from their letters.

    A context is the sequence of letters before a letter. A cost is the negative natural logarithm of a probability,
    divided by `step`.

    Args:
        arrays: `letters` is a string of all letters. `step` is the size of one unit of cost in nats. For each length n
            of contexts there are two arrays. `contexts{n}`, shape `(n_contexts,)`, has the contexts in
            ascending order, each written as one number. `costs{n}`, shape `(n_contexts, n_letters)`, has the cost of
            each letter after each context as an unsigned byte.

    Raises:
        KeyError, ValueError: the arrays do not contain such a model.
    """

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self._number = {letter: number for number, letter in enumerate(str(arrays["letters"]))}
        self._size = size = len(self._number)
        self._contexts: list[array[int]] = []
        self._rows: list[bytes] = []
        for length in range(sum(name.startswith("contexts") for name in arrays)):
            contexts, rows = arrays[f"contexts{length}"].astype(np.int64), arrays[f"costs{length}"]
            if rows.shape != (len(contexts), size) or np.any(np.diff(contexts) <= 0):
                raise ValueError(f"expected costs of {size} letters for each of rising contexts of {length} letters")
            # Contexts are found by binary search. A dictionary would need a hundred bytes for each context, and a tenth
            # of a second to be made.
            self._contexts.append(array("q", contexts.tobytes()))
            self._rows.append(rows.tobytes())
        self._step = float(arrays["step"])
        if SPACE not in self._number:
            raise ValueError("expected a space among the letters")

    def knows(self, word: str) -> bool:
        """Return whether the model knows all letters of a word."""
        return all(letter in self._number for letter in word)

    def logprob(self, word: str) -> float:
        """Return the natural logarithm of the probability of a word's letters and the space after them."""
        code, length = self._number[SPACE], 1
        total = 0
        for letter in (*word, SPACE):
            number = self._number[letter]
            total += self._cost(code, length, number)
            code, length = code * self._size + number, length + 1
            if length >= len(self._contexts):
                length = len(self._contexts) - 1
                code %= self._size**length
        return -self._step * total

    def _cost(self, code: int, length: int, number: int) -> int:
        """Return the cost of a letter after a context.

        If the model does not contain the context, use the longest ending of the context that the model contains.

        Args:
            code: the context as a number, with one digit for each letter.
            length: number of letters of the context.
            number: index of the letter in the string of all letters.
        """
        while True:
            contexts = self._contexts[length]
            at = bisect_left(contexts, code)
            if at < len(contexts) and contexts[at] == code:
                return self._rows[length][at * self._size + number]
            length -= 1
            code %= self._size**length
