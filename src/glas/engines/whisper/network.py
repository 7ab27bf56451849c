"""Whisper in CTranslate2: the backend for graphics cards."""

from collections.abc import Sequence
from math import exp, log
from pathlib import Path
from typing import Any

import numpy as np

from glas.domain.errors import ConfigurationError, InvalidParameterError, ModelError, ModelLoadError
from glas.engines.json_file import read_json
from glas.engines.whisper.backend import (
    LEAST_LOGPROB,
    POSITION_S,
    SOURCE_POSITIONS,
    TARGET_POSITIONS,
    Device,
    Draft,
    Precision,
    Timing,
    written_languages,
)
from glas.engines.whisper.checkpoint import CONFIG
from glas.engines.whisper.context import context_rule
from glas.engines.whisper.mel import FRAMES_PER_POSITION, Features
from glas.engines.whisper.vocabulary import Vocabulary

# The width of the median filter over attention, openai/whisper `timing.py`.
_MEDIAN_WIDTH = 7


def check_device(device: Device, precision: Precision) -> None:
    """Check that the device exists and supports the precision; call this before weights are converted.

    Raises:
        ConfigurationError: there is no such device, or it does not support the precision.
    """
    # The import takes a second and dozens of megabytes.
    import ctranslate2  # noqa: PLC0415

    if device == "cuda" and not ctranslate2.get_cuda_device_count():
        raise ConfigurationError("CTranslate2 finds no CUDA device; expected one, or GLAS_NN_SERVICE__DEVICE=cpu.")
    if precision not in (known := ctranslate2.get_supported_compute_types(device)):
        raise ConfigurationError(
            f"Expected a precision (GLAS_NN_SERVICE__PRECISION) that {device} knows here "
            f"({', '.join(sorted(known))}), got {precision}."
        )


class Network:
    """A loaded CTranslate2 model. Threads may share it; up to `workers` calls run in parallel and share the weights.

    Args:
        directory: directory of the CTranslate2 model.
        device: the device on which the model runs.
        precision: number format of the large matrices.
        threads: number of processor threads of one call.
        workers: number of calls that may run at the same time.

    Attributes:
        n_frames: number of mel frames of the network's window; 3000 for 30 s.
        text_context: largest number of tokens in the decoder, including the prompt.
        context: how much silence must follow a sound in the encoder's input.
        languages: codes (ISO 639-1) of the languages for which the model was made; empty for a model for English only.

    Raises:
        ModelLoadError: CTranslate2 cannot load the model, the model's tokenizer is not that of a Whisper, or the model
            lacks a language that `config.json` names.
    """

    def __init__(self, directory: Path, *, device: Device, precision: Precision, threads: int, workers: int) -> None:
        import ctranslate2  # noqa: PLC0415

        config = read_json(directory / CONFIG)
        self.n_frames = FRAMES_PER_POSITION * int(config.get("max_source_positions", SOURCE_POSITIONS))
        self.text_context = int(config.get("max_target_positions", TARGET_POSITIONS))
        self.context = context_rule(directory)
        self.vocabulary = Vocabulary(directory, self.text_context)
        self.languages = written_languages(directory, config, self.vocabulary)
        self._to_storage = ctranslate2.StorageView.from_array
        try:
            self._model: Any = ctranslate2.models.Whisper(
                str(directory), device=device, compute_type=precision, intra_threads=threads, inter_threads=workers
            )
        except (RuntimeError, ValueError) as error:
            raise ModelLoadError(f"The Whisper model in {directory} cannot be loaded: {error}") from error
        self.n_mels = int(self._model.n_mels)

    def close(self) -> None:
        """Free the weights after all running calls have ended."""
        self._model = None

    def encode(self, features: Sequence[Features]) -> Any:
        """See `Backend.encode`; the output of shape `(batch, n_frames / 2, d_model)` is on the device of the model."""
        stacked = np.ascontiguousarray(np.stack(features), dtype=np.float32)
        return self._loaded().encode(self._to_storage(stacked))

    def language_probabilities(self, encoded: Any) -> list[dict[str, float]]:
        """See `Backend.language_probabilities`."""
        if not self._loaded().is_multilingual:
            raise InvalidParameterError(
                "Expected the name of a language: this model cannot detect the language.", param="language"
            )
        return [
            {token[2:-2]: probability for token, probability in ranked}
            for ranked in self._loaded().detect_language(encoded)
        ]

    def generate(
        self,
        encoded: Any,
        prompts: list[list[int]],
        *,
        most_tokens: int,
        temperature: float,
        beam_size: int,
        with_times: bool,  # noqa: ARG002 - CTranslate2 reads the drafts once more in `align`
    ) -> list[list[Draft]]:
        """See `Backend.generate`."""
        # One place stays free for the end token, which `align` needs.
        most_tokens = min(most_tokens, self.text_context - len(prompts[0]) - 1)
        results = self._loaded().generate(
            encoded,
            prompts,
            beam_size=1 if temperature else beam_size,
            num_hypotheses=1 if temperature else beam_size,
            sampling_topk=0 if temperature else 1,
            sampling_temperature=temperature or 1,
            # CTranslate2 uses half of this number, or this number minus the length of the prompt if that is smaller.
            max_length=max(2 * most_tokens, most_tokens + len(prompts[0])),
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [_drafts(result, most_tokens, self.vocabulary.end) for result in results]

    def score(self, encoded: Any, prompt: list[int], texts: Sequence[list[int]]) -> list[float]:
        """See `Backend.score`; the score does not include the end token.

        CTranslate2 does not return the probability of the end token.
        """
        task = [token for token in prompt if token != self.vocabulary.no_timestamps]
        found = []
        for text in texts:
            (result,) = self._loaded().align(encoded, task, [text], [self.n_frames])
            least = exp(LEAST_LOGPROB)
            found.append(sum(log(max(float(one), least)) for one in result.text_token_probs[: len(text)]))
        return found

    def align(self, encoded: Any, task: list[int], drafts: Sequence[Draft], frames: list[int]) -> list[Timing]:
        """See `Backend.align`."""
        texts = [draft.tokens for draft in drafts]
        results = self._loaded().align(encoded, task, texts, frames, median_filter_width=_MEDIAN_WIDTH)
        return [_timing(result, len(text)) for result, text in zip(results, texts, strict=True)]

    def _loaded(self) -> Any:
        if self._model is None:
            raise ModelError("The model is closed.")
        return self._model


def _drafts(result: Any, most_tokens: int, end: int) -> list[Draft]:
    drafts = []
    for sequence, score in zip(result.sequences_ids, result.scores, strict=True):
        tokens = list(sequence)
        # CTranslate2's score is the sum for the tokens and the end token, divided by the number of tokens without the
        # end token.
        mean = min(float(score * len(tokens) / (len(tokens) + 1)), 0.0) if tokens else 0.0
        text = [token for token in tokens if token < end]
        drafts.append(Draft(text, mean, float(result.no_speech_prob), len(tokens) < most_tokens))
    return drafts


def _timing(result: Any, n_tokens: int) -> Timing:
    pairs = np.array(result.alignments).reshape(-1, 2)
    # The path may begin before the first token or before the sound: both are numbered -1 there.
    pairs = np.maximum(pairs[pairs[:, 0] >= 0], 0)
    # The path stays on a token while the token is spoken. So the token begins where the path reaches it.
    arrivals = np.flatnonzero(np.diff(pairs[:, 0], prepend=-1))
    starts = pairs[arrivals, 1][:n_tokens] * POSITION_S
    return Timing(starts.tolist(), [float(one) for one in result.text_token_probs[:n_tokens]])
