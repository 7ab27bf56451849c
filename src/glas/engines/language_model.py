"""The language model of Russian text: probabilities of letters, and of words where it knows words."""

import zipfile
from pathlib import Path

import numpy as np

from glas.domain.errors import ModelLoadError
from glas.engines.character_lm import CharacterLM, Context
from glas.engines.word_lm import ENCODING, Place, WordLM

FILE = "lm.npz"

# Tuned for models of letters alone, which do not name their own.
LETTERS_ONLY_WEIGHT = 0.5
LETTERS_ONLY_BONUS = 0.8

# Where in a text: the letters before, and the place among the words where the model knows words.
State = tuple[Context, Place | None]


class LanguageModel:
    """Probabilities of the next letter after the letters so far.

    Args:
        path: the .npz file: what `CharacterLM` and, where it has words, `WordLM` read; `weight` of its
            log-probabilities beside a recogniser's, and `bonus` for each word (files without words may lack them).

    Raises:
        ModelLoadError: the file is not such a model.
    """

    def __init__(self, path: Path) -> None:
        try:
            # Opened here, since numpy leaves a file open that turns out to be no archive.
            with path.open("rb") as raw, np.load(raw) as file:
                self._characters = CharacterLM(file)
                self._words = WordLM(file) if "words" in file.files else None
                self.weight = float(file["weight"]) if "weight" in file.files else LETTERS_ONLY_WEIGHT
                self.bonus = float(file["bonus"]) if "bonus" in file.files else LETTERS_ONLY_BONUS
            self.letters = self._characters.letters
            self._bytes = self.letters.encode(ENCODING)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ModelLoadError(f"The language model {path} cannot be loaded: {error}") from error
        self._space = self.letters.index(" ")
        self.start: State = (self._characters.start, self._words.start if self._words else None)

    def look(self, state: State, letter: int) -> tuple[float, Place | None]:
        """Natural logarithm of the probability of a letter, given by its index in `letters`, and the place after it."""
        context, place = state
        if place is None or self._words is None:
            return self._characters.logprob(context, letter), None
        if letter != self._space:
            longer, logprob = self._words.longer(
                place, self._bytes[letter], self._characters.probability(context, letter)
            )
            return logprob, longer
        if not place[2]:
            return self._characters.logprob(context, letter), place
        word, logprob = self._words.closed(place, self._characters.probability(context, letter))
        return logprob, self._words.between(word)

    def after(self, state: State, letter: int, place: Place | None) -> State:
        """The state one letter later, `place` being what `look` told."""
        return self._characters.after(state[0], letter), place

    def end(self, state: State) -> float:
        """Logarithm of the probability that the last word ends here; 0 between words, or where no words are known."""
        return self.look(state, self._space)[0] if state[1] is not None and state[1][2] else 0.0
