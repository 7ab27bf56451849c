"""Interface of a loaded Whisper network, for any library: encode sounds, generate texts, align texts with sounds."""

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
"""Log-probability that is used for a token of a scored text if the network never generates this token."""

# Entry of `config.json`: codes (ISO 639-1) of the languages for which a model was made, if it has tokens for more
# languages. For example, a vocabulary that was chosen by Russian texts writes all other languages letter by letter.
LANGUAGES = "languages"

# The values of openai/whisper, for CTranslate2 directories of other programs, which do not contain them.
SOURCE_POSITIONS = 1500
TARGET_POSITIONS = 448


class Draft(NamedTuple):
    """The text that the network generated for one sound.

    Attributes:
        tokens: ids of the tokens of the text, without the end token.
        avg_logprob: the natural logarithm of a token's probability, averaged over the tokens and the end token; 0 if
            there are no tokens.
        no_speech_probability: probability, according to the network, that nobody speaks, 0..1.
        has_ended: whether the network generated the end token.
        logprobs: natural logarithm of each token's probability; None if the library does not return it.
        attention: one array for each token of the prompt and of the text: the attention over the sound when the decoder
            read this token, shape `(heads, positions)`. None if no attention was requested, or if the library does not
            return it.
        replaced: the range `[start, end)` of the first draft's tokens in whose place this draft has other tokens; None
            if this draft was not made by changing the first draft.
    """

    tokens: list[int]
    avg_logprob: float
    no_speech_probability: float
    has_ended: bool
    logprobs: list[float] | None = None
    attention: tuple[npt.NDArray[np.float32], ...] | None = None
    replaced: tuple[int, int] | None = None


class Timing(NamedTuple):
    """Start of each token of a text in seconds, not decreasing, and the probability of each token."""

    starts_s: list[float]
    probabilities: list[float]


class Backend(Protocol):
    """A loaded network. Several threads may use it at the same time.

    Attributes:
        n_frames: number of mel frames of the network's window; 3000 for 30 s.
        n_mels: number of bands of the spectrogram.
        text_context: largest number of tokens in the decoder, including the prompt.
        context: how much silence must follow a sound in the encoder's input.
        vocabulary: the tokenizer and the special tokens of the network.
        languages: codes (ISO 639-1) of the languages for which the network was made; empty for a model for English
            only.
    """

    n_frames: int
    n_mels: int
    text_context: int
    context: ContextRule
    vocabulary: Vocabulary
    languages: frozenset[str]

    def close(self) -> None:
        """Free the weights after all running calls have ended."""

    def encode(self, features: Sequence[Features]) -> Any:
        """Encode a batch of features, each of shape `(n_mels, n_frames)` with the same number of frames."""

    def language_probabilities(self, encoded: Any) -> list[dict[str, float]]:
        """Return the probability of each language, by its ISO 639-1 code, for each sound.

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
        """Generate the texts of each sound; return all texts that were found, the most probable first.

        Args:
            encoded: the result of `encode`.
            prompts: the prompt for each sound; all prompts have the same length.
            most_tokens: largest number of tokens of a text.
            temperature: temperature of sampling; with 0 the most probable tokens are chosen.
            beam_size: width of the search at temperature 0; 1 means greedy decoding.
            with_times: whether `align` will be called for the drafts. For `align`, the drafts must contain the
                attention.
        """

    def score(self, encoded: Any, prompt: list[int], texts: Sequence[list[int]]) -> list[float]:
        """Compute the natural logarithms of the probabilities of given texts of one sound.

        The probability of a text includes the probability of the end token after it.

        Args:
            encoded: the result of `encode` for one sound.
            prompt: the tokens that precede each text.
            texts: tokens of the texts without the end token; the prompt and each text must fit into the decoder.
        """

    def align(self, encoded: Any, task: list[int], drafts: Sequence[Draft], frames: list[int]) -> list[Timing]:
        """Compute the start of each token from the attention; see `glas.engines.whisper.alignment`.

        Args:
            encoded: the result of `encode`.
            task: the tokens before the texts, without `<|notimestamps|>`.
            drafts: for each sound, a draft that `generate` returned.
            frames: number of mel frames of each sound without padding.
        """


def storage_of(precision: Precision) -> Quantisation:
    """Return the number format in which weights are stored for a precision.

    For bfloat16, weights are stored as float32, because NumPy has no bfloat16.
    """
    if precision == "int8_float16":
        return "int8"
    return "float32" if precision == "bfloat16" else precision


def written_languages(directory: Path, config: dict[str, Any], vocabulary: Vocabulary) -> frozenset[str]:
    """Return the languages for which a model was made.

    `config.json` may contain a list of these languages. Without this list, the result is all languages that have a
    token.

    Raises:
        ModelLoadError: `config.json` names something that is not a language of the model.
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
