"""Metrics of recognition: error rates over normalised text, their confidence intervals, and speed.

All rates are fractions (0.05 is five per cent). Rates are *pooled*: the number of errors in all utterances is divided
by the number of words in all references. So a long message counts more than a short message. Inserted words are errors,
too, so a rate can exceed 1.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import jiwer
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from glas.domain.errors import InvalidParameterError
from glas.domain.text import RU_NORM_VERSION, normalise

Integers: TypeAlias = npt.NDArray[np.int64]

# 256 resamples of 10,000 speakers at a time are 20 MB of weights.
_RESAMPLES_AT_ONCE = 256


class ErrorRates(BaseModel):
    """Pooled word and character errors of a set of utterances, under RU-NORM."""

    model_config = ConfigDict(frozen=True)

    wer: float = Field(
        ge=0,
        description="Word error rate: number of wrong, missing and additional words, divided by the number of "
        "words in the references.",
    )
    cer: float = Field(
        ge=0,
        description="Character error rate: number of wrong, missing and additional characters, divided by the "
        "number of characters in the references. Spaces between words are characters.",
    )
    n_utterances: int = Field(ge=0)
    n_words: int = Field(ge=0, description="Number of words in all references.")
    n_chars: int = Field(ge=0, description="Number of characters in all references.")
    substitutions: int = Field(
        ge=0, description="Number of words of the references that were recognised as other words."
    )
    deletions: int = Field(
        ge=0, description="Number of words of the references that are missing in the recognised texts."
    )
    insertions: int = Field(
        ge=0, description="Number of words in the recognised texts that are additional to the references."
    )
    char_errors: int = Field(ge=0)
    ru_norm: int = Field(
        default=RU_NORM_VERSION, description="Version of RU-NORM, the normalisation of texts before they are compared."
    )

    @property
    def word_errors(self) -> int:
        """Number of substitutions, deletions and insertions."""
        return self.substitutions + self.deletions + self.insertions


class Interval(BaseModel):
    """An interval that contains the true value with probability `level`."""

    model_config = ConfigDict(frozen=True)

    low: float
    high: float
    level: float = Field(gt=0, lt=1)


def error_rates(references: Sequence[str], hypotheses: Sequence[str]) -> ErrorRates:
    """Count the errors of hypotheses against references, pooled over all utterances.

    This function normalises all texts. If the reference of an utterance is empty, all words of its hypothesis count as
    insertions. If all references are empty, the rate is 1 if any hypothesis contains a word, and otherwise 0.

    Args:
        references: the right texts, one for each utterance.
        hypotheses: the recognised texts, in the same order.
    """
    expected, heard = _normalised(references, hypotheses)
    if not expected:
        return _rates(substitutions=0, deletions=0, insertions=0, n_words=0, char_errors=0, n_chars=0, n_utterances=0)
    words = jiwer.process_words(expected, heard)
    chars = jiwer.process_characters(expected, heard)
    return _rates(
        substitutions=words.substitutions,
        deletions=words.deletions,
        insertions=words.insertions,
        n_words=words.hits + words.substitutions + words.deletions,
        char_errors=chars.substitutions + chars.deletions + chars.insertions,
        n_chars=chars.hits + chars.substitutions + chars.deletions,
        n_utterances=len(expected),
    )


def word_errors(references: Sequence[str], hypotheses: Sequence[str]) -> tuple[Integers, Integers]:
    """Count word errors and reference words of each utterance separately, as `bootstrap_interval` needs them.

    Returns:
        The numbers of errors and the numbers of words, both of shape `(n_utterances,)`.
    """
    return _errors(jiwer.process_words, references, hypotheses)


def char_errors(references: Sequence[str], hypotheses: Sequence[str]) -> tuple[Integers, Integers]:
    """Count character errors and reference characters of each utterance.

    Returns:
        The numbers of errors and the numbers of characters, both of shape `(n_utterances,)`.
    """
    return _errors(jiwer.process_characters, references, hypotheses)


def _errors(
    align: Callable[[str, str], jiwer.WordOutput | jiwer.CharacterOutput],
    references: Sequence[str],
    hypotheses: Sequence[str],
) -> tuple[Integers, Integers]:
    """Count the errors of each utterance, and the words or characters of its reference.

    `align` determines whether words or characters are compared.
    """
    counts = [
        (
            output.substitutions + output.deletions + output.insertions,
            output.hits + output.substitutions + output.deletions,
        )
        for output in map(align, *_normalised(references, hypotheses))
    ]
    errors, units = np.array(counts, dtype=np.int64).reshape(-1, 2).T
    return errors, units


def right_words(reference: str, hypothesis: str) -> list[bool]:
    """Return, for each word of the normalised hypothesis, whether it is aligned with the same word of the reference."""
    ((expected,), (heard,)) = _normalised([reference], [hypothesis])
    found = [False] * len(heard.split())
    for chunk in jiwer.process_words([expected], [heard]).alignments[0]:
        if chunk.type == "equal":
            found[chunk.hyp_start_idx : chunk.hyp_end_idx] = [True] * (chunk.hyp_end_idx - chunk.hyp_start_idx)
    return found


def rtfx(audio_s: float, processing_s: float) -> float:
    """Return the seconds of audio that are recognised in one second of processing (inverse real-time factor)."""
    if audio_s < 0 or processing_s <= 0:
        raise InvalidParameterError(f"expected audio_s >= 0 and processing_s > 0, got {audio_s} and {processing_s}")
    return audio_s / processing_s


def bootstrap_interval(
    errors: Sequence[int] | Integers,
    words: Sequence[int] | Integers,
    speakers: Sequence[str],
    *,
    resamples: int = 10_000,
    level: float = 0.95,
    seed: int = 1,
) -> Interval:
    """Compute the percentile interval of a pooled word error rate by the blockwise bootstrap.

    Whole speakers are drawn with replacement, because the errors in utterances of one speaker are not independent. If
    single utterances were drawn, the interval would be too narrow. If the speakers are unknown, give every utterance a
    different speaker name. Sources: Bisani and Ney 2004, "Bootstrap estimates for confidence intervals in ASR
    performance evaluation"; for whole speakers (blocks), Liu and Peng, arXiv:1912.09508.

    Args:
        errors: number of word errors of each utterance.
        words: number of reference words of each utterance.
        speakers: name of the speaker of each utterance; there must be at least two different speakers.
        resamples: how many times the speakers are drawn.
        level: probability that the interval contains the true rate.
        seed: the same seed gives the same interval.
    """
    errors_by_speaker, words_by_speaker = _by_speaker(np.asarray(errors), np.asarray(words), speakers)
    chance = np.random.default_rng(seed)
    n_speakers = len(words_by_speaker)
    rates = []
    for start in range(0, resamples, _RESAMPLES_AT_ONCE):
        size = min(_RESAMPLES_AT_ONCE, resamples - start)
        # How often each speaker is drawn in each resample; shape (size, n_speakers).
        times_drawn = chance.multinomial(n_speakers, np.full(n_speakers, 1 / n_speakers), size=size)
        rates.append(times_drawn @ errors_by_speaker / np.maximum(times_drawn @ words_by_speaker, 1))
    low, high = np.quantile(np.concatenate(rates), [(1 - level) / 2, (1 + level) / 2])
    return Interval(low=float(low), high=float(high), level=level)


def bootstrap_difference_interval(
    errors_a: Sequence[int] | Integers,
    errors_b: Sequence[int] | Integers,
    words: Sequence[int] | Integers,
    speakers: Sequence[str],
    *,
    resamples: int = 10_000,
    level: float = 0.95,
    seed: int = 1,
) -> Interval:
    """Compute the interval of WER(a) - WER(b) for two systems a and b on the same utterances.

    If the whole interval is above 0, system b is better. Each resample contains the same utterances for both systems,
    so the difference does not depend on how difficult the drawn utterances are. Both systems are compared with the same
    references, so their numbers of words are equal. Therefore the difference of the two rates is computed as one rate,
    from the differences of the errors.
    """
    _same_length(errors_a=errors_a, errors_b=errors_b)
    difference = np.asarray(errors_a) - np.asarray(errors_b)
    return bootstrap_interval(difference, words, speakers, resamples=resamples, level=level, seed=seed)


def _normalised(references: Sequence[str], hypotheses: Sequence[str]) -> tuple[list[str], list[str]]:
    _same_length(references=references, hypotheses=hypotheses)
    return [normalise(text) for text in references], [normalise(text) for text in hypotheses]


def _by_speaker(errors: Integers, words: Integers, speakers: Sequence[str]) -> tuple[Integers, Integers]:
    _same_length(errors=errors, words=words, speakers=speakers)
    names, speaker_of_utterance = np.unique(np.asarray(speakers, dtype=str), return_inverse=True)
    if len(names) < 2:  # noqa: PLR2004
        raise InvalidParameterError(f"expected at least 2 speakers, got {len(names)}", param="speakers")
    sums = np.zeros((2, len(names)), dtype=np.int64)
    np.add.at(sums[0], speaker_of_utterance, errors)
    np.add.at(sums[1], speaker_of_utterance, words)
    return sums[0], sums[1]


def _rates(
    *,
    substitutions: int,
    deletions: int,
    insertions: int,
    n_words: int,
    char_errors: int,
    n_chars: int,
    n_utterances: int,
) -> ErrorRates:
    return ErrorRates(
        wer=_rate(substitutions + deletions + insertions, n_words),
        cer=_rate(char_errors, n_chars),
        n_utterances=n_utterances,
        n_words=n_words,
        n_chars=n_chars,
        substitutions=substitutions,
        deletions=deletions,
        insertions=insertions,
        char_errors=char_errors,
    )


def _rate(errors: int, total: int) -> float:
    if total == 0:
        return float(errors > 0)
    return errors / total


def _same_length(**sequences: Sequence[object] | Integers) -> None:
    lengths = {name: len(sequence) for name, sequence in sequences.items()}
    if len(set(lengths.values())) > 1:
        raise InvalidParameterError(f"expected sequences of one length, got {lengths}")
