"""The gate: decide whether a candidate may replace the champion.

The decision depends only on the measurements of both models, and on the overlap of the test recordings with the
training data. A candidate passes only if it passes every check. A check compares a measured value with a limit. The
limits (`GateLimits`) are the same for every model.
"""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from glas.domain.metrics import Interval, bootstrap_difference_interval
from glas.domain.model_ref import ModelRef
from glas.recognition.evaluation import RESAMPLES, SEED, Evaluation, UtteranceResult, blocks_of

FEWEST_BUCKET_WORDS: Final = 150
"""Least number of words for which a bucket (a part of the test set) is judged.

Buckets with fewer words are shown in the report, but do not affect the decision.

In such a bucket, a single wrong word would change the error rate too much. In a bucket of 150 words, one word changes
the error rate by 0.7 percentage points.
"""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class GateLimits(_Value):
    """Limits of the gate for the measurements of a candidate."""

    least_gain: float = Field(
        default=0.05,
        description="Least required decrease of the word error rate on the test set, as a fraction of the "
        "champion's rate.",
    )
    most_guard_loss: float = Field(
        default=0.003,
        description="Largest permitted increase of the word error rate on each guard set, as a difference of the "
        "rates (0.003 is 0.3 percentage points).",
    )
    most_bucket_loss: float = Field(
        default=0.01,
        description="Largest permitted increase of the word error rate in each bucket of the test set, as a "
        "difference of the rates (0.01 is 1 percentage point).",
    )
    most_nonspeech: float = Field(
        default=0.01,
        description="Largest permitted share (0..1) of sounds without speech for which the model writes a text.",
    )
    most_slower: float = Field(
        default=0.05,
        description="Largest permitted increase of processor time, as a fraction of the champion's processor time.",
    )


class Measured(_Value):
    """All measurements of one model."""

    model: ModelRef
    test: Evaluation
    guards: tuple[Evaluation, ...] = ()
    n_nonspeech: int = Field(ge=0, description="Number of sounds without speech that the model had to recognise.")
    n_invented: int = Field(ge=0, description="Number of sounds without speech for which the model wrote a text.")


class Overlap(_Value):
    """How many speakers, recordings and texts of the test are also in the training data of the candidate."""

    n_speakers: int = Field(
        ge=0,
        description="Number of speakers of the test set whose recordings are also in the training data of the model.",
    )
    n_recordings: int = Field(
        ge=0,
        description="Number of recordings of the test set and of the guard sets that are also in the training "
        "data of the model.",
    )
    n_texts: int = Field(
        ge=0, description="Number of references of the test set that are also in the training data of the model."
    )
    is_personal: bool = Field(
        default=False,
        description="Whether the model is intended only for the speakers on whose recordings it was trained.",
    )


class Condition(StrEnum):
    """The quantity that a check compares with a limit."""

    GAIN = "gain"  # relative fall of the word error rate on the test set
    CERTAINTY = "certainty"  # lower limit of the interval of the absolute fall of this rate
    GUARD = "guard"  # absolute rise of the word error rate on a guard set
    BUCKET = "bucket"  # absolute rise of the word error rate in a bucket of the test set
    NONSPEECH = "nonspeech"  # number of sounds without speech for which the candidate wrote a text
    SPEED = "speed"  # relative rise of processor time
    SPEAKERS = "speakers"  # number of speakers of the test set from whom the candidate learnt
    RECORDINGS = "recordings"  # number of recordings of the test set or a guard set from which the candidate learnt
    TEXTS = "texts"  # number of references of the test set from which the candidate learnt


class Bucket(_Value):
    """A part of the test set: the recordings whose length, level or confidence is between two limits."""

    kind: str = Field(
        description="Quantity by which the recordings are grouped: `length` in seconds, `level` in decibels, or "
        "`confidence`."
    )
    low: float | None
    high: float | None
    n_words: int
    before: float = Field(description="Word error rate of the champion in the bucket, as a fraction.")
    after: float = Field(description="Word error rate of the candidate in the bucket, as a fraction.")


class Check(_Value):
    """The result of one check: measured value, limit, and whether the candidate passed it."""

    condition: Condition
    subject: str = Field(
        default="", description="Name of the guard set. Empty for checks that are not about a guard set."
    )
    bucket: Bucket | None = None
    limit: float = Field(
        description="Least permitted value of a gain or of a certainty. For other conditions, the largest "
        "permitted value."
    )
    value: float | None = Field(description="Measured value. null if it could not be measured.")
    passed: bool


class Verdict(_Value):
    """The decision of the gate about a candidate, with all checks that led to it."""

    champion: ModelRef
    candidate: ModelRef
    passed: bool
    checks: tuple[Check, ...]
    buckets: tuple[Bucket, ...]
    wer_before: float
    wer_after: float
    difference: Interval | None = Field(
        description="Interval of the difference of the word error rates: rate of the champion minus rate of the "
        "candidate. null if it could not be computed."
    )


def judge(
    champion: Measured, candidate: Measured, *, slower: float, overlap: Overlap, limits: GateLimits | None = None
) -> Verdict:
    """Decide whether a candidate may replace the champion, from the measurements of both models.

    Args:
        champion: the measurements of the champion.
        candidate: the measurements of the candidate on the same recordings.
        slower: relative difference in processor time, as a fraction; see `glas.recognition.cost.slower_by`.
        overlap: how many speakers, recordings and texts of the test are also in the training data of the candidate.
        limits: the limits of the checks; None for the defaults of `GateLimits`.
    """
    limits = limits or GateLimits()
    difference = _difference(champion.test, candidate.test)
    buckets = tuple(_buckets(champion.test, candidate.test))
    checks = (
        _at_least(Condition.GAIN, limits.least_gain, _gain(champion.test, candidate.test)),
        _certainty(difference),
        *(
            _at_most(Condition.GUARD, limits.most_guard_loss, after.rates.wer - before.rates.wer, subject=before.data)
            for before, after in zip(champion.guards, candidate.guards, strict=True)
        ),
        _at_most(Condition.NONSPEECH, _most_invented(champion, limits), candidate.n_invented),
        _at_most(Condition.SPEED, limits.most_slower, slower),
        *(
            _at_most(Condition.BUCKET, limits.most_bucket_loss, one.after - one.before, bucket=one)
            for one in buckets
            if one.n_words >= FEWEST_BUCKET_WORDS
        ),
        *_disjoint(overlap),
    )
    return Verdict(
        champion=champion.model,
        candidate=candidate.model,
        passed=all(one.passed for one in checks),
        checks=checks,
        buckets=buckets,
        wer_before=champion.test.rates.wer,
        wer_after=candidate.test.rates.wer,
        difference=difference,
    )


def _difference(before: Evaluation, after: Evaluation) -> Interval | None:
    pairs = list(zip(before.utterances, after.utterances, strict=True))
    _, blocks = blocks_of([one.speaker for one in before.utterances])
    if len(set(blocks)) < 2:  # noqa: PLR2004
        return None
    return bootstrap_difference_interval(
        [one.word_errors for one, _ in pairs],
        [one.word_errors for _, one in pairs],
        [one.words for one, _ in pairs],
        blocks,
        resamples=RESAMPLES,
        seed=SEED,
    )


def _gain(before: Evaluation, after: Evaluation) -> float:
    return (before.rates.wer - after.rates.wer) / before.rates.wer if before.rates.wer else 0.0


def _most_invented(champion: Measured, limits: GateLimits) -> int:
    return min(champion.n_invented, int(limits.most_nonspeech * champion.n_nonspeech))


def _at_least(condition: Condition, limit: float, value: float) -> Check:
    return Check(condition=condition, limit=limit, value=value, passed=value >= limit)


def _at_most(
    condition: Condition, limit: float, value: float, *, subject: str = "", bucket: Bucket | None = None
) -> Check:
    passed = value <= limit
    return Check(condition=condition, subject=subject, bucket=bucket, limit=limit, value=value, passed=passed)


def _certainty(difference: Interval | None) -> Check:
    low = None if difference is None else difference.low
    return Check(condition=Condition.CERTAINTY, limit=0.0, value=low, passed=low is not None and low > 0)


def _disjoint(overlap: Overlap) -> list[Check]:
    """Return checks of the overlap between the test recordings and the training data of the candidate.

    No model may be trained on a recording of the test set or of a guard set. A personal model may be trained on other
    recordings of the test set's speakers, but not on the texts of the test set. Any other model may be trained on the
    texts of the test set, but not on recordings of its speakers.
    """
    by_voice = _at_most(Condition.SPEAKERS, 0, overlap.n_speakers)
    by_text = _at_most(Condition.TEXTS, 0, overlap.n_texts)
    return [_at_most(Condition.RECORDINGS, 0, overlap.n_recordings), by_text if overlap.is_personal else by_voice]


def _buckets(before: Evaluation, after: Evaluation) -> Iterator[Bucket]:
    """Yield the buckets of the test set: its recordings, divided by length, by level and by confidence.

    The length, level and confidence of a recording are taken from the champion's result (`before`).
    """
    for part in parts_of(before.utterances):
        was, is_now = ([one.utterances[place] for place in part.places] for one in (before, after))
        yield Bucket(
            kind=part.kind,
            low=part.low,
            high=part.high,
            n_words=part.n_words,
            before=sum(one.word_errors for one in was) / part.n_words,
            after=sum(one.word_errors for one in is_now) / part.n_words,
        )


class Part(NamedTuple):
    """A part of a set of recordings.

    Attributes:
        kind: the quantity by which the recordings are divided: `length`, `level` or `confidence`.
        low: smallest value of the quantity in this part; None for no limit.
        high: upper limit of the quantity; a value that is equal to the limit is not in this part. None for no limit.
        places: indices of the recordings in the set, from 0.
        n_words: total number of words in the references of these recordings.
    """

    kind: str
    low: float | None
    high: float | None
    places: list[int]
    n_words: int


def parts_of(utterances: Sequence[UtteranceResult]) -> Iterator[Part]:
    """Divide recordings by length, by level and by confidence; leave out parts whose references contain no words."""
    for kind, value, borders in BUCKETS:
        known = [(found, place) for place, one in enumerate(utterances) if (found := value(one)) is not None]
        for low, high in zip((None, *borders), (*borders, None), strict=True):
            some = [place for found, place in known if (low is None or found >= low) and (high is None or found < high)]
            n_words = sum(utterances[place].words for place in some)
            if n_words:
                yield Part(kind, low, high, some, n_words)


BUCKETS: Final[tuple[tuple[str, Callable[[UtteranceResult], float | None], Sequence[float]], ...]] = (
    ("length", lambda one: one.duration_s, (4.0, 10.0)),
    ("level", lambda one: one.level_db, (-35.0, -25.0)),
    ("confidence", lambda one: one.confidence, (0.6, 0.85)),
)
"""The quantities by which the test set is divided into buckets (parts of the test set).

Each entry contains the name of a quantity, a function that returns the quantity of a recording, and the borders between
the buckets.
"""
