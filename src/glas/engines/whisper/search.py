"""Beam search for the most probable text, one text of one sound; greedy search is a beam of one.

The rules are those of CTranslate2's decoder with a length penalty of 1 and a patience of 1 (src/decoding.cc of
OpenNMT/CTranslate2), so that both give the same texts: of the `2 * beam_size` best continuations the first `beam_size`
are kept; one of them that ends is set aside, and the next best that does not end takes its place; the search is over
when `beam_size` texts have ended. The best is the one with the highest mean logarithm of a token's probability.

Two rules are added, which save rows and calls. A text is given up when it is `_DEPTH` behind the best of its length,
and when it would stay behind the best text that has ended even if its next `_AHEAD` tokens were certain.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_DEPTH = 4.0  # natural logarithms
_AHEAD = 8  # tokens


class Row(NamedTuple):
    """One text that is followed: from which row of the call before it comes, and by which token it goes on."""

    parent: int
    token: int


class Candidate(NamedTuple):
    """A text, whole or in part.

    Attributes:
        score: sum of the natural logarithms of its tokens' probabilities, that of the end included if it has ended.
        tokens: ids, without the end.
        logprobs: of each token, and of the end if it has ended.
        rows: number of the row, in each call, that wrote the token after this one; see `Beam.advance`.
        has_ended: whether the end token was written.
    """

    score: float = 0.0
    tokens: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    rows: tuple[int, ...] = ()
    has_ended: bool = False

    @property
    def mean(self) -> float:
        """Score per token; the end is not counted, as in CTranslate2."""
        return self.score / max(len(self.tokens), 1)


@dataclass
class Beam:
    """The texts that are followed for one sound.

    Attributes:
        size: most texts that are followed at once.
        end: id of the end token.
        most_tokens: tokens after which a text is broken off.
        live: texts that go on.
        ended: texts that are whole, or were broken off.
        is_over: whether the search is.
    """

    size: int
    end: int
    most_tokens: int
    live: list[Candidate] = field(default_factory=lambda: [Candidate()])
    ended: list[Candidate] = field(default_factory=list)
    is_over: bool = False

    @property
    def found(self) -> list[Candidate]:
        """Texts found, the best first; a search that is not over gives the beginnings."""
        return sorted(self.ended or self.live, key=lambda one: one.mean, reverse=True)

    def advance(self, logprobs: npt.NDArray[np.float32], tokens: npt.NDArray[np.int64]) -> list[Row]:
        """Go on by one token.

        Args:
            logprobs: natural logarithms of probability of the best next tokens of each live text, shape
                `(live, 2 * size)`.
            tokens: their ids, of the same shape.

        Returns:
            The live texts that came of it, one row each; none when the search is over.
        """
        found = self._kept(self._continued(logprobs, tokens))
        if self.is_over or not found:
            self.is_over = True
            return []
        self.live = [text for _, text in found]
        return [Row(parent, text.tokens[-1]) for parent, text in found]

    def _continued(
        self, logprobs: npt.NDArray[np.float32], tokens: npt.NDArray[np.int64]
    ) -> list[tuple[int, Candidate]]:
        """The best continuations with the row they come from, the best first."""
        scores = np.array([text.score for text in self.live])[:, None] + logprobs
        order = np.argsort(-scores, axis=None, kind="stable")[: 2 * self.size]
        # Lists, for single numbers of an array are slow to read.
        found = zip(
            (order // scores.shape[1]).tolist(),
            scores.ravel()[order].tolist(),
            logprobs.ravel()[order].tolist(),
            tokens.ravel()[order].tolist(),
            strict=True,
        )
        return [(parent, self._longer(parent, score, logprob, token)) for parent, score, logprob, token in found]

    def _longer(self, parent: int, score: float, logprob: float, token: int) -> Candidate:
        text, has_ended = self.live[parent], token == self.end
        return Candidate(
            score=score,
            tokens=text.tokens if has_ended else (*text.tokens, token),
            logprobs=(*text.logprobs, logprob),
            rows=(*text.rows, parent),
            has_ended=has_ended,
        )

    def _kept(self, continued: list[tuple[int, Candidate]]) -> list[tuple[int, Candidate]]:
        """Set aside what has ended, and leave what is still worth following."""
        first, rest = continued[: self.size], iter(continued[self.size :])
        kept = []
        for parent, text in first:
            if text.has_ended or len(text.tokens) == self.most_tokens:
                self.ended.append(text)
                going_on = next(((p, other) for p, other in rest if not other.has_ended), None)
                kept += [going_on] if going_on else []
            else:
                kept.append((parent, text))
        if len(self.ended) >= self.size or len(continued[0][1].logprobs) >= self.most_tokens:
            self.is_over = True
        least = continued[0][1].score - _DEPTH
        best_ended = max((text.mean for text in self.ended), default=-np.inf)
        return sorted(
            (
                (parent, text)
                for parent, text in kept
                if text.score >= least and text.score / (len(text.tokens) + _AHEAD) >= best_ended
            ),
            key=lambda pair: pair[1].score,
            reverse=True,
        )
