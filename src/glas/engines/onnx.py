"""The engine for models in ONNX: GigaAM, NeMo (so the embedded one), T-one, Vosk.

onnx-asr decodes greedily; a CTC model in whose directory a language model lies (`lm.npz`) is searched with it instead,
and a calibration beside that (`calibration.json`) says how sure the words found are.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from glas.domain.decoding import PLAIN, Abilities, DecodingOptions
from glas.domain.errors import (
    ConfigurationError,
    ModelError,
    ModelLoadError,
)
from glas.domain.transcription import SAMPLE_RATE_HZ, Hypothesis, Samples, Segment, Token, Word
from glas.engines import confidence, language_model
from glas.engines.beam import BeamSearch
from glas.engines.beam import Token as BeamToken
from glas.engines.language_model import LanguageModel
from glas.engines.layouts import Layout, layout_of, precision_of
from glas.engines.pieces import MIN_SAMPLES, check_pieces, nothing_heard
from glas.engines.session import session_options
from glas.engines.spelling import Calibration, spell, uncalibrated

if TYPE_CHECKING:
    from onnx_asr.adapters import TimestampedResultsAsrAdapter
    from onnx_asr.asr import TimestampedResult

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"

# onnx-asr's guide gives 20 to 30 s as the longest audio that most models bear; GigaAM was trained on up to 25 s.
DEFAULT_WINDOW_S = 25.0

# What fills a graphics card with pieces of half a minute and leaves it room.
BATCH_SIZE = 8


class OnnxEngine:
    """A model in ONNX, ready to hear. Several threads may call `recognise` at once: nothing changes after loading.

    Args:
        directory: holds the files of one model; see `glas.engines.layouts`. The int8 variant is preferred, save on a
            graphics card: its provider has no kernels for dynamically quantised layers.
        name: uniform name of the model.
        layout: family of the model; None reads it from the directory.
        window_s: the longest piece that `recognise` accepts, seconds.
        threads: threads of one inference call.
        providers: onnxruntime's execution providers, the preferred one first.
        punctuates: whether the model writes capitals and full stops; None looks whether its vocabulary has them.
        calibrate: makes a share of right words out of a raw word confidence.

    Raises:
        ModelFileMissingError: the directory lacks a file.
        ModelLoadError: the files are there and cannot be loaded, or do not recognise a second of silence.
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
        calibrate: Calibration = uncalibrated,
    ) -> None:
        self.name = name
        self.window_s = window_s
        self._calibrate = calibrate
        self._one_by_one = providers[0] == CPU
        self._model: TimestampedResultsAsrAdapter | None = _load(
            directory, layout or layout_of(directory), threads=threads, providers=providers
        )
        self.abilities = Abilities(
            batch_size=1 if self._one_by_one else BATCH_SIZE,
            punctuates=_has_marks(self._model.asr) if punctuates is None else punctuates,
        )
        self._lm: LanguageModel | None = None
        self._calibration: confidence.Calibration | None = None
        if (directory / language_model.FILE).is_file():
            self._lm = LanguageModel(directory / language_model.FILE)
            self._calibration = confidence.load(directory)
            _decode_with(self._lm, self._model.asr)
        try:
            self.recognise([np.zeros(SAMPLE_RATE_HZ, np.float32)])
        except Exception as error:
            raise ModelLoadError(
                f"The model in {directory} loads, but fails on a second of silence: {error}"
            ) from error

    def recognise(self, batch: Sequence[Samples], options: DecodingOptions = PLAIN) -> list[Hypothesis]:
        """Recognise pieces of speech; see `glas.engines.Engine`.

        Raises:
            InvalidParameterError: a piece is not samples.
            AudioTooLongError: a piece is longer than `window_s`.
            ModelError: the engine is closed.
        """
        model = self._model
        if model is None:
            raise ModelError(f"The engine {self.name} is closed.")
        check_pieces(batch, window_s=self.window_s, model=self.name)
        heard = [samples for samples in batch if samples.size >= MIN_SAMPLES]
        # On a processor a batch saves nothing (measured: benchmarks/engines.py), pads short pieces to the longest and
        # makes a result depend on its neighbours; on a graphics card it is what fills the card.
        calls = [[samples] for samples in heard] if self._one_by_one else [heard]
        results = (result for call in calls if call for result in model.recognize(list(call), language="ru"))
        return [
            self._hypothesis(next(results), samples, options)
            if samples.size >= MIN_SAMPLES
            else nothing_heard(samples, self.name)
            for samples in batch
        ]

    def close(self) -> None:
        """Free the weights, once the calls that are running have ended."""
        self._model = None

    def _hypothesis(self, result: "TimestampedResult", samples: Samples, options: DecodingOptions) -> Hypothesis:
        duration_s = samples.size / SAMPLE_RATE_HZ
        if result.tokens is None or result.timestamps is None:
            # Whisper and Canary tell no times: the text is all there is.
            segment = Segment(start_s=0, end_s=duration_s, text=result.text.strip())
        else:
            logprobs, entropies = _split(result.logprobs)
            words = spell(result.tokens, result.timestamps, logprobs, duration_s=duration_s, calibrate=self._calibrate)
            if entropies is not None and logprobs is not None:
                words = self._judged(words, result.tokens, logprobs, entropies)
            segment = Segment(
                start_s=words[0].start_s if words else 0,
                end_s=words[-1].end_s if words else 0,
                text=" ".join(word.text for word in words),
                words=words,
                avg_logprob=_mean_logprob(logprobs),
                confidence=_mean([word.confidence for word in words if word.confidence is not None]),
                tokens=_tokens(result.tokens, logprobs) if options.wants_tokens else (),
            )
        if not segment.text:
            return nothing_heard(samples, self.name)
        return Hypothesis(text=segment.text, duration_s=duration_s, segments=(segment,), model=self.name)

    def _judged(
        self, words: tuple[Word, ...], tokens: Sequence[str], logprobs: Sequence[float], entropies: Sequence[float]
    ) -> tuple[Word, ...]:
        """The words with calibrated confidences, where there is a calibration."""
        if self._lm is None or self._calibration is None:
            return words
        signs = confidence.signs_of(tokens, logprobs, entropies, self._lm)
        sure = self._calibration.confidences(signs).tolist()
        return tuple(word.model_copy(update={"confidence": value}) for word, value in zip(words, sure, strict=True))


def _has_marks(asr: Any) -> bool:
    """Whether a vocabulary has capitals or full stops; one that cannot be seen is believed to have them."""
    vocabulary: dict[int, str] | None = getattr(asr, "_vocab", None)
    if not vocabulary:
        return True
    texts = [text for text in vocabulary.values() if not text.strip().startswith("<")]
    return any(letter.isupper() or letter in ".?!" for text in texts for letter in text)


def _columns(tokens: Sequence[BeamToken], entropies: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Log-probability and entropy of each token, shape `(n_tokens, 2)`."""
    return np.column_stack([np.array([one.logprob for one in tokens]), entropies])


def _split(rows: Any) -> tuple[list[float] | None, list[float] | None]:
    """Log-probabilities, and entropies where our own search added them."""
    if not rows or not isinstance(rows[0], list):
        return rows, None
    logprobs, entropies = zip(*rows, strict=True)
    return list(logprobs), list(entropies)


def _tokens(texts: Sequence[str], logprobs: Sequence[float] | None) -> tuple[Token, ...]:
    pairs = zip(texts, logprobs or (), strict=False)
    return tuple(Token(text=text, logprob=min(logprob, 0.0)) for text, logprob in pairs)


def _load(directory: Path, layout: Layout, *, threads: int, providers: Sequence[str]) -> "TimestampedResultsAsrAdapter":
    precision = precision_of(directory, layout, prefer="int8" if providers[0] == CPU else "fp32")
    # Both take a second and dozens of megabytes, which whoever only asks for names need not pay.
    import onnx_asr  # noqa: PLC0415
    import onnxruntime  # noqa: PLC0415

    available = onnxruntime.get_available_providers()
    if absent := [provider for provider in providers if provider not in available]:
        # onnxruntime itself would go on with a processor and say so in a warning only.
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


def _decode_with(lm: LanguageModel, asr: Any) -> None:
    """Let a CTC model of onnx-asr, which decodes greedily and offers no other way, search with a language model."""
    vocabulary = [asr._vocab[index] for index in range(asr._vocab_size)]  # noqa: SLF001 - see above
    search = BeamSearch(lm, vocabulary, asr._blank_idx)  # noqa: SLF001

    def decoding(logprobs: Any, lengths: Any, **_options: object) -> Iterator[tuple[Any, Any, Any]]:
        for rows, length in zip(logprobs, lengths, strict=True):
            tokens = search.decode(rows[:length])
            frames = [one.frame for one in tokens]
            # What stands in the place of log-probabilities passes through onnx-asr as it is: rows may have two columns.
            yield [one.id for one in tokens], frames, _columns(tokens, confidence.entropies(rows[:length], frames))

    asr._decoding = decoding  # noqa: SLF001


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _mean_logprob(logprobs: Sequence[float] | None) -> float | None:
    mean = _mean(logprobs or ())
    # A softmax in float32 may come out a hair above one.
    return None if mean is None else min(mean, 0.0)
