"""Generate the texts of some sounds: read their prompts, then go on token by token while any text does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from glas.engines.whisper.backend import Draft
from glas.engines.whisper.decoding import Decoding, Floats
from glas.engines.whisper.search import Beam, Candidate, Row
from glas.engines.whisper.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Settings:
    """How texts are generated; see `glas.engines.whisper.backend.Backend.generate`."""

    most_tokens: int
    temperature: float
    beam_size: int


class Barred:
    """Tokens that are never generated, as numbers to add to logits.

    Args:
        n_tokens: size of the vocabulary.
        end: id of the end token; what is above it is no text, and barred everywhere.
        always: further ids that are barred everywhere.
        at_first: ids that are barred at the beginning of a text too.
    """

    def __init__(self, n_tokens: int, end: int, always: Sequence[int], at_first: Sequence[int]) -> None:
        # A second to import, which `glas.engines.whisper` as a whole need not pay.
        import onnxruntime  # noqa: PLC0415

        self._always = np.zeros(n_tokens, np.float32)
        self._always[end + 1 :] = -np.inf
        self._always[[token for token in always if token < n_tokens]] = -np.inf
        self.at_first = self._always.copy()
        self.at_first[[token for token in at_first if token < n_tokens]] = -np.inf
        self.always = onnxruntime.OrtValue.ortvalue_from_numpy(self._always)


@dataclass(slots=True)
class _Text:
    """The text of one sound on its way.

    Attributes:
        beam: its search.
        no_speech_probability: see `Draft`.
        before: attention of the prompt, shape `(heads, positions, length)`.
        looks: attention of each call, shape `(heads, positions, rows)`.
    """

    beam: Beam
    no_speech_probability: float
    before: Floats | None
    looks: list[Floats]

    def drafts(self) -> list[Draft]:
        return [self._draft(found) for found in self.beam.found]

    def _draft(self, found: Candidate) -> Draft:
        mean = found.score / max(len(found.logprobs), 1) if found.tokens else 0.0
        return Draft(
            tokens=list(found.tokens),
            avg_logprob=min(mean, 0.0),
            no_speech_probability=self.no_speech_probability,
            has_ended=found.has_ended,
            logprobs=list(found.logprobs[: len(found.tokens)]),
            attention=self._attention(found),
        )

    def _attention(self, found: Candidate) -> Floats | None:
        """Where the decoder looked along a text: the prompt, then every token that was read."""
        if self.before is None:
            return None
        # The first of the rows wrote the first token: it belongs to the prompt.
        read = zip(self.looks, found.rows[1 : len(found.tokens) + 1], strict=False)
        rows = [self.before.transpose(2, 0, 1), *(look[None, :, :, row] for look, row in read)]
        return np.concatenate(rows)


def generate(
    decoding: Decoding, prompts: list[list[int]], settings: Settings, barred: Barred, vocabulary: Vocabulary
) -> list[list[Draft]]:
    """Generate texts of each sound, the best first.

    Args:
        decoding: a fresh run of the decoder over the sounds, with twice as many best tokens as texts of a beam.
        prompts: tokens before each text, all of one length.
        settings: how.
        barred: tokens that must not come.
        vocabulary: the network's tokens.
    """
    start = prompts[0].index(vocabulary.start)
    judged, logits, attention = decoding.begin(prompts, start)
    texts = [
        _Text(
            Beam(settings.beam_size, vocabulary.end, settings.most_tokens),
            _share(judged[index], vocabulary.no_speech),
            None if attention is None else attention[index],
            [],
        )
        for index in range(len(prompts))
    ]
    choose = _Chooser(settings, decoding.n_best)
    rows = [_advance(text, choose(row[None])) for text, row in zip(texts, logits + barred.at_first, strict=True)]
    _go_on(decoding, texts, rows, choose, barred)
    return [text.drafts() for text in texts]


def _go_on(decoding: Decoding, texts: list[_Text], rows: list[list[Row]], choose: "_Chooser", barred: Barred) -> None:
    """Call the decoder until all texts are whole."""
    alive, width = list(range(len(texts))), 1
    while any(rows):
        if 2 * sum(map(bool, rows)) <= len(rows):
            # Texts that are whole take no more part, once they are half of all.
            going_on = [place for place, found in enumerate(rows) if found]
            decoding.keep(going_on, width)
            alive, rows = [alive[place] for place in going_on], [rows[place] for place in going_on]
        parents, tokens, n_rows = _filled(rows, width)
        found, ids, attention = decoding.advance(parents, tokens, barred.always, with_logits=choose.by_chance)
        logprobs, ids = choose(found) if ids is None else (found, ids)
        for place, index in enumerate(alive):
            if not rows[place]:
                continue
            if attention is not None:
                texts[index].looks.append(attention[place].copy())
            first = place * n_rows
            mine = slice(first, first + len(rows[place]))
            rows[place] = _advance(texts[index], (logprobs[mine], ids[mine]))
        width = n_rows


def _advance(text: _Text, found: tuple[Floats, npt.NDArray[np.int64]]) -> list[Row]:
    return text.beam.advance(*found)


def _filled(rows: list[list[Row]], width: int) -> tuple[list[int], list[int], int]:
    """Rows of all sounds, as many of each; what is missing is filled with copies that nobody reads.

    Args:
        rows: of each sound, with parents numbered within the sound.
        width: rows that each sound had in the last call.

    Returns:
        Parents, numbered over all sounds; tokens; and the rows of each sound.
    """
    n_rows = max(map(len, rows))
    parents, tokens = [], []
    for place, found in enumerate(rows):
        for row in (found + [found[0] if found else Row(0, 0)] * n_rows)[:n_rows]:
            parents.append(place * width + row.parent)
            tokens.append(row.token)
    return parents, tokens, n_rows


class _Chooser:
    """From logits to the next tokens: the best ones, or one by chance."""

    def __init__(self, settings: Settings, n_best: int) -> None:
        self.by_chance = settings.temperature > 0
        self._temperature = settings.temperature
        self._n_best = n_best
        # The same sound gives the same text.
        self._random = np.random.default_rng(0)

    def __call__(self, logits: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
        """Natural logarithms of probability, and ids, of the next tokens of each row."""
        highest = logits.max(axis=1, keepdims=True)
        logprobs = logits - highest - np.log(np.exp(logits - highest).sum(axis=1, keepdims=True))
        if self.by_chance:
            # The largest of the logarithms with Gumbel noise is a sample of the distribution.
            weighed = logits / self._temperature + self._random.gumbel(size=logits.shape)
            ids = np.argmax(weighed, axis=1)[:, None]
        else:
            n_best = min(self._n_best, logits.shape[1])
            ids = np.argpartition(-logits, n_best - 1, axis=1)[:, :n_best]
            ids = np.take_along_axis(ids, np.argsort(-np.take_along_axis(logits, ids, 1), axis=1), 1)
        return np.take_along_axis(logprobs, ids, 1), ids


def _share(logits: npt.NDArray[Any], token: int | None) -> float:
    """The probability of a token; 0 if there is no such token."""
    if token is None:
        return 0.0
    weights = np.exp(logits - logits.max())
    return float(weights[token] / weights.sum())
