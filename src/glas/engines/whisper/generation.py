"""Generate the texts of a sound: first the most probable text, token by token, then its alternatives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from glas.engines.whisper.alternatives import Choice, Path, alternatives
from glas.engines.whisper.backend import Draft
from glas.engines.whisper.decoding import Decoding, Prefix, Prompt
from glas.engines.whisper.vocabulary import Vocabulary

# Number of changes that are tried, for each unit of the beam size.
_CHANGES_PER_TEXT = 6


@dataclass(frozen=True, slots=True)
class Settings:
    """Options of generation; see `glas.engines.whisper.backend.Backend.generate`."""

    most_tokens: int
    temperature: float
    beam_size: int


class Barred:
    """Tokens that must not be generated, stored as numbers that are added to logits.

    Args:
        n_tokens: size of the vocabulary.
        end: id of the end token; tokens with larger ids are not text, and are always barred.
        always: ids of text tokens that are also always barred.
        at_first: ids that are barred only at the beginning of a text.
    """

    def __init__(self, n_tokens: int, end: int, always: Sequence[int], at_first: Sequence[int]) -> None:
        # The import takes a second, and not every use of `glas.engines.whisper` needs it.
        import onnxruntime  # noqa: PLC0415

        self._always = np.zeros(n_tokens, np.float32)
        self._always[end + 1 :] = -np.inf
        self._always[[token for token in always if token < n_tokens]] = -np.inf
        self.at_first = self._always.copy()
        self.at_first[[token for token in at_first if token < n_tokens]] = -np.inf
        self.always = onnxruntime.OrtValue.ortvalue_from_numpy(self._always)


def generate(
    decoding: Decoding, prompt: Sequence[int], settings: Settings, barred: Barred, vocabulary: Vocabulary
) -> list[Draft]:
    """Generate texts of one sound, the most probable text first.

    Args:
        decoding: a new run of the decoder over the sound.
        prompt: tokens before the text.
        settings: temperature, width of the search, and largest number of tokens.
        barred: tokens that must not be generated.
        vocabulary: the network's tokens.
    """
    read = decoding.begin(prompt, prompt.index(vocabulary.start), barred.at_first)
    silence = _share(read.judged, vocabulary.no_speech)
    choose = _Sampler(settings.temperature) if settings.temperature > 0 else _most_probable
    first = _written(decoding, read.prefix, settings, vocabulary.end, choose)
    drafts = [_draft(first, read, silence, vocabulary.end)]
    if settings.temperature > 0 or settings.beam_size == 1:
        return drafts
    others = alternatives(
        decoding,
        first,
        vocabulary.end,
        most=_CHANGES_PER_TEXT * settings.beam_size,
        most_tokens=settings.most_tokens,
        letters=vocabulary.letters,
    )
    for found in others:
        draft = _draft(found.path, read, silence, vocabulary.end)
        drafts.append(draft._replace(replaced=(found.start, found.end)))
    return drafts


def _written(decoding: Decoding, prefix: Prefix, settings: Settings, end: int, choose: Callable[[Prefix], int]) -> Path:
    """Generate one text, token by token.

    The text ends with the end token, unless it reaches the largest number of tokens before.
    """
    path: Path = []
    while len(path) < settings.most_tokens:
        path.append(Choice(prefix, choose(prefix)))
        if path[-1].token == end:
            break
        ((prefix,),) = decoding.extend([(prefix, [path[-1].token])], with_logits=settings.temperature > 0)
    return path


def _most_probable(prefix: Prefix) -> int:
    return prefix.best[0]


class _Sampler:
    """Samples the next token. The same sound always gives the same text."""

    def __init__(self, temperature: float) -> None:
        self._temperature = temperature
        self._random = np.random.default_rng(0)

    def __call__(self, prefix: Prefix) -> int:
        if prefix.logits is None:
            raise ValueError("Expected a prefix with its logits.")
        # The largest of the logarithms with Gumbel noise is a sample of the distribution.
        weighed = prefix.logits / self._temperature + self._random.gumbel(size=prefix.logits.shape)
        return int(np.argmax(weighed))


def _draft(path: Path, read: Prompt, silence: float, end: int) -> Draft:
    logprobs = [choice.logprob for choice in path]
    has_ended = bool(path) and path[-1].token == end
    tokens = [choice.token for choice in path[: len(path) - has_ended]]
    looks = [choice.after.attention for choice in path]
    rows = (*read.attention, *(look for look in looks if look is not None))
    return Draft(
        tokens=tokens,
        avg_logprob=min(sum(logprobs) / len(logprobs), 0.0) if tokens else 0.0,
        no_speech_probability=silence,
        has_ended=has_ended,
        logprobs=logprobs[: len(tokens)],
        attention=rows if len(rows) > len(read.attention) else None,
    )


def _share(logits: npt.NDArray[Any], token: int | None) -> float:
    """Return the probability of a token according to the logits; 0 if `token` is None."""
    if token is None:
        return 0.0
    weights = np.exp(logits - logits.max())
    return float(weights[token] / weights.sum())
