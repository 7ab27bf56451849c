"""Run the decoder's graph on prefixes (beginnings) of the possible texts of one piece of sound.

Texts with a common beginning share the decoder's results for this beginning. Each token that the decoder has read has a
place in one memory (KV cache). A `Prefix` contains the places of the prefix's tokens. One call reads any number of
tokens, of one or of several texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from glas.engines.whisper.shape import Shape

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

_HIDDEN = np.float32(-1e9)
_ROOM = 256  # places of the memory at first; their number is doubled when necessary


@dataclass(frozen=True, slots=True)
class Encoded:
    """The encoded form of some sounds, as the decoder reads it.

    Attributes:
        cross: keys and values of each layer's cross-attention, `onnxruntime.OrtValue`, by their names in the graph.
        sounds: number of encoded sounds.
        positions: number of positions of each sound.
    """

    cross: dict[str, Any]
    sounds: int
    positions: int

    def one(self, number: int) -> "Encoded":
        """Return the encoded form of one of the sounds."""
        if self.sounds == 1:
            return self
        make = _ort_value()
        cross = {name: make(value.numpy()[number : number + 1]) for name, value in self.cross.items()}
        return Encoded(cross, 1, self.positions)


@dataclass(frozen=True, slots=True, eq=False)
class Prefix:
    """A beginning of a text that the decoder has read: the prompt and the first tokens of the text.

    Attributes:
        places: places of the prefix's tokens in the memory.
        best: ids of the most probable next tokens, the most probable first.
        logprobs: natural logarithms of the probabilities of the tokens in `best`.
        logits: logits of all possible next tokens, if they were requested.
        attention: attention over the sound at the last token, shape `(heads, positions)`, if it is kept.
    """

    places: Integers
    best: list[int]
    logprobs: list[float]
    logits: Floats | None = None
    attention: Floats | None = None

    def logprob(self, token: int) -> float | None:
        """Return the natural logarithm of the probability of a next token; None if the token is not in `best`."""
        return self.logprobs[self.best.index(token)] if token in self.best else None


@dataclass(frozen=True, slots=True)
class Prompt:
    """Result of reading the prompt.

    Attributes:
        judged: logits after the start token, from which the probability that nobody speaks is computed.
        prefix: the prefix that contains only the prompt, that is, an empty text.
        attention: attention at each token of the prompt except the last one, if it is kept.
    """

    judged: Floats
    prefix: Prefix
    attention: tuple[Floats, ...]


class Decoding:
    """One run of the decoder over one sound.

    Args:
        session: session of the graph of `glas.engines.whisper.decoder_graph`.
        shape: the dimensions of the network.
        encoded: the encoded sound.
        barred: numbers that are added to the logits to exclude tokens, an `onnxruntime.OrtValue` of shape `(tokens,)`.
        n_best: number of best next tokens for each prefix.
        with_attention: whether to keep the attention of the alignment heads.
    """

    def __init__(
        self, session: Any, shape: Shape, encoded: Encoded, barred: Any, *, n_best: int, with_attention: bool
    ) -> None:
        self._session = session
        self._shape = shape
        self._encoded = encoded
        self._barred = barred
        self._n_best = n_best
        self._with_attention = with_attention
        self._used = 0
        self._buffer: Floats | None = None
        self._memory: dict[str, Any] = {}
        self._make_memory(_ROOM)

    def begin(self, prompt: Sequence[int], start: int, barred: Floats) -> Prompt:
        """Read the prompt.

        Args:
            prompt: tokens of the prompt.
            start: index in the prompt of the start token, after which the network predicts whether anybody speaks.
            barred: numbers that are added to the logits of the first token of the text, shape `(tokens,)`.
        """
        length = len(prompt)
        mask = np.tri(length, dtype=np.bool_)
        nothing = _ort_value()(np.zeros(self._shape.tokens, np.float32))
        outputs = self._read_tokens(prompt, range(length), mask, [start, length - 1], nothing, with_logits=True)
        looks = self._attention(outputs, length)
        logits = outputs["logits"]
        prefix = self._prefix(np.arange(length), logits[1] + barred, looks[-1])
        return Prompt(logits[0], prefix, tuple(look for look in looks[:-1] if look is not None))

    def extend(
        self, chains: Sequence[tuple[Prefix, Sequence[int]]], *, with_logits: bool = False
    ) -> list[list[Prefix]]:
        """Let the decoder read more tokens after prefixes.

        Args:
            chains: prefixes, each with the tokens that follow it.
            with_logits: whether to return the logits of all possible next tokens.

        Returns:
            For each chain, one prefix for each of its tokens: the prefix that ends with this token.
        """
        tokens = [token for _, chain in chains for token in chain]
        positions = [len(prefix.places) + step for prefix, chain in chains for step in range(len(chain))]
        first = self._used
        mask = np.zeros((len(tokens), first + len(tokens)), np.bool_)
        places: list[Integers] = []
        for prefix, chain in chains:
            begun = len(places)
            for step in range(len(chain)):
                own = np.arange(first + begun, first + begun + step + 1)
                places.append(np.concatenate([prefix.places, own]))
                mask[begun + step, places[-1]] = True
        outputs = self._read_tokens(tokens, positions, mask, range(len(tokens)), self._barred, with_logits=with_logits)
        looks = self._attention(outputs, len(tokens))
        if with_logits:
            found = [self._prefix(*row) for row in zip(places, outputs["logits"], looks, strict=True)]
        else:
            rows = zip(places, outputs["best_tokens"].tolist(), outputs["best"].tolist(), looks, strict=True)
            found = [Prefix(where, best, logprobs, None, look) for where, best, logprobs, look in rows]
        row = iter(found)
        return [[next(row) for _ in chain] for _, chain in chains]

    def _prefix(self, places: Integers, logits: Floats, look: Floats | None) -> Prefix:
        highest = logits.max()
        n_best = min(self._n_best, len(logits))
        best = np.argpartition(-logits, n_best - 1)[:n_best]
        best = best[np.argsort(-logits[best])]
        logprobs = logits[best] - highest - np.log(np.exp(logits - highest).sum())
        return Prefix(places, best.tolist(), logprobs.tolist(), logits, look)

    def _read_tokens(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        mask: npt.NDArray[np.bool_],
        chosen: Sequence[int],
        barred: Any,
        *,
        with_logits: bool,
    ) -> dict[str, npt.NDArray[Any]]:
        """Read tokens, one in each row; `mask` selects the places of the memory that a row attends to."""
        self._used += len(tokens)
        if self._used > self._room:
            self._make_memory(max(2 * self._room, self._used))
        shape = self._shape
        binding = self._session.io_binding()
        inputs = {
            "tokens": np.array([tokens]),
            "positions": np.array([positions]),
            "mask": np.where(mask, np.float32(0), _HIDDEN)[None, None],
            "last": np.array([self._used - 1], np.int32),
            "used": np.array([self._used], np.int32),
            "grid": np.array([1, -1, shape.decoder_heads, shape.head_width]),
            "chosen": np.array(chosen),
            "n_best": np.array([self._n_best]),
        }
        make = _ort_value()
        values = [(name, make(array)) for name, array in inputs.items()]
        for name, value in (*values, ("barred", barred), *self._encoded.cross.items()):
            binding.bind_ortvalue_input(name, value)
        for name, value in self._memory.items():
            binding.bind_ortvalue_input(name, value)
            binding.bind_ortvalue_output(f"new_{name}", value)
        outputs = self._outputs(len(tokens), len(chosen), with_logits=with_logits)
        for name, array in outputs.items():
            binding.bind_ortvalue_output(name, make(array))
        self._session.run_with_iobinding(binding)
        return outputs

    def _outputs(self, rows: int, chosen: int, *, with_logits: bool) -> dict[str, npt.NDArray[Any]]:
        outputs: dict[str, npt.NDArray[Any]]
        if with_logits:
            outputs = {"logits": np.empty((chosen, self._shape.tokens), np.float32)}
        else:
            size = (chosen, self._n_best)
            outputs = {"best": np.empty(size, np.float32), "best_tokens": np.empty(size, np.int64)}
        if self._with_attention:
            for layer, heads in self._shape.alignment_heads.items():
                outputs[f"attention_{layer}"] = np.empty((1, len(heads), self._encoded.positions, rows), np.float32)
        return outputs

    def _attention(self, outputs: dict[str, npt.NDArray[Any]], rows: int) -> Sequence[Floats | None]:
        """Return the attention of each row, shape `(heads, positions)`."""
        if not self._with_attention:
            return [None] * rows
        layers = [outputs[f"attention_{layer}"][0] for layer in self._shape.alignment_layers]
        return list(np.ascontiguousarray(np.concatenate(layers).transpose(2, 0, 1)))

    @property
    def _room(self) -> int:
        return 0 if self._buffer is None else int(self._buffer.shape[3])

    def _make_memory(self, room: int) -> None:
        """Allocate memory with `room` places, and copy the contents of the former, smaller memory into it."""
        shape, old = self._shape, self._buffer
        size = (2 * shape.decoder_layers, 1, shape.decoder_heads, room, shape.head_width)
        self._buffer = np.zeros(size, np.float32)
        if old is not None:
            self._buffer[:, :, :, : old.shape[3]] = old
        names = [f"{kind}_{index}" for index in range(shape.decoder_layers) for kind in ("keys", "values")]
        self._memory = {name: _ort_value()(part) for name, part in zip(names, self._buffer, strict=True)}


def _ort_value() -> Any:
    """Return the function that wraps an array for onnxruntime without a copy."""
    import onnxruntime  # noqa: PLC0415

    return onnxruntime.OrtValue.ortvalue_from_numpy
