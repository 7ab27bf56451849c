"""Test the conversion of tokens to words: spaces, marks, times and confidences."""

from collections.abc import Sequence
from math import log

import pytest

from glas.domain.transcription import Word
from glas.engines.spelling import LETTER_S, spell


def words_of(
    tokens: Sequence[str], starts_s: Sequence[float] | None = None, duration_s: float = 10
) -> tuple[Word, ...]:
    starts_s = starts_s or [0.5 * index for index in range(len(tokens))]
    return spell(tokens, starts_s, None, duration_s=duration_s)


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (["п", "о", " ", "д", "а"], ["по", "да"]),
        ([" при", "вет", " мир"], ["привет", "мир"]),
        (["при", "вет", " ", " мир"], ["привет", "мир"]),
        ([" Да", ",", " нет", "."], ["Да,", "нет."]),
        ([" Да", " ,", " нет", " ?"], ["Да,", "нет?"]),
        ([" сказал", " «", "да", "»", "."], ["сказал", "«да»."]),
        ([" Москва", " —", " сто", "лица"], ["Москва —", "столица"]),
        ([" —", " Да"], ["— Да"]),
        ([" в", " 7", ":", "3", "0"], ["в", "7:30"]),
        ([" кое", "-", "кто"], ["кое-кто"]),
        ([" да", "<unk>", " <unk>", "<sos/eos>", " нет"], ["да", "нет"]),
        ([" 2", " <", " 3"], ["2 <", "3"]),
        ([" ", " ."], []),
        ([], []),
    ],
)
def test_tokens_become_words(tokens: list[str], text: list[str]) -> None:
    assert [word.text for word in words_of(tokens)] == text


def test_a_word_ends_when_the_space_after_it_begins_and_at_the_latest_after_its_letters() -> None:
    first, second, third = words_of(["а", "б", " ", "в", " ", "г"], [0.0, 0.1, 0.12, 1.0, 2.0, 2.5])
    assert (first.start_s, first.end_s) == (0.0, 0.12)
    assert second.end_s == pytest.approx(1.0 + LETTER_S)
    assert third.end_s == pytest.approx(2.5 + LETTER_S)


def test_a_whole_word_in_one_token_is_given_time_for_its_letters() -> None:
    first, second = words_of([" привет", " мир"], [1.0, 3.0])
    assert first.end_s == pytest.approx(1.0 + 6 * LETTER_S)
    assert second.end_s == pytest.approx(3.0 + 3 * LETTER_S)


def test_a_mark_that_comes_late_does_not_stretch_its_word() -> None:
    [word] = words_of([" да", "."], [1.0, 4.0])
    assert word.end_s == pytest.approx(1.0 + 2 * LETTER_S)


def test_no_time_lies_behind_the_audio_and_no_word_begins_before_the_one_before_has_ended() -> None:
    words = words_of([" раз", " два", " три", "!"], [0.9, 0.9, 1.3, 1.3], duration_s=1.0)
    times = [time for word in words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert times[-1] <= 1.0


def test_a_word_is_as_sure_as_all_its_letters_together_and_marks_do_not_count() -> None:
    logprobs = [log(0.9), log(0.4), log(0.1), log(0.8)]
    first, second = spell([" при", "вет", ",", " мир"], [0, 1, 2, 3], logprobs, duration_s=5)
    assert first.confidence == pytest.approx(0.9 * 0.4)
    assert second.confidence == pytest.approx(0.8)


def test_a_probability_a_hair_above_one_is_one() -> None:
    [word] = spell([" да"], [0], [1e-7], duration_s=1)
    assert word.confidence == 1


def test_without_probabilities_there_is_no_confidence() -> None:
    assert [word.confidence for word in words_of([" да"])] == [None]
