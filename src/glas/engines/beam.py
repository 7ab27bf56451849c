"""CTC prefix beam search with a language model (Hannun et al. 2014, arXiv 1408.2873, algorithm 1).

A prefix is scored by the network's probability of all ways to write it, the language model's probability to the power
`weight`, and a bonus for each letter, without which the language model would prefer short texts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, inf, log1p
from operator import attrgetter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from glas.engines.language_model import LanguageModel, State
from glas.engines.word_lm import Place


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
        weight: exponent of the language model's probability; None takes the one that its file names.
        bonus: natural logarithm by which each letter is favoured; None takes the one of the file.
        least_logprob: letters less probable than this at a frame are not tried there.
        sure_blank_logprob: a frame whose blank is more probable than this is passed over: nothing is written there.
        depth: prefixes whose score is further behind the best one's than this are given up.
    """

    width: int = 48
    weight: float | None = None
    bonus: float | None = None
    least_logprob: float = -7.0
    sure_blank_logprob: float = -0.005
    depth: float = 7.0


class _Prefix:
    """A text so far, a letter after another prefix, and how probable it is by the frames heard.

    Attributes:
        prior: weighted logarithm of the language model's probability, with the bonuses of the letters.
        place: what the language model told of the letter; `state`, found where it is needed first.
        frame: where the letter is most probable; `logprob`, how probable.
        blank: logarithm of the probability of all ways to write it that end with a blank; `written`, with its letter;
            `total`, of both; `score`, with the prior. Those are of the frame `weighed_at`.
    """

    __slots__ = (
        "blank",
        "children",
        "frame",
        "letter",
        "logprob",
        "parent",
        "place",
        "prior",
        "score",
        "state",
        "total",
        "weighed_at",
        "written",
    )

    def __init__(self, parent: "_Prefix | None", letter: int, place: Place | None, prior: float) -> None:
        self.parent = parent
        self.letter = letter
        self.place = place
        self.prior = prior
        self.frame, self.weighed_at = 0, -1
        self.logprob = self.blank = self.written = self.total = self.score = -inf
        # Most prefixes are never followed, so these are made when they are asked for.
        self.state: State | None = None
        self.children: dict[int, _Prefix] | None = None

    def weigh(self, frame: int, blank: float, written: float) -> None:
        self.weighed_at = frame
        self.blank, self.written = blank, written
        self.total = total = _add(blank, written)
        self.score = total + self.prior

    def stay(self, frame: int, row: list[float], blank: int) -> None:
        """Go on to a frame, whose tokens' logarithms of probability are `row`, without another letter."""
        again = row[self.letter]
        if again > self.logprob:
            self.frame, self.logprob = frame, again
        self.weigh(frame, self.total + row[blank], self.written + again)


_BY_SCORE = attrgetter("score")
FORGET_EVERY = 32  # frames, a second: what is given up is a hundred times what is followed, and soon takes megabytes


class BeamSearch:
    """Decodes one utterance after another; holds nothing of them.

    Args:
        lm: the language model.
        vocabulary: text of each token, by id; each is one letter that the language model knows, save the blank.
        blank: id of the blank.
        options: see `BeamOptions`.
    """

    def __init__(
        self, lm: LanguageModel, vocabulary: Iterable[str], blank: int, options: BeamOptions | None = None
    ) -> None:
        self._lm = lm
        self._blank = blank
        self._options = options = options or BeamOptions()
        self._weight = lm.weight if options.weight is None else options.weight
        self._bonus = lm.bonus if options.bonus is None else options.bonus
        self._letters = [lm.letters.index(text) if text in lm.letters else -1 for text in vocabulary]

    def decode(self, logprobs: npt.NDArray[np.float32]) -> list[Token]:
        """The best text for `logprobs` of shape `(n_frames, n_tokens)`, as letters at rising frames."""
        options = self._options
        root = _Prefix(None, self._blank, self._lm.start[1], 0.0)
        root.weigh(-1, 0.0, -inf)
        beam = [root]
        tried = logprobs > options.least_logprob
        tried[:, self._blank] = False
        for frame, row in enumerate(logprobs.tolist()):
            blank = row[self._blank]
            if blank > options.sure_blank_logprob:
                for prefix in beam:
                    prefix.weigh(frame, prefix.total + blank, -inf)
                continue
            letters = sorted(((row[letter], letter) for letter in np.flatnonzero(tried[frame]).tolist()), reverse=True)
            beam = self._step(beam, frame, letters, row)
            if frame % FORGET_EVERY == 0:
                _forget(beam)
        tokens = _tokens(max(beam, key=lambda one: one.score + self._weight * self._lm.end(self._state(one))))
        _part(root)
        return tokens

    def _step(
        self, beam: list[_Prefix], frame: int, letters: list[tuple[float, int]], row: list[float]
    ) -> list[_Prefix]:
        """One frame: each prefix stays as it is, or gets one more letter. The best first, as they came.

        Args:
            beam: the prefixes that are followed, sorted.
            frame: number of the frame.
            letters: what may be written there: logarithm of the probability, and id; the most probable first.
            row: logarithms of the probabilities of all tokens.
        """
        options = self._options
        before = [(prefix, prefix.blank, prefix.total) for prefix in beam]
        for prefix in beam:
            prefix.stay(frame, row, self._blank)
        least = max(map(_BY_SCORE, beam)) - options.depth
        if len(beam) == options.width:
            least = max(least, min(map(_BY_SCORE, beam)))
        found = beam[:]
        for prefix, blank, total in before:
            # No language model favours a letter by more than certainty: what falls behind without it need not be asked.
            needed = least - prefix.prior - self._bonus
            for logprob, letter in letters:
                if total + logprob < needed:
                    break
                # The same letter twice is one letter, unless a blank lies between.
                written = (blank if letter == prefix.letter else total) + logprob
                if written < needed:
                    continue
                longer = (prefix.children or {}).get(letter) or self._longer(prefix, letter)
                if logprob > longer.logprob:
                    longer.frame, longer.logprob = frame, logprob
                if longer.weighed_at == frame:
                    longer.weigh(frame, longer.blank, _add(longer.written, written))
                elif written + longer.prior >= least:
                    longer.weigh(frame, -inf, written)
                    found.append(longer)
        found.sort(key=_BY_SCORE, reverse=True)
        least = found[0].score - options.depth
        return [prefix for prefix in found[: options.width] if prefix.score >= least]

    def _longer(self, prefix: _Prefix, letter: int) -> _Prefix:
        known = self._letters[letter]
        prior, place = self._lm.look(self._state(prefix), known)
        total = prefix.prior + self._weight * prior + self._bonus
        if prefix.children is None:
            prefix.children = {}
        found = prefix.children[letter] = _Prefix(prefix, letter, place, total)
        return found

    def _state(self, prefix: _Prefix) -> State:
        if prefix.state is None:
            if prefix.parent is None:
                prefix.state = self._lm.start
            else:
                before = self._state(prefix.parent)
                prefix.state = self._lm.after(before, self._letters[prefix.letter], prefix.place)
        return prefix.state


def _forget(beam: list[_Prefix]) -> None:
    """Let go of all prefixes that nothing in the beam goes on from."""
    alive: set[_Prefix] = set()
    for prefix in beam:
        node: _Prefix | None = prefix
        while node is not None and node not in alive:
            alive.add(node)
            node = node.parent
    for prefix in alive:
        if prefix.children:
            for one in prefix.children.values():
                if one not in alive:
                    _part(one)
            prefix.children = {letter: one for letter, one in prefix.children.items() if one in alive} or None


def _part(prefix: _Prefix) -> None:
    """Part a prefix and all that follow it from their children: what knows nobody who knows it is freed at once."""
    parted = [prefix]
    while parted:
        one = parted.pop()
        if one.children:
            parted.extend(one.children.values())
            one.children = None


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
