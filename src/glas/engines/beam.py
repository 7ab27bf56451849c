"""CTC prefix beam search with a character language model (Hannun et al. 2014, arXiv 1408.2873, algorithm 1).

A prefix is scored by the network's probability of all ways to write it, the language model's probability to the power
`weight`, and a bonus for each letter, without which the language model would prefer short texts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, inf, log1p
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from glas.engines.character_lm import CharacterLM


class Token(NamedTuple):
    """A letter, the frame at which it is most probable, and the natural logarithm of its probability there."""

    id: int
    frame: int
    logprob: float


@dataclass(frozen=True)
class BeamOptions:
    """How wide to search.

    Attributes:
        width: prefixes that are followed.
        weight: exponent of the language model's probability.
        bonus: natural logarithm by which each letter is favoured.
        least_logprob: letters less probable than this at a frame are not tried there.
        sure_blank_logprob: a frame whose blank is more probable than this is passed over: nothing is written there.
    """

    width: int = 12
    weight: float = 0.5
    bonus: float = 0.8
    least_logprob: float = -5.0
    sure_blank_logprob: float = -0.005


class _Prefix:
    """A text so far: a letter after another prefix."""

    __slots__ = ("children", "frame", "letter", "logprob", "parent", "prior", "state")

    def __init__(self, parent: "_Prefix | None", letter: int, state: tuple[int, int], prior: float) -> None:
        self.parent = parent
        self.letter = letter
        self.state = state
        self.prior = prior
        self.frame = 0
        self.logprob = -inf
        self.children: dict[int, _Prefix] = {}

    def seen(self, frame: int, logprob: float) -> None:
        if logprob > self.logprob:
            self.frame, self.logprob = frame, logprob


class BeamSearch:
    """Decodes one utterance after another; holds nothing of them.

    Args:
        lm: the language model.
        vocabulary: text of each token, by id; each is one letter that the language model knows, save the blank.
        blank: id of the blank.
        options: see `BeamOptions`.
    """

    def __init__(
        self, lm: CharacterLM, vocabulary: Iterable[str], blank: int, options: BeamOptions | None = None
    ) -> None:
        self._lm = lm
        self._blank = blank
        self._options = options or BeamOptions()
        self._letters = [lm.letters.index(text) if text in lm.letters else -1 for text in vocabulary]

    def decode(self, logprobs: npt.NDArray[np.float32]) -> list[Token]:
        """The best text for `logprobs` of shape `(n_frames, n_tokens)`, as letters at rising frames."""
        options = self._options
        root = _Prefix(None, self._blank, self._lm.start, 0.0)
        beam: dict[_Prefix, tuple[float, float]] = {root: (0.0, -inf)}
        blanks = logprobs[:, self._blank].tolist()
        for frame, blank in enumerate(blanks):
            if blank > options.sure_blank_logprob:
                beam = {prefix: (_add(*ways) + blank, -inf) for prefix, ways in beam.items()}
                continue
            row = logprobs[frame]
            letters = [int(one) for one in np.flatnonzero(row > options.least_logprob) if one != self._blank]
            beam = self._step(beam, frame, blank, [(letter, float(row[letter])) for letter in letters], row)
        best = max(beam, key=lambda prefix: _add(*beam[prefix]) + prefix.prior)
        return _tokens(best)

    def _step(
        self,
        beam: dict[_Prefix, tuple[float, float]],
        frame: int,
        blank: float,
        letters: list[tuple[int, float]],
        row: npt.NDArray[np.float32],
    ) -> dict[_Prefix, tuple[float, float]]:
        """One frame: each prefix stays as it is, or gets one more letter."""
        grown: dict[_Prefix, list[float]] = {}
        for prefix, (with_blank, with_letter) in beam.items():
            total = _add(with_blank, with_letter)
            stays = grown.setdefault(prefix, [-inf, -inf])
            stays[0] = _add(stays[0], total + blank)
            if prefix.parent is not None:
                again = float(row[prefix.letter])
                stays[1] = _add(stays[1], with_letter + again)
                prefix.seen(frame, again)
            for letter, logprob in letters:
                # The same letter twice is one letter, unless a blank lies between.
                before = with_blank if letter == prefix.letter else total
                if before == -inf:
                    continue
                longer = self._longer(prefix, letter)
                longer.seen(frame, logprob)
                ways = grown.setdefault(longer, [-inf, -inf])
                ways[1] = _add(ways[1], before + logprob)
        ranked = sorted(grown, key=lambda prefix: _add(*grown[prefix]) + prefix.prior, reverse=True)
        return {prefix: (grown[prefix][0], grown[prefix][1]) for prefix in ranked[: self._options.width]}

    def _longer(self, prefix: _Prefix, letter: int) -> _Prefix:
        found = prefix.children.get(letter)
        if found is None:
            known = self._letters[letter]
            prior = self._lm.row(prefix.state)[known]
            total = prefix.prior + self._options.weight * prior + self._options.bonus
            found = prefix.children[letter] = _Prefix(prefix, letter, self._lm.after(prefix.state, known), total)
        return found


def _add(a: float, b: float) -> float:
    """Logarithm of the sum of two probabilities given by their logarithms."""
    if a < b:
        a, b = b, a
    return a if b == -inf else a + log1p(exp(b - a))


def _tokens(prefix: _Prefix) -> list[Token]:
    backwards: list[Token] = []
    limit: float = inf
    node: _Prefix | None = prefix
    while node is not None and node.parent is not None:
        # A letter's best frame may lie behind that of the next letter where both are faint.
        limit = min(limit, node.frame)
        backwards.append(Token(node.letter, int(limit), node.logprob))
        node = node.parent
    return backwards[::-1]
