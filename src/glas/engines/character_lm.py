"""A character n-gram language model in one file, as `glas.training.language_model` writes it."""

import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np

from glas.domain.errors import ModelLoadError

FILE = "lm.npz"


class CharacterLM:
    """Probabilities of the next letter after the letters so far.

    A state is the longest ending of these letters that the model knows, as a pair of its length and its number in base
    `len(letters)`.

    Args:
        path: the .npz file: `letters` (a string), `step` (natural logarithm per unit of cost), and for each context
            length `contexts{n}` (n_contexts,) and `costs{n}` (n_contexts, n_letters), unsigned bytes.

    Raises:
        ModelLoadError: the file is not such a model.
    """

    def __init__(self, path: Path) -> None:
        try:
            # Opened here, since numpy leaves a file open that turns out to be no archive.
            with path.open("rb") as raw, np.load(raw) as file:
                self.letters = str(file["letters"])
                step = float(file["step"])
                self._rows: list[dict[int, int]] = []
                costs = []
                n_rows = 0
                for length in range(sum(name.startswith("contexts") for name in file.files)):
                    contexts = file[f"contexts{length}"].tolist()
                    self._rows.append(dict(zip(contexts, range(n_rows, n_rows + len(contexts)), strict=True)))
                    costs.append(file[f"costs{length}"])
                    n_rows += len(contexts)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ModelLoadError(f"The language model {path} cannot be loaded: {error}") from error
        self._costs = np.concatenate(costs)
        self._step = -step
        self._size = len(self.letters)
        self._longest = len(self._rows) - 1
        self.row = lru_cache(maxsize=50_000)(self._row)
        self.start = self.after((0, 0), self.letters.index(" "))

    def after(self, state: tuple[int, int], letter: int) -> tuple[int, int]:
        """The state after one more letter, given by its index in `letters`."""
        length, code = state
        if length == self._longest:
            length, code = length - 1, code % self._size ** (length - 1)
        length, code = length + 1, code * self._size + letter
        while length and code not in self._rows[length]:
            length -= 1
            code %= self._size**length
        return length, code

    def _row(self, state: tuple[int, int]) -> list[float]:
        """Natural logarithms of the probabilities of all letters in a state, in the order of `letters`."""
        costs = self._costs[self._rows[state[0]][state[1]]]
        found: list[float] = (costs * self._step).tolist()
        return found
