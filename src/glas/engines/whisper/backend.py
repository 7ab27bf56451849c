"""What a Whisper network can do, whichever library runs it: encode sounds, generate texts, align both."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from glas.domain.errors import ModelLoadError
from glas.engines.whisper.checkpoint import CONFIG
from glas.engines.whisper.context import ContextRule
from glas.engines.whisper.convert import Quantisation
from glas.engines.whisper.mel import Features
from glas.engines.whisper.vocabulary import Vocabulary

Device = Literal["cpu", "cuda"]
Precision = Literal["int8", "int8_float16", "float16", "bfloat16", "float32"]

POSITION_S = 0.02

LEAST_LOGPROB = -60.0
"""Of a token in a text that is scored; a token that is never generated has no probability at all."""

# In `config.json`: codes (ISO 639-1) of the languages that a model was made for, where it has tokens for more. A
# vocabulary that was chosen by Russian text writes the others letter by letter.
LANGUAGES = "languages"

# openai/whisper, for CTranslate2 directories made by others, which do not say.
SOURCE_POSITIONS = 1500
TARGET_POSITIONS = 448


class Draft(NamedTuple):
    """The text that the network generated for one sound.

    Attributes:
        tokens: ids of its text, without the end token.
        avg_logprob: mean natural logarithm of a token's probability, the end token included; 0 for no tokens.
        no_speech_probability: the network's judgement that nobody speaks, 0..1.
        has_ended: whether it generated the end token of itself.
        logprobs: natural logarithm of each token's probability; None where the library does not tell.
        attention: where the decoder looked when it read each token of the prompt and of the text, each of shape
            `(heads, positions)`; None if it was not asked for, or the library does not tell.
        replaced: if the text has other tokens for a part of the first draft's, the `[start, end)` of that part.
    """

    tokens: list[int]
    avg_logprob: float
    no_speech_probability: float
    has_ended: bool
    logprobs: list[float] | None = None
    attention: tuple[npt.NDArray[np.float32], ...] | None = None
    replaced: tuple[int, int] | None = None


class Timing(NamedTuple):
    """When each token of a text begins, in seconds, not decreasing; and the probability of each."""

    starts_s: list[float]
    probabilities: list[float]


class Backend(Protocol):
    """A loaded network. Several threads may use it at once.

    Attributes:
        n_frames: mel frames of its window, 3000 for 30 s.
        n_mels: bands of the spectrogram.
        text_context: tokens that its decoder holds, the prompt included.
        context: how much of its window it must be given.
        vocabulary: its tokens.
        languages: codes (ISO 639-1) of what it was made for; empty for a model that knows English alone.
    """

    n_frames: int
    n_mels: int
    text_context: int
    context: ContextRule
    vocabulary: Vocabulary
    languages: frozenset[str]

    def close(self) -> None:
        """Free the weights, once the calls that are running have ended."""

    def encode(self, features: Sequence[Features]) -> Any:
        """Encode a batch of features, each of shape `(n_mels, n_frames)` with the same number of frames."""

    def language_probabilities(self, encoded: Any) -> list[dict[str, float]]:
        """The probability of each language, ISO 639-1, for each sound.

        Raises:
            InvalidParameterError: the model is not multilingual.
        """

    def generate(
        self,
        encoded: Any,
        prompts: list[list[int]],
        *,
        most_tokens: int,
        temperature: float,
        beam_size: int,
        with_times: bool,
    ) -> list[list[Draft]]:
        """Generate texts of each sound, at most `most_tokens` of each: all that were found, the most probable first.

        Args:
            encoded: what `encode` returned.
            prompts: what stands before each text; all of one length.
            most_tokens: tokens after which a text is broken off.
            temperature: 0 takes the most probable text.
            beam_size: how much is searched at temperature 0: texts that a beam search follows; 1 is greedy.
            with_times: whether `align` will be asked about the drafts.
        """

    def score(self, encoded: Any, prompt: list[int], texts: Sequence[list[int]]) -> list[float]:
        """Compute the natural logarithm of the probability of given texts, the end token included, of one sound.

        Args:
            encoded: what `encode` returned for one sound.
            prompt: what stands before each text.
            texts: tokens of the texts, without the end; each must fit behind the prompt.
        """

    def align(self, encoded: Any, task: list[int], drafts: Sequence[Draft], frames: list[int]) -> list[Timing]:
        """Say when each token begins, from the attention of the heads that follow the sound.

        Args:
            encoded: what `encode` returned.
            task: the tokens before the texts, without `<|notimestamps|>`.
            drafts: what `generate` returned.
            frames: mel frames of each sound that are not padding.
        """


def storage_of(precision: Precision) -> Quantisation:
    """How weights are stored for a precision: NumPy has no bfloat16, and float16 has not its range."""
    if precision == "int8_float16":
        return "int8"
    return "float32" if precision == "bfloat16" else precision


def written_languages(directory: Path, config: dict[str, Any], vocabulary: Vocabulary) -> frozenset[str]:
    """Languages that a model was made for: those that `config.json` names, or all that it has tokens for.

    Raises:
        ModelLoadError: `config.json` names something else.
    """
    known = frozenset(vocabulary.languages)
    if LANGUAGES not in config:
        return known
    named = config[LANGUAGES]
    if not isinstance(named, list) or not named or not known.issuperset(named):
        raise ModelLoadError(
            f"{directory / CONFIG}: expected codes of languages with a token for {LANGUAGES}, got {named}."
        )
    return frozenset(named)
