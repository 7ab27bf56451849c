"""Run the decoder's graph: what is remembered of earlier tokens, and which row may look at which of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from glas.engines.whisper.shape import Shape

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

_HIDDEN = np.float32(-1e9)
_ROOM = 256  # places of memory at first; more are made when they are needed
_TIDY = 64  # places below which nothing is gained by tidying up


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the decoder reads of some sounds.

    Attributes:
        cross: keys and values of each layer's cross-attention, `onnxruntime.OrtValue`, by the names of the graph.
        sounds: how many sounds.
        positions: of each sound.
    """

    cross: dict[str, Any]
    sounds: int
    positions: int

    def chosen(self, numbers: Sequence[int]) -> "Encoded":
        """Some of the sounds."""
        if list(numbers) == list(range(self.sounds)):
            return self
        make = _ort_value()
        cross = {name: make(value.numpy()[list(numbers)]) for name, value in self.cross.items()}
        return Encoded(cross, len(numbers), self.positions)


class Step:
    """The buffers of a call with a certain number of rows, bound once and used again.

    Args:
        decoding: whose step it is.
        rows: tokens of the call.
        chosen: rows whose next token is wanted.
        outputs: names of what is wanted, with the shape and type of each.
    """

    def __init__(
        self,
        decoding: "Decoding",
        rows: int,
        chosen: Sequence[int],
        outputs: dict[str, tuple[tuple[int, ...], npt.DTypeLike]],
    ) -> None:
        shape = decoding.shape
        self.binding = decoding.session.io_binding()
        self.inputs: dict[str, npt.NDArray[Any]] = {
            "tokens": np.zeros((1, rows), np.int64),
            "positions": np.zeros((1, rows), np.int64),
            "last": np.zeros(1, np.int32),
            "used": np.zeros(1, np.int32),
            "grid": np.array([decoding.encoded.sounds, -1, shape.decoder_heads, shape.head_width]),
            "chosen": np.array(chosen),
            "n_best": np.array([decoding.n_best]),
        }
        self.outputs = {name: np.empty(size, kind) for name, (size, kind) in outputs.items()}
        make = _ort_value()
        for name, array in self.inputs.items():
            self.binding.bind_ortvalue_input(name, make(array))
        for name, value in decoding.encoded.cross.items():
            self.binding.bind_ortvalue_input(name, value)
        for name, value in decoding.memory.items():
            self.binding.bind_ortvalue_input(name, value)
            self.binding.bind_ortvalue_output(f"new_{name}", value)
        for name, array in self.outputs.items():
            self.binding.bind_ortvalue_output(name, make(array))


class Decoding:
    """One run of the decoder over some sounds, each with its own texts.

    Args:
        session: of the graph of `glas.engines.whisper.decoder_graph`.
        shape: of the network.
        encoded: the sounds.
        n_best: how many next tokens are wanted of each text.
        with_attention: whether to keep what the heads that follow the sound look at.
    """

    def __init__(self, session: Any, shape: Shape, encoded: Encoded, *, n_best: int, with_attention: bool) -> None:
        import onnxruntime  # noqa: PLC0415

        self.session = session
        self.shape = shape
        self.encoded = encoded
        self.n_best = n_best
        self._with_attention = with_attention
        self._options = onnxruntime.RunOptions()
        # What nobody asks for in a call is not computed.
        self._options.only_execute_path_to_fetches = True
        self._position = 0
        self._steps: dict[tuple[int, bool], Step] = {}
        self._ancestors = np.zeros((0, 0), np.bool_)
        self._make_memory(_ROOM)

    def begin(self, prompts: Sequence[Sequence[int]], start: int) -> tuple[Floats, Floats, Floats | None]:
        """Read the prompt of each sound; all are of one length.

        Args:
            prompts: tokens.
            start: number of the token after which the network judges whether anybody speaks.

        Returns:
            Logits of the token after `start` and of the token after the prompt, each of shape `(sounds, tokens)`; and
            the attention of all rows, shape `(sounds, heads, positions, length)`, if it is kept.
        """
        sounds, length = len(prompts), len(prompts[0])
        rows = sounds * length
        if rows + sounds > self._room:
            self._make_memory(2 * (rows + sounds))
        chosen = [sound * length + place for place in (start, length - 1) for sound in range(sounds)]
        self._ancestors = np.kron(np.eye(sounds), np.tri(length)).astype(np.bool_)
        step = Step(self, rows, chosen, self._outputs(rows, len(chosen), with_logits=True))
        step.inputs["positions"][0] = np.tile(np.arange(length), sounds)
        outputs = self._run(step, [token for prompt in prompts for token in prompt], np.zeros(self.shape.tokens))
        self._ancestors = self._ancestors[length - 1 :: length]
        self._position = length
        logits = outputs["logits"]
        return logits[:sounds], logits[sounds:], self._attention(outputs)

    def advance(
        self, parents: Sequence[int], tokens: Sequence[int], barred: Any, *, with_logits: bool = False
    ) -> tuple[Floats, Integers | None, Floats | None]:
        """Go on by one token.

        Args:
            parents: row of the call before that each text comes from; in the order of the sounds, as many of each.
            tokens: the next token of each text.
            barred: what is added to the logits, an `OrtValue` of shape `(tokens,)`.
            with_logits: whether to return all logits.

        Returns:
            Natural logarithms of probability of the best next tokens, shape `(texts, n_best)`, and their ids; or all
            logits, shape `(texts, tokens)`, and nothing. Then the attention, shape `(sounds, heads, positions, texts
            of a sound)`, if it is kept. All are valid until the next call.
        """
        rows = len(tokens)
        self._ancestors = self._ancestors[list(parents)]
        self._tidy(rows)
        self._ancestors = np.concatenate([self._ancestors, np.eye(rows, dtype=np.bool_)], axis=1)
        step = self._steps.get((rows, with_logits))
        if step is None:
            step = Step(self, rows, range(rows), self._outputs(rows, rows, with_logits=with_logits))
            self._steps[rows, with_logits] = step
        step.inputs["positions"][:] = self._position
        outputs = self._run(step, tokens, barred)
        self._position += 1
        attention = self._attention(outputs)
        if with_logits:
            return outputs["logits"], None, attention
        return outputs["best"], outputs["best_tokens"], attention

    def keep(self, sounds: Sequence[int], texts: int) -> None:
        """Go on with some of the sounds alone.

        Args:
            sounds: their numbers, rising.
            texts: texts that each sound had in the last call.
        """
        rows = [sound * texts + text for sound in sounds for text in range(texts)]
        self._ancestors = self._ancestors[rows]
        self.encoded = self.encoded.chosen(sounds)
        self._steps.clear()

    def _run(self, step: Step, tokens: Sequence[int], barred: Any) -> dict[str, npt.NDArray[Any]]:
        used = self._ancestors.shape[1]
        step.inputs["tokens"][0] = tokens
        step.inputs["last"][0], step.inputs["used"][0] = used - 1, used
        mask = np.where(self._ancestors, np.float32(0), _HIDDEN)[None, None]
        if isinstance(barred, np.ndarray):
            barred = _ort_value()(barred.astype(np.float32))
        step.binding.bind_ortvalue_input("mask", _ort_value()(mask))
        step.binding.bind_ortvalue_input("barred", barred)
        self.session.run_with_iobinding(step.binding, self._options)
        return step.outputs

    def _outputs(
        self, rows: int, chosen: int, *, with_logits: bool
    ) -> dict[str, tuple[tuple[int, ...], npt.DTypeLike]]:
        outputs: dict[str, tuple[tuple[int, ...], npt.DTypeLike]]
        if with_logits:
            outputs = {"logits": ((chosen, self.shape.tokens), np.float32)}
        else:
            size = (chosen, self.n_best)
            outputs = {"best": (size, np.float32), "best_tokens": (size, np.int64)}
        if self._with_attention:
            sounds, positions = self.encoded.sounds, self.encoded.positions
            for layer, heads in self.shape.alignment_heads.items():
                outputs[f"attention_{layer}"] = (sounds, len(heads), positions, rows // sounds), np.float32
        return outputs

    def _attention(self, outputs: dict[str, npt.NDArray[Any]]) -> Floats | None:
        if not self._with_attention:
            return None
        return np.concatenate([outputs[f"attention_{layer}"] for layer in self.shape.alignment_layers], axis=1)

    def _make_memory(self, room: int) -> None:
        shape = self.shape
        self._room = room
        size = (2 * shape.decoder_layers, 1, shape.decoder_heads, room, shape.head_width)
        self._buffer = np.zeros(size, np.float32)
        names = [f"{kind}_{index}" for index in range(shape.decoder_layers) for kind in ("keys", "values")]
        self.memory = {name: _ort_value()(part) for name, part in zip(names, self._buffer, strict=True)}
        self._steps.clear()

    def _tidy(self, rows: int) -> None:
        """Drop what no text looks at any more when it is half of the memory, and make room for the rows that come."""
        used = self._ancestors.shape[1]
        is_full = used + rows > self._room
        if not is_full and used < _TIDY:
            return
        needed = np.flatnonzero(self._ancestors.any(axis=0))
        if not is_full and 2 * len(needed) > used:
            return
        kept = self._buffer[:, :, :, needed]
        if 2 * len(needed) + rows > self._room:
            self._make_memory(2 * self._room + rows)
        self._buffer[:, :, :, : len(needed)] = kept
        self._ancestors = self._ancestors[:, needed]


def _ort_value() -> Any:
    """The function that wraps an array, without a copy, for onnxruntime."""
    import onnxruntime  # noqa: PLC0415

    return onnxruntime.OrtValue.ortvalue_from_numpy
