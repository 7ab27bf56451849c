"""A character n-gram language model, as `glas.training.language.language_model` writes it."""

from array import array
from bisect import bisect_left
from collections.abc import Mapping
from math import exp
from typing import Any

import numpy as np
import numpy.typing as npt

Context = tuple[int, int, int]


class CharacterLM:
    """Probabilities of the next letter after the letters so far.

    A context is the longest ending of these letters that the model knows: its length, its number in base
    `len(letters)`, and the place of its costs.

    Args:
        arrays: `letters` (a string), `step` (natural logarithm per unit of cost), and for each context
            length `contexts{n}` (n_contexts,) and `costs{n}` (n_contexts, n_letters), unsigned bytes.

    Raises:
        KeyError, ValueError: the arrays are not such a model.
    """

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.letters = str(arrays["letters"])
        self._size = size = len(self.letters)
        self._codes: list[array[int]] = []
        self._firsts: list[int] = []  # place of the costs of the first context of each length
        costs, n_costs = [], 0
        for length in range(sum(name.startswith("contexts") for name in arrays)):
            contexts, rows = arrays[f"contexts{length}"].astype(np.int64), arrays[f"costs{length}"]
            if rows.shape != (len(contexts), size) or np.any(np.diff(contexts) <= 0):
                raise ValueError(f"expected costs of {size} letters for each of rising contexts of {length} letters")
            # Searched by halves: a dictionary would take a hundred bytes for each, and a tenth of a second to make.
            self._codes.append(array("q", contexts.tobytes()))
            self._firsts.append(n_costs)
            costs.append(rows.tobytes())
            n_costs += rows.size
        self._costs = b"".join(costs)
        step = float(arrays["step"])
        self._logprobs = tuple(-step * cost for cost in range(256))
        self._probabilities = tuple(exp(logprob) for logprob in self._logprobs)
        self._longest = len(self._codes) - 1
        self.start = self.after((0, 0, 0), self.letters.index(" "))

    def after(self, context: Context, letter: int) -> Context:
        """The context after one more letter, given by its index in `letters`."""
        length, code, _ = context
        if length == self._longest:
            length, code = length - 1, code % self._size ** (length - 1)
        length, code = length + 1, code * self._size + letter
        while True:
            codes = self._codes[length]
            at = bisect_left(codes, code)
            if at < len(codes) and codes[at] == code:
                return length, code, self._firsts[length] + at * self._size
            length -= 1
            code %= self._size**length

    def logprob(self, context: Context, letter: int) -> float:
        """Natural logarithm of the probability of a letter in a context."""
        return self._logprobs[self._costs[context[2] + letter]]

    def probability(self, context: Context, letter: int) -> float:
        """Probability of a letter in a context."""
        return self._probabilities[self._costs[context[2] + letter]]
