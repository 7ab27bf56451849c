"""Error rates of a recogniser on recordings with reference texts.

The confidence intervals of the error rates are percentile intervals of the bootstrap (Bisani and Ney 2004, "Bootstrap
estimates for confidence intervals in ASR performance evaluation"). If the speaker of every recording is known, and
there are at least `FEWEST_SPEAKERS` different speakers, the bootstrap draws speakers with all their recordings.
Otherwise the bootstrap draws single recordings, as if the recordings of one speaker were independent. If there are few
speakers, the error rate on other voices may be outside the interval.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from pydantic import BaseModel, ConfigDict, Field

from glas.domain.decoding import UNSPECIFIED, DecodingOptions
from glas.domain.errors import AudioError
from glas.domain.metrics import (
    ErrorRates,
    Integers,
    Interval,
    bootstrap_interval,
    char_errors,
    error_rates,
    word_errors,
)
from glas.domain.model_ref import ModelRef
from glas.domain.transcription import Recognition
from glas.engines.catalogue import AUTO
from glas.recognition.job import Job
from glas.recognition.recogniser import Recogniser
from glas.recognition.references import ReferenceSet, Utterance

RESAMPLES = 10_000
SEED = 1
UNREADABLE = "file_unreadable"
FEWEST_SPEAKERS = 5  # with fewer speakers, an interval from drawn speakers is not reliable


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class UtteranceResult(_Value):
    """The reference and the recognised text of one recording, with the number of errors."""

    file: str
    reference: str
    text: str
    word_errors: int = Field(ge=0)
    words: int = Field(ge=0, description="Number of words of the reference, after the normalisation RU-NORM.")
    char_errors: int = Field(ge=0)
    chars: int = Field(
        ge=0,
        description="Number of characters of the reference, after the normalisation RU-NORM. Spaces between words "
        "are characters.",
    )
    duration_s: float = Field(ge=0)
    speaker: str | None = None
    confidence: float | None = Field(default=None, ge=0, le=1)
    level_db: float | None = Field(
        default=None,
        description="Root mean square of the samples in decibels; 0 dB is full scale. null if it is not known.",
    )


class Failure(_Value):
    """A recording that could not be recognised."""

    file: str
    code: str = Field(description="Code of the error. It is `file_unreadable` if the file cannot be read.")
    message: str


class Evaluation(_Value):
    """Error rates of a model on a set of recordings."""

    data: str = Field(description="Name of the set of recordings with references.")
    model: ModelRef
    rates: ErrorRates
    wer_interval: Interval | None = Field(
        description="Confidence interval of the word error rate. null if there are fewer than two recordings."
    )
    cer_interval: Interval | None
    interval_method: str = Field(description="Name of the method by which the confidence intervals are computed.")
    resamples: int = RESAMPLES
    seed: int = SEED
    audio_s: float = Field(ge=0, description="Total length of the recognised recordings, in seconds.")
    processing_s: float = Field(ge=0, description="Total processing time in seconds, summed over all threads.")
    utterances: tuple[UtteranceResult, ...]
    failures: tuple[Failure, ...] = Field(
        description="Recordings that could not be recognised. They count in none of the figures."
    )
    n_without_reference: int = Field(
        ge=0, description="Number of lines of the data set without a reference. They count in none of the figures."
    )


def evaluate(
    recogniser: Recogniser,
    data: ReferenceSet,
    *,
    options: DecodingOptions = UNSPECIFIED,
    workers: int = 1,
    on_done: Callable[[int], None] = lambda _n: None,
) -> Evaluation:
    """Recognise all recordings of a data set with the default model, and compute the error rates.

    Args:
        recogniser: the recogniser, with the settings of the server.
        data: recordings with reference texts.
        options: options of recognition.
        workers: number of recordings that are recognised at the same time.
        on_done: is called after each recording with the number of finished recordings.

    Raises:
        ModelError: the model cannot be loaded.
    """

    def recognise(one: Utterance) -> Recognition | Failure:
        try:
            return recogniser.transcribe(one.audio.read_bytes, options)
        except AudioError as error:
            return Failure(file=one.name, code=error.code, message=error.message)
        except OSError as error:
            return Failure(file=one.name, code=UNREADABLE, message=f"the file cannot be read: {error.strerror}")

    found: list[Recognition | Failure] = []
    with ThreadPoolExecutor(workers) as pool:
        try:
            for result in pool.map(recognise, data.utterances):
                found.append(result)
                on_done(len(found))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    pairs = zip(data.utterances, found, strict=True)
    recognised = [(one, result) for one, result in pairs if isinstance(result, Recognition)]
    failures = tuple(result for result in found if isinstance(result, Failure))
    return _evaluation(_model(recogniser), data, recognised, failures)


def _model(recogniser: Recogniser) -> ModelRef:
    with recogniser.registry.lease(AUTO, Job()) as model:
        return model.ref


def _evaluation(
    model: ModelRef,
    data: ReferenceSet,
    recognised: Sequence[tuple[Utterance, Recognition]],
    failures: tuple[Failure, ...],
) -> Evaluation:
    references = [one.text for one, _ in recognised]
    texts = [result.hypothesis.text for _, result in recognised]
    wrong_words, words = word_errors(references, texts)
    wrong_chars, chars = char_errors(references, texts)
    unit, blocks = blocks_of([one.speaker for one, _ in recognised])
    return Evaluation(
        data=data.name,
        model=model,
        rates=error_rates(references, texts),
        wer_interval=_interval(wrong_words, words, blocks),
        cer_interval=_interval(wrong_chars, chars, blocks),
        interval_method=f"percentile bootstrap over {unit} (Bisani and Ney 2004)",
        audio_s=sum(result.hypothesis.duration_s for _, result in recognised),
        processing_s=sum(result.processing_s for _, result in recognised),
        utterances=tuple(
            UtteranceResult(
                file=one.name,
                reference=one.text,
                text=result.hypothesis.text,
                word_errors=int(wrong_words[index]),
                words=int(words[index]),
                char_errors=int(wrong_chars[index]),
                chars=int(chars[index]),
                duration_s=result.hypothesis.duration_s,
                speaker=one.speaker,
                confidence=result.hypothesis.confidence,
                level_db=result.level_db,
            )
            for index, (one, result) in enumerate(recognised)
        ),
        failures=failures,
        n_without_reference=data.n_without_reference,
    )


def blocks_of(speakers: Sequence[str | None]) -> tuple[str, list[str]]:
    """Group recordings into blocks; the bootstrap draws whole blocks.

    A block contains all recordings of one speaker. If the names of some speakers are missing, or if there are too few
    speakers, each recording is a block.

    Args:
        speakers: for each recording the name of its speaker; None if the name is missing.

    Returns:
        A pair: the word `speakers` or `recordings`, which says what a block stands for; and for each recording the name
        of its block.
    """
    named = [one for one in speakers if one is not None]
    if len(named) == len(speakers) and len(set(named)) >= FEWEST_SPEAKERS:
        return "speakers", named
    return "recordings", [str(index) for index in range(len(speakers))]


def _interval(errors: Integers, totals: Integers, blocks: Sequence[str]) -> Interval | None:
    if len(set(blocks)) < 2:  # noqa: PLR2004
        return None
    return bootstrap_interval(errors, totals, blocks, resamples=RESAMPLES, seed=SEED)
