"""The network in CTranslate2, and its three steps: hear (encode), write (generate), say when (align)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from glas.domain.errors import ConfigurationError, InvalidParameterError, ModelError, ModelLoadError
from glas.engines.json_file import read_json
from glas.engines.whisper.checkpoint import CONFIG
from glas.engines.whisper.context import context_rule
from glas.engines.whisper.convert import Quantisation
from glas.engines.whisper.mel import FRAMES_PER_POSITION, Features
from glas.engines.whisper.vocabulary import Vocabulary

Device = Literal["cpu", "cuda"]
Precision = Literal["int8", "int8_float16", "float16", "bfloat16", "float32"]

POSITION_S = 0.02

# In `config.json`: codes (ISO 639-1) of the languages that a model was made for, where it has tokens for more. A
# vocabulary that was chosen by Russian text writes the others letter by letter.
LANGUAGES = "languages"

# openai/whisper, for CTranslate2 directories made by others, which do not say.
_SOURCE_POSITIONS = 1500
_TARGET_POSITIONS = 448

# The width of the median filter over attention, openai/whisper `timing.py`.
_MEDIAN_WIDTH = 7


class Draft(NamedTuple):
    """What the network wrote for one sound.

    Attributes:
        tokens: ids of its text, without the end token.
        avg_logprob: mean natural logarithm of a token's probability, the end token included; 0 for no tokens.
        no_speech_probability: the network's judgement that nobody speaks, 0..1.
        has_ended: whether it wrote the end token of itself.
    """

    tokens: list[int]
    avg_logprob: float
    no_speech_probability: float
    has_ended: bool


class Timing(NamedTuple):
    """When each token of a text begins, in seconds, not decreasing; and the probability of each."""

    starts_s: list[float]
    probabilities: list[float]


def storage_of(precision: Precision) -> Quantisation:
    """How weights are stored for a precision: NumPy has no bfloat16, and float16 has not its range."""
    if precision == "int8_float16":
        return "int8"
    return "float32" if precision == "bfloat16" else precision


def check_device(device: Device, precision: Precision) -> None:
    """Before weights are converted, see that they can be used.

    Raises:
        ConfigurationError: there is no such device, or it does not know the precision.
    """
    # A second to import, and dozens of megabytes.
    import ctranslate2  # noqa: PLC0415

    if device == "cuda" and not ctranslate2.get_cuda_device_count():
        raise ConfigurationError("CTranslate2 finds no CUDA device; expected one, or GLAS_NN_SERVICE__DEVICE=cpu.")
    if precision not in (known := ctranslate2.get_supported_compute_types(device)):
        raise ConfigurationError(
            f"Expected a precision (GLAS_NN_SERVICE__PRECISION) that {device} knows here "
            f"({', '.join(sorted(known))}), got {precision}."
        )


class Network:
    """A loaded CTranslate2 model. Threads may share it; `workers` calls run side by side on one copy of the weights.

    Args:
        directory: the CTranslate2 model.
        device: where it runs.
        precision: of the large matrices.
        threads: threads of one call.
        workers: calls that run side by side.

    Attributes:
        n_frames: mel frames of its window, 3000 for 30 s.
        text_context: tokens that its decoder holds, the prompt included.
        context: how much of its window it must be given.
        languages: codes (ISO 639-1) of what it was made for; empty for a model that knows English alone.

    Raises:
        ModelLoadError: CTranslate2 cannot load it, its tokenizer is not Whisper's, or it lacks a language that
            `config.json` names.
    """

    def __init__(self, directory: Path, *, device: Device, precision: Precision, threads: int, workers: int) -> None:
        import ctranslate2  # noqa: PLC0415

        config = read_json(directory / CONFIG)
        self.n_frames = FRAMES_PER_POSITION * int(config.get("max_source_positions", _SOURCE_POSITIONS))
        self.text_context = int(config.get("max_target_positions", _TARGET_POSITIONS))
        self.context = context_rule(directory)
        self.vocabulary = Vocabulary(directory, self.text_context)
        self.languages = _languages(directory, config, self.vocabulary)
        self._to_storage = ctranslate2.StorageView.from_array
        self._on_cpu = device == "cpu"
        try:
            self._model: Any = ctranslate2.models.Whisper(
                str(directory), device=device, compute_type=precision, intra_threads=threads, inter_threads=workers
            )
        except (RuntimeError, ValueError) as error:
            raise ModelLoadError(f"The Whisper model in {directory} cannot be loaded: {error}") from error
        self.n_mels = int(self._model.n_mels)

    def close(self) -> None:
        """Free the weights, once the calls that are running have ended."""
        self._model = None

    def hear(self, features: Sequence[Features]) -> Any:
        """Encode a batch of features, each of shape `(n_mels, n_frames)` with the same number of frames.

        Returns:
            The encoder's output, of shape `(batch, n_frames / 2, d_model)`, where the model is.
        """
        stacked = np.ascontiguousarray(np.stack(features), dtype=np.float32)
        return self._loaded().encode(self._to_storage(stacked))

    def language_of(self, heard: Any) -> list[str]:
        """The most probable language of each sound, ISO 639-1; of a model for one language that one.

        Raises:
            InvalidParameterError: CTranslate2 does not take the model for a multilingual one.
        """
        if len(self.languages) == 1:
            return [*self.languages] * heard.shape[0]
        if not self._loaded().is_multilingual:
            raise InvalidParameterError(
                "Expected the name of a language: this model cannot find it out.", param="language"
            )
        return [ranked[0][0][2:-2] for ranked in self._loaded().detect_language(heard)]

    def write(
        self, heard: Any, prompts: list[list[int]], *, most_tokens: int, temperature: float, beam_size: int
    ) -> list[Draft]:
        """Write the text of each sound, at most `most_tokens` of it.

        Args:
            heard: what `hear` returned.
            prompts: what stands before each text; all of one length.
            most_tokens: tokens after which a text is broken off.
            temperature: 0 takes the most probable text.
            beam_size: texts that are followed at temperature 0; 1 is greedy.
        """
        # One place is left for the end token, with which the text is timed.
        most_tokens = min(most_tokens, self.text_context - len(prompts[0]) - 1)
        results = self._loaded().generate(
            heard,
            prompts,
            beam_size=1 if temperature else beam_size,
            sampling_topk=0 if temperature else 1,
            sampling_temperature=temperature or 1,
            # CTranslate2 halves it, and takes off the prompt where that leaves less.
            max_length=max(2 * most_tokens, most_tokens + len(prompts[0])),
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [_draft(result, most_tokens, self.vocabulary.end) for result in results]

    def time(self, heard: Any, task: list[int], texts: list[list[int]], frames: list[int]) -> list[Timing]:
        """Say when each token begins, from the attention of the heads that follow the sound.

        Args:
            heard: what `hear` returned.
            task: the tokens before the texts, without `<|notimestamps|>`.
            texts: tokens of each text.
            frames: mel frames of each sound that are not padding.
        """
        results = self._loaded().align(heard, task, texts, frames, median_filter_width=_MEDIAN_WIDTH)
        return [_timing(result, len(text)) for result, text in zip(results, texts, strict=True)]

    def _loaded(self) -> Any:
        if self._model is None:
            raise ModelError("The model is closed.")
        return self._model


def _languages(directory: Path, config: dict[str, Any], vocabulary: Vocabulary) -> frozenset[str]:
    known = frozenset(vocabulary.languages)
    if LANGUAGES not in config:
        return known
    named = config[LANGUAGES]
    if not isinstance(named, list) or not named or not known.issuperset(named):
        raise ModelLoadError(
            f"{directory / CONFIG}: expected codes of languages with a token for {LANGUAGES}, got {named}."
        )
    return frozenset(named)


def _draft(result: Any, most_tokens: int, end: int) -> Draft:
    tokens = list(result.sequences_ids[0])
    # The score is the sum over the tokens and the end, divided by the tokens alone.
    mean = result.scores[0] * len(tokens) / (len(tokens) + 1) if tokens else 0.0
    text = [token for token in tokens if token < end]
    return Draft(text, min(float(mean), 0.0), float(result.no_speech_prob), len(tokens) < most_tokens)


def _timing(result: Any, n_tokens: int) -> Timing:
    pairs = np.array(result.alignments).reshape(-1, 2)
    # The path may begin before the first token or before the sound: both are numbered -1 there.
    pairs = np.maximum(pairs[pairs[:, 0] >= 0], 0)
    # The path stays on a token for as long as it sounds: its beginning is where the path comes to it.
    arrivals = np.flatnonzero(np.diff(pairs[:, 0], prepend=-1))
    starts = pairs[arrivals, 1][:n_tokens] * POSITION_S
    return Timing(starts.tolist(), [float(one) for one in result.text_token_probs[:n_tokens]])
