"""Whisper in onnxruntime: the backend for processors.

onnxruntime packs int8 weights (rearranges them in memory for fast products) once, when the model is loaded. The library
oneDNN, which CTranslate2 uses, packs int8 weights for every product. So with onnxruntime, decoding a token takes a
third of the time that it takes with CTranslate2 (docs/benchmarks.md). When a model is loaded, the ONNX graphs of the
encoder and the decoder are built from the weights of the CTranslate2 model.
"""

from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from glas.domain.errors import InvalidParameterError, ModelError, ModelLoadError
from glas.engines import allocator
from glas.engines.json_file import read_json
from glas.engines.session import session_options
from glas.engines.whisper.alignment import arrivals
from glas.engines.whisper.arrays import load_configuration, stored_arrays
from glas.engines.whisper.backend import LEAST_LOGPROB, POSITION_S, Draft, Timing, written_languages
from glas.engines.whisper.checkpoint import CONFIG, CONVERTED_WEIGHTS
from glas.engines.whisper.context import context_rule
from glas.engines.whisper.decoder_graph import build_decoder
from glas.engines.whisper.decoding import Decoding, Encoded, Prefix
from glas.engines.whisper.encoder_graph import build_encoder
from glas.engines.whisper.generation import Barred, Settings, generate
from glas.engines.whisper.graph import GraphPrecision, Weights
from glas.engines.whisper.mel import FRAMES_PER_POSITION, Features
from glas.engines.whisper.shape import shape_of
from glas.engines.whisper.vocabulary import Vocabulary

_CPU = ("CPUExecutionProvider",)
_N_BEST = 8  # next tokens that are examined; more are never within `DEPTH` of `alternatives`


class OnnxNetwork:
    """A loaded Whisper; see `glas.engines.whisper.backend.Backend`.

    Args:
        directory: directory of the CTranslate2 model.
        precision: number format of the matrices.
        threads: number of processor threads of one call.

    Attributes:
        precision: number format of the matrices.

    Raises:
        ModelFileMissingError: a file is missing.
        ModelLoadError: the files are damaged, or do not belong to a Whisper.
    """

    def __init__(self, directory: Path, *, precision: GraphPrecision, threads: int) -> None:
        settings = read_json(directory / CONFIG)
        shape = shape_of(load_configuration(directory), settings)
        self.precision = precision
        self._shape = shape
        self.n_frames = FRAMES_PER_POSITION * shape.source_positions
        self.n_mels = shape.mels
        self.text_context = shape.target_positions
        self.context = context_rule(directory)
        self.vocabulary = Vocabulary(directory, self.text_context)
        weights = Weights(stored_arrays(directory / CONVERTED_WEIGHTS))
        try:
            # The graphs are loaded one after the other, because each needs three times its size for a moment.
            self._encoder: Any = _session(build_encoder(weights, shape, precision), threads)
            self._decoder: Any = _session(build_decoder(weights, shape, precision), threads)
        except Exception as error:  # onnxruntime's errors have no common base
            raise ModelLoadError(f"The Whisper model in {directory} cannot be loaded: {error}") from error
        allocator.trim()
        self._barred = Barred(
            shape.tokens,
            self.vocabulary.end,
            settings.get("suppress_ids") or [],
            settings.get("suppress_ids_begin") or [],
        )
        self.languages = written_languages(directory, settings, self.vocabulary)
        self._languages = {number: code for code, number in self.vocabulary.languages.items()}

    def close(self) -> None:
        """Free the weights after all running calls have ended."""
        self._encoder = self._decoder = None

    def encode(self, features: Sequence[Features]) -> Encoded:
        """See `Backend.encode`."""
        session = _loaded(self._encoder)
        stacked = np.ascontiguousarray(np.stack(features), dtype=np.float32)
        binding = session.io_binding()
        binding.bind_cpu_input("mel", stacked)
        names = [output.name for output in session.get_outputs()]
        for name in names:
            binding.bind_output(name)
        session.run_with_iobinding(binding)
        return Encoded(dict(zip(names, binding.get_outputs(), strict=True)), *_size(stacked))

    def language_probabilities(self, encoded: Encoded) -> list[dict[str, float]]:
        """See `Backend.language_probabilities`."""
        if not self._languages:
            raise InvalidParameterError(
                "Expected the name of a language: this model cannot detect the language.", param="language"
            )
        nothing = np.zeros(self._shape.tokens, np.float32)
        read = [
            self._decoding(encoded.one(number)).begin([self.vocabulary.start], 0, nothing)
            for number in range(encoded.sounds)
        ]
        chosen = np.stack([one.judged for one in read])[:, list(self._languages)]
        weights = np.exp(chosen - chosen.max(axis=1, keepdims=True))
        probabilities = weights / weights.sum(axis=1, keepdims=True)
        return [dict(zip(self._languages.values(), map(float, row), strict=True)) for row in probabilities]

    def generate(
        self,
        encoded: Encoded,
        prompts: list[list[int]],
        *,
        most_tokens: int,
        temperature: float,
        beam_size: int,
        with_times: bool,
    ) -> list[list[Draft]]:
        """See `Backend.generate`."""
        settings = Settings(
            most_tokens=min(most_tokens, self.text_context - len(prompts[0]) - 1),
            temperature=temperature,
            beam_size=1 if temperature else beam_size,
        )
        n_best = _N_BEST if settings.beam_size > 1 else 1
        return [
            generate(
                self._decoding(encoded.one(number), n_best=n_best, with_attention=with_times),
                prompt,
                settings,
                self._barred,
                self.vocabulary,
            )
            for number, prompt in enumerate(prompts)
        ]

    def score(self, encoded: Encoded, prompt: list[int], texts: Sequence[list[int]]) -> list[float]:
        """See `Backend.score`."""
        decoding = self._decoding(encoded)
        first = decoding.begin(prompt, prompt.index(self.vocabulary.start), self._barred.at_first).prefix
        (own,) = self._read(decoding, [(first, texts[0])])
        # The beginning that a text has in common with the first text is not read again. The remaining tokens of all
        # texts are read in one call.
        shared = [[first, *own][: _n_common(text, texts[0]) + 1] for text in texts[1:]]
        rests = [(read[-1], text[len(read) - 1 :]) for read, text in zip(shared, texts[1:], strict=True)]
        others = [[*read, *rest] for read, rest in zip(shared, self._read(decoding, rests), strict=True)]
        ends = ([*text, self.vocabulary.end] for text in texts)
        return [
            sum(_logprob(prefix.logits, token) for prefix, token in zip(prefixes, tokens, strict=True))
            for prefixes, tokens in zip([[first, *own], *others], ends, strict=True)
        ]

    @staticmethod
    def _read(decoding: Decoding, chains: Sequence[tuple[Prefix, Sequence[int]]]) -> list[list[Prefix]]:
        """Run the decoder on several prefixes, each together with the tokens that follow it.

        Args:
            decoding: the run of the decoder to which the prefixes belong.
            chains: pairs of a prefix and the tokens that follow it; there may be no such tokens.

        Returns:
            For each pair, the prefixes that end with each of its tokens.
        """
        read = iter(decoding.extend(some, with_logits=True) if (some := [one for one in chains if one[1]]) else ())
        return [next(read) if tokens else [] for _, tokens in chains]

    def align(self, encoded: Encoded, task: list[int], drafts: Sequence[Draft], frames: list[int]) -> list[Timing]:  # noqa: ARG002
        """See `Backend.align`; the attention is part of the drafts."""
        return [_timing(draft, len(task), n_frames) for draft, n_frames in zip(drafts, frames, strict=True)]

    def _decoding(self, encoded: Encoded, *, n_best: int = 1, with_attention: bool = False) -> Decoding:
        return Decoding(
            _loaded(self._decoder),
            self._shape,
            encoded,
            self._barred.always,
            n_best=n_best,
            with_attention=with_attention,
        )


def _session(model: bytes, threads: int) -> Any:
    # The import takes a second and dozens of megabytes.
    import onnxruntime  # noqa: PLC0415

    return onnxruntime.InferenceSession(model, session_options(threads, whole_range=True), providers=list(_CPU))


def _loaded(session: Any) -> Any:
    if session is None:
        raise ModelError("The model is closed.")
    return session


def _logprob(logits: npt.NDArray[np.float32] | None, token: int) -> float:
    if logits is None:
        raise ModelError("Expected a prefix with its logits.")
    highest = logits.max()
    return max(float(logits[token] - highest - np.log(np.exp(logits - highest).sum())), LEAST_LOGPROB)


def _n_common(one: Sequence[int], other: Sequence[int]) -> int:
    """Return the number of equal tokens at the beginning of two texts."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _size(features: npt.NDArray[np.float32]) -> tuple[int, int]:
    """Return the number of sounds in a batch of features, and the number of encoder positions of each sound."""
    return len(features), features.shape[2] // FRAMES_PER_POSITION


def _timing(draft: Draft, n_task: int, n_frames: int) -> Timing:
    if draft.attention is None or draft.logprobs is None:
        raise ModelError("Expected drafts that were generated with times.")
    # The previous text, before the tokens of the task, was not said in this sound.
    n_rows = n_task + len(draft.tokens) + draft.has_ended
    n_positions = max(n_frames // FRAMES_PER_POSITION, 1)
    attention = np.stack([look[:, :n_positions] for look in draft.attention[-n_rows:]])
    places = arrivals(attention, n_task)[: len(draft.tokens)]
    probabilities = np.exp(np.minimum(draft.logprobs[: len(draft.tokens)], 0))
    return Timing([place * POSITION_S for place in places], probabilities.tolist())
