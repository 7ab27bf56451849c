"""Test the gate: a better candidate passes, and each kind of worse candidate is refused for the right reason."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from glas.domain.metrics import ErrorRates
from glas.domain.model_ref import ModelRef
from glas.recognition.evaluation import Evaluation, UtteranceResult
from glas.recognition.gate import Condition, Measured, Overlap, Verdict, judge

WORDS = 12
UTTERANCES = 120


def evaluation(name: str, wrong: list[int], durations: list[float] | None = None) -> Evaluation:
    """Make an evaluation with so many word errors in each utterance of `WORDS` words."""
    found = tuple(
        UtteranceResult(
            file=f"{number}.ogg",
            reference="слово",
            text="слово",
            word_errors=errors,
            words=WORDS,
            char_errors=errors,
            chars=WORDS * 5,
            duration_s=durations[number] if durations else 5.0,
            speaker=f"speaker {number % 20}",
            confidence=0.7,
            level_db=-30.0,
        )
        for number, errors in enumerate(wrong)
    )
    total = sum(wrong)
    rates = ErrorRates(
        wer=total / (WORDS * len(wrong)),
        cer=total / (WORDS * 5 * len(wrong)),
        n_utterances=len(wrong),
        n_words=WORDS * len(wrong),
        n_chars=WORDS * 5 * len(wrong),
        substitutions=total,
        deletions=0,
        insertions=0,
        char_errors=total,
    )
    return Evaluation(
        data=name,
        model=ModelRef(name="model", version="0" * 12),
        rates=rates,
        wer_interval=None,
        cer_interval=None,
        interval_method="none",
        audio_s=1,
        processing_s=1,
        utterances=found,
        failures=(),
        n_without_reference=0,
    )


def errors(rate: float, seed: int = 0) -> list[int]:
    return [int(one) for one in np.random.default_rng(seed).binomial(WORDS, rate, UTTERANCES)]


@dataclass
class Case:
    """A candidate that is better in all measurements, except for those that a test changes."""

    before: list[int] = field(default_factory=lambda: errors(0.2))
    after: list[int] = field(default_factory=lambda: [max(0, one - 1) for one in errors(0.2)])
    guard_after: list[int] = field(default_factory=lambda: errors(0.1, 1))
    durations: list[float] | None = None
    invented: int = 0
    slower: float = 0.0
    overlap: Overlap = field(default_factory=lambda: Overlap(n_speakers=0, n_recordings=0, n_texts=0))

    def verdict(self) -> Verdict:
        def measured(wrong: list[int], guard: list[int], invented: int) -> Measured:
            return Measured(
                model=ModelRef(name="model", version="0" * 12),
                test=evaluation("test", wrong, self.durations),
                guards=(evaluation("guard", guard),),
                n_nonspeech=120,
                n_invented=invented,
            )

        champion = measured(self.before, errors(0.1, 1), 0)
        candidate = measured(self.after, self.guard_after, self.invented)
        return judge(champion, candidate, slower=self.slower, overlap=self.overlap)


def failed(case: Case) -> set[Condition]:
    verdict = case.verdict()
    found = {one.condition for one in verdict.checks if not one.passed}
    assert verdict.passed is (not found)
    return found


def test_a_better_candidate_passes() -> None:
    assert failed(Case()) == set()


def test_too_small_a_gain() -> None:
    after = errors(0.2)
    after[after.index(max(after))] -= 1
    assert Condition.GAIN in failed(Case(after=after))


def test_a_gain_that_may_be_chance() -> None:
    """One speaker has fewer errors and another has more; the total gain of 7 % may be chance."""
    before = [4] * 20 + [2] * 100
    after = [0] * 10 + [4] * 10 + [2] * 100
    case = Case(before=before, after=after)
    assert Condition.CERTAINTY in failed(case) or case.verdict().difference is not None
    few = Case(before=[3, 3, 3, 3], after=[0, 3, 3, 3], guard_after=errors(0.1, 1))
    assert failed(few) == {Condition.CERTAINTY}


def test_a_guard_set_that_is_forgotten() -> None:
    worse = [min(WORDS, one + (number % 10 == 0)) for number, one in enumerate(errors(0.1, 1))]
    assert failed(Case(guard_after=worse)) == {Condition.GUARD}


def test_texts_where_nobody_speaks() -> None:
    assert failed(Case(invented=1)) == {Condition.NONSPEECH}


def test_slower_by_half() -> None:
    assert failed(Case(slower=0.5)) == {Condition.SPEED}


def test_worse_on_long_recordings() -> None:
    durations = [12.0 if number % 4 == 0 else 5.0 for number in range(UTTERANCES)]
    before = errors(0.2)
    after = [one + 1 if number % 4 == 0 else max(0, one - 2) for number, one in enumerate(before)]
    assert failed(Case(before=before, after=after, durations=durations)) == {Condition.BUCKET}


@pytest.mark.parametrize(
    ("overlap", "expected"),
    [
        (Overlap(n_speakers=1, n_recordings=0, n_texts=0), {Condition.SPEAKERS}),
        (Overlap(n_speakers=0, n_recordings=2, n_texts=0), {Condition.RECORDINGS}),
        (Overlap(n_speakers=0, n_recordings=0, n_texts=3), set()),
        (Overlap(n_speakers=1, n_recordings=0, n_texts=0, is_personal=True), set()),
        (Overlap(n_speakers=1, n_recordings=0, n_texts=3, is_personal=True), {Condition.TEXTS}),
    ],
)
def test_what_was_learnt_is_no_test(overlap: Overlap, expected: set[Condition]) -> None:
    assert failed(Case(overlap=overlap)) == expected
