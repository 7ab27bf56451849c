"""How sure a model may be of a word that a beam search found: a logistic regression over a few signs.

The language model helps the search to write what looks like Russian, and afterwards it tells best where that failed: a
word that it finds improbable was written against it, and a word at whose frames the network wavered was written for its
sake. The weights are fitted by `glas.training.judged.calibrate` on speech that neither the network nor the tests have
heard, and lie in `calibration.json` beside the model that they belong to.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from glas.domain.errors import ModelLoadError
from glas.engines.language_model import LanguageModel

FILE = "calibration.json"

FEATURES = (
    "root of the word's summed negative log-probability of letters",
    "logarithm of its number of letters",
    "entropy at its letters",
    "the same with the words beside it",
    "the same of the whole piece",
    "language model's log-probability of the word and the space after it, per letter",
    "the same of the whole piece",
)

_LEAST = -100.0

Floats = npt.NDArray[np.float64]


class Signs(NamedTuple):
    """What is known of a word.

    Attributes:
        letters: number of its letters.
        logprob: sum of their log-probabilities, natural logarithm.
        entropy: mean entropy of the network's output where they stand, nats.
        prior: the language model's log-probability per letter, the closing space counted as one.
    """

    letters: int
    logprob: float
    entropy: float
    prior: float


class Calibration(BaseModel):
    """The contents of the file; its further keys say how and on what it was fitted and how well it does."""

    model_config = ConfigDict(frozen=True)

    sha256: dict[str, str]
    features: tuple[str, ...]
    centres: tuple[float, ...]
    scales: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float

    def confidences(self, signs: Sequence[Signs]) -> Floats:
        """The probability that each word of one piece is right, shape `(n_words,)`."""
        if not signs:
            return np.zeros(0)
        scaled = (features(signs) - np.array(self.centres)) / np.array(self.scales)
        answer: Floats = 1 / (1 + np.exp(-(scaled @ np.array(self.weights) + self.bias)))
        return answer


def load(directory: Path) -> Calibration | None:
    """The calibration of the model in `directory`; None if it has none.

    Raises:
        ModelLoadError: it is broken, or was fitted to other weights than those beside it.
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
                f"The calibration {path} was fitted to another {name} than the one beside it. "
                "Fit it anew (glas train embedded calibrate) or take it away."
            )
    return found


def sha256_of(path: Path) -> str:
    """The checksum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def entropies(logprobs: npt.NDArray[np.float32], frames: Sequence[int]) -> Floats:
    """Entropy, nats, of the output around each of `frames`, shape `(n_tokens,)`: the mean over three frames."""
    rows = np.maximum(logprobs.astype(np.float64), _LEAST)  # else nothing times infinity would be no number
    each = -np.sum(np.exp(rows) * rows, axis=1)
    return np.array([each[max(frame - 1, 0) : frame + 2].mean() for frame in frames])


def signs_of(
    texts: Sequence[str], logprobs: Sequence[float], entropy: Sequence[float], lm: LanguageModel
) -> list[Signs]:
    """The signs of each word of one piece.

    Args:
        texts: of the tokens, one letter or a space each.
        logprobs: their log-probabilities.
        entropy: see `entropies`.
        lm: the language model that the search used.
    """
    found: list[Signs] = []
    word: list[int] = []
    state = lm.start
    for index, letter in enumerate([*texts, " "]):
        if letter != " ":
            word.append(index)
            continue
        if word:
            priors = []
            for each in [*(texts[at] for at in word), " "]:
                known = lm.letters.index(each)
                prior, place = lm.look(state, known)
                priors.append(prior)
                state = lm.after(state, known, place)
            found.append(
                Signs(
                    letters=len(word),
                    logprob=min(sum(logprobs[at] for at in word), 0.0),
                    entropy=float(np.mean([entropy[at] for at in word])),
                    prior=float(np.mean(priors)),
                )
            )
        word = []
    return found


def features(signs: Sequence[Signs]) -> Floats:
    """`FEATURES` of each word of one piece, shape `(n_words, n_features)`."""
    letters, logprob, entropy, prior = (np.array(column, np.float64) for column in zip(*signs, strict=True))
    near = np.array([entropy[max(at - 1, 0) : at + 2].mean() for at in range(len(entropy))])
    whole = np.ones(len(entropy))
    return np.column_stack(
        [-np.sqrt(-logprob), np.log(letters), entropy, near, whole * entropy.mean(), prior, whole * prior.mean()]
    )
