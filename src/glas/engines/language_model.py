"""A language model of Russian words, with which an engine chooses among several texts for one sound."""

import zipfile
from functools import lru_cache
from math import exp
from pathlib import Path

import numpy as np

from glas.domain.errors import ModelLoadError
from glas.domain.text import normalise
from glas.engines.character_lm import CharacterLM
from glas.engines.word_lm import NO_WORD, WordLM

FILE = "lm.npz"

# A word with letters other than Russian has the probability of a word that is said once in 200,000 words.
FOREIGN_LOGPROB = -12.0
_REMEMBERED = 4096


class LanguageModel:
    """Computes log-probabilities of Russian texts.

    Args:
        path: the .npz file, with the arrays that `CharacterLM` and `WordLM` read.

    Raises:
        ModelLoadError: the file does not contain such a model.
    """

    def __init__(self, path: Path) -> None:
        try:
            # The file is opened here, because numpy does not close a file that is not an archive.
            with path.open("rb") as raw, np.load(raw) as file:
                self._characters, self._words = CharacterLM(file), WordLM(file)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ModelLoadError(f"The language model {path} cannot be loaded: {error}") from error
        self._look_up = lru_cache(_REMEMBERED)(self._found)

    def logprobs(self, text: str) -> list[float]:
        """Return for each word the logarithm of its probability, given the previous word.

        The logarithms are natural. The text is normalised first (`glas.domain.text.normalise`), so that «5 %» becomes
        two words. The list has one entry for each word of the normalised text.
        """
        before, found = self._words.beginning, []
        for word in normalise(text).split():
            number, spelling = self._look_up(word)
            found.append(self._words.logprob(number, before, spelling) if spelling else FOREIGN_LOGPROB)
            before = number
        return found

    def knows(self, word: str) -> bool:
        """Return whether a word, in lower case and without «ё», is in the word list."""
        return self._look_up(word)[0] != NO_WORD

    def _found(self, word: str) -> tuple[int, float]:
        """Return the index of a word in the word list, and the probability of the word's letters.

        If the word is not in the list, the index is `NO_WORD`. If a letter of the word is unknown, the probability is
        0.
        """
        if not self._characters.knows(word):
            return NO_WORD, 0.0
        return self._words.number(word), max(exp(self._characters.logprob(word)), 1e-300)
