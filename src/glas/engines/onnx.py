"""The engine for models in the ONNX format; the library onnx-asr decodes them greedily.

The models are those of GigaAM, NeMo, T-one and Vosk.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glas.domain.decoding import PLAIN, Abilities, DecodingOptions
from glas.domain.errors import (
    ConfigurationError,
    ModelError,
    ModelLoadError,
)
from glas.domain.transcription import SAMPLE_RATE_HZ, Hypothesis, Samples, Segment, Token
from glas.engines.keywords import keywords_of, with_keywords
from glas.engines.layouts import Layout, layout_of, precision_of, vocabulary_of
from glas.engines.pieces import MIN_SAMPLES, check_pieces, nothing_heard
from glas.engines.session import session_options
from glas.engines.spelling import spell

if TYPE_CHECKING:
    from onnx_asr.adapters import TimestampedResultsAsrAdapter
    from onnx_asr.asr import TimestampedResult

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"

# According to onnx-asr's guide, most models accept at most 20 to 30 s of audio. GigaAM was trained with up to 25 s.
DEFAULT_WINDOW_S = 25.0

# With pieces of half a minute, this number uses a graphics card fully, and its memory is sufficient.
BATCH_SIZE = 8


class OnnxEngine:
    """A loaded model in the ONNX format.

    Several threads may call `recognise` at the same time, because the engine has no state.

    Args:
        directory: directory of the model; see `glas.engines.layouts`. The int8 files are preferred, except on a
            graphics card, because onnxruntime's provider for graphics cards has no kernels for dynamically quantised
            layers.
        name: uniform name of the model.
        layout: family of the model; None means that the family is detected from the files in the directory.
        window_s: the longest piece that `recognise` accepts, seconds.
        threads: number of threads of one inference call.
        providers: onnxruntime's execution providers, the preferred one first.
        punctuates: whether the model writes capitals and full stops; None means that the model's vocabulary decides
            this.

    Raises:
        ModelFileMissingError: a file is missing in the directory.
        ModelLoadError: the files cannot be loaded, or recognising a second of silence fails.
        ConfigurationError: onnxruntime has no such provider.
    """

    def __init__(
        self,
        directory: Path,
        *,
        name: str,
        layout: Layout | None = None,
        window_s: float = DEFAULT_WINDOW_S,
        threads: int = 1,
        providers: Sequence[str] = (CPU,),
        punctuates: bool | None = None,
    ) -> None:
        self.name = name
        self.window_s = window_s
        self._one_by_one = providers[0] == CPU
        layout = layout or layout_of(directory)
        self._model: TimestampedResultsAsrAdapter | None = _load(
            directory, layout, threads=threads, providers=providers
        )
        self.abilities = Abilities(
            batch_size=1 if self._one_by_one else BATCH_SIZE,
            punctuates=_has_marks(vocabulary_of(directory, layout)) if punctuates is None else punctuates,
            # onnx-asr returns only the probabilities of the chosen tokens, so no other text can be scored.
            takes_keywords=True,
        )
        try:
            self.recognise([np.zeros(SAMPLE_RATE_HZ, np.float32)])
        except Exception as error:
            raise ModelLoadError(
                f"The model in {directory} loads, but fails on a second of silence: {error}"
            ) from error

    def recognise(self, batch: Sequence[Samples], options: DecodingOptions = PLAIN) -> list[Hypothesis]:
        """Recognise pieces of speech; see `glas.engines.Engine`.

        Raises:
            InvalidParameterError: a piece is not an array of samples (float32, one channel, finite numbers).
            AudioTooLongError: a piece is longer than `window_s`.
            ModelError: the engine is closed.
        """
        model = self._model
        if model is None:
            raise ModelError(f"The engine {self.name} is closed.")
        check_pieces(batch, window_s=self.window_s, model=self.name)
        heard = [samples for samples in batch if samples.size >= MIN_SAMPLES]
        # On a processor, a batch saves no time (measured: benchmarks/engines.py). It also pads short pieces to the
        # longest one, so that a result depends on the other pieces. On a graphics card, batches are needed to use the
        # card fully.
        calls = [[samples] for samples in heard] if self._one_by_one else [heard]
        results = (result for call in calls if call for result in model.recognize(list(call), language="ru"))
        return [
            self._hypothesis(next(results), samples, options)
            if samples.size >= MIN_SAMPLES
            else nothing_heard(samples, self.name)
            for samples in batch
        ]

    def close(self) -> None:
        """Free the weights after all running calls have ended."""
        self._model = None

    def _hypothesis(self, result: "TimestampedResult", samples: Samples, options: DecodingOptions) -> Hypothesis:
        duration_s = samples.size / SAMPLE_RATE_HZ
        if result.tokens is None or result.timestamps is None:
            # For Whisper and Canary, onnx-asr returns only the text, without times.
            segment = Segment(start_s=0, end_s=duration_s, text=result.text.strip())
        else:
            logprobs = result.logprobs
            spelt = spell(result.tokens, result.timestamps, logprobs, duration_s=duration_s)
            words, uses = with_keywords(spelt, keywords_of(options.hotwords), score=None, knows=None)
            segment = Segment(
                start_s=words[0].start_s if words else 0,
                end_s=words[-1].end_s if words else 0,
                text=" ".join(word.text for word in words),
                words=words,
                avg_logprob=_mean_logprob(logprobs),
                confidence=_mean([word.confidence for word in words if word.confidence is not None]),
                tokens=_tokens(result.tokens, logprobs) if options.wants_tokens else (),
                keywords=uses,
            )
        if not segment.text:
            return nothing_heard(samples, self.name)
        return Hypothesis(text=segment.text, duration_s=duration_s, segments=(segment,), model=self.name)


def _has_marks(vocabulary: Sequence[str]) -> bool:
    """Return whether a vocabulary has capitals or full stops; return True for an empty (unknown) vocabulary."""
    if not vocabulary:
        return True
    texts = [text for text in vocabulary if not text.strip().startswith("<")]
    return any(letter.isupper() or letter in ".?!" for text in texts for letter in text)


def _tokens(texts: Sequence[str], logprobs: Sequence[float] | None) -> tuple[Token, ...]:
    pairs = zip(texts, logprobs or (), strict=False)
    return tuple(Token(text=text, logprob=min(logprob, 0.0)) for text, logprob in pairs)


def _load(directory: Path, layout: Layout, *, threads: int, providers: Sequence[str]) -> "TimestampedResultsAsrAdapter":
    precision = precision_of(directory, layout, prefer="int8" if providers[0] == CPU else "fp32")
    # Importing both takes a second and dozens of megabytes, and is not needed to list names of models.
    import onnx_asr  # noqa: PLC0415
    import onnxruntime  # noqa: PLC0415

    available = onnxruntime.get_available_providers()
    if absent := [provider for provider in providers if provider not in available]:
        # onnxruntime itself would use a processor instead, and only write a warning.
        raise ConfigurationError(f"onnxruntime has no {', '.join(absent)}; expected one of {', '.join(available)}.")
    try:
        return onnx_asr.load_model(
            layout.kind,
            directory,
            quantization="int8" if precision == "int8" else None,
            sess_options=session_options(threads),
            providers=list(providers),
        ).with_timestamps()
    except Exception as error:
        raise ModelLoadError(f"The {layout.kind} model in {directory} cannot be loaded: {error}") from error


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _mean_logprob(logprobs: Sequence[float] | None) -> float | None:
    mean = _mean(logprobs or ())
    # Because of rounding, a softmax in float32 may be slightly larger than one.
    return None if mean is None else min(mean, 0.0)
