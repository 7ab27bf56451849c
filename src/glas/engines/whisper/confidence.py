"""Compute the confidence of Whisper's words by a logistic regression over several features of each word.

The product of the probabilities of a word's tokens is mostly high for right words and low for wrong words. But the
product is also high for a wrong word that fits the sound. Therefore the regression also uses the alternative texts and
a language model. The weights of the regression are fitted by `glas.training.evaluation.calibrate`, and stored in
`calibration.json` beside the model.
"""

import json
from collections.abc import Sequence
from math import exp, log
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from glas.domain.errors import ModelLoadError
from glas.domain.text import normalise
from glas.engines.language_model import LanguageModel
from glas.system.files import sha256_of

FILE = "calibration.json"

FEATURES = (
    "root of the negative logarithm of the product of the word's token probabilities",
    "share of the beam's probability that lies on texts with this word",
    "language model's log-probability of the word, per letter",
    "logarithm of its number of letters",
    "root of the negative mean log-probability of the message's tokens",
)

Floats = npt.NDArray[np.float64]


class Alternative(NamedTuple):
    """A possible text of a sound, and the natural logarithm of the text's probability."""

    text: str
    logprob: float


class Signs(NamedTuple):
    """The features from which the confidence of a word is computed.

    Attributes:
        logprob: sum of the log-probabilities of the word's tokens.
        agreement: share, 0..1, of the found texts that contain this word; the texts are weighted by their
            probabilities.
        prior: the language model's log-probability of the word, divided by the number of the word's letters.
        letters: number of letters and digits of the word.
        message: mean log-probability of all tokens of the text to which the word belongs.
    """

    logprob: float
    agreement: float
    prior: float
    letters: int
    message: float


class Calibrates(Protocol):
    """Interface of a calibration, which computes the confidence of words."""

    def confidences(self, signs: Sequence[Signs]) -> list[float]:
        """Return for each word the probability that the word is right."""


class Calibration(BaseModel):
    """The contents of `calibration.json`.

    Other keys of the file, which are not read, describe how the calibration was fitted and how good it is.
    """

    model_config = ConfigDict(frozen=True)

    sha256: dict[str, str]
    features: tuple[str, ...]
    centres: tuple[float, ...]
    scales: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float

    def confidences(self, signs: Sequence[Signs]) -> list[float]:
        """Return for each word the probability that the word is right."""
        if not signs:
            return []
        scaled = (features(signs) - np.array(self.centres)) / np.array(self.scales)
        return [float(one) for one in 1 / (1 + np.exp(-(scaled @ np.array(self.weights) + self.bias)))]


def load_calibration(directory: Path) -> Calibration | None:
    """Read the calibration of the model in `directory`; None if there is no calibration.

    Raises:
        ModelLoadError: the calibration is damaged, was made for other `FEATURES`, or was fitted to other weights.
    """
    path = directory / FILE
    if not path.is_file():
        return None
    try:
        found = Calibration.model_validate(json.loads(path.read_bytes()))
    except (OSError, ValueError, ValidationError) as error:
        raise ModelLoadError(f"The calibration {path} cannot be read: {error}") from error
    if found.features != FEATURES:
        raise ModelLoadError(f"The calibration {path} is of another version: expected the features {FEATURES}.")
    for name, expected in found.sha256.items():
        if not (directory / name).is_file() or sha256_of(directory / name) != expected:
            raise ModelLoadError(
                f"The calibration {path} was fitted to another {name} than the one in the same directory. Fit it anew "
                "(glas train whisper-base calibrate) or take it away."
            )
    return found


def signs_of(
    words: Sequence[tuple[str, float]],
    alternatives: Sequence[Alternative],
    language_model: LanguageModel | None,
    message_logprob: float,
) -> list[Signs]:
    """Compute the features of each word of a text.

    Args:
        words: the words of the text, each with the sum of its tokens' log-probabilities.
        alternatives: all texts that were found, including the chosen text.
        language_model: a language model of the text's language; without it, every word gets the same `prior`.
        message_logprob: mean log-probability of the text's tokens.
    """
    most = max(one.logprob for one in alternatives)
    shares = [exp(one.logprob - most) for one in alternatives]
    held = [set(normalise(one.text).split()) for one in alternatives]
    found = []
    for text, logprob in words:
        parts = normalise(text).split()
        agreement = sum(share for share, others in zip(shares, held, strict=True) if others.issuperset(parts))
        letters = max(sum(character.isalnum() for character in text), 1)
        prior = sum(language_model.logprobs(text)) / letters if language_model and parts else 0.0
        found.append(Signs(min(logprob, 0.0), agreement / sum(shares), prior, letters, min(message_logprob, 0.0)))
    return found


def features(signs: Sequence[Signs]) -> Floats:
    """Return the `FEATURES` of each word, shape `(n_words, n_features)`."""
    rows = [((-one.logprob) ** 0.5, one.agreement, one.prior, log(one.letters), (-one.message) ** 0.5) for one in signs]
    return np.array(rows, np.float64).reshape(len(rows), len(FEATURES))
