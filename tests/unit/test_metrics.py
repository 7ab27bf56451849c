"""Test error rates with examples counted by hand, and intervals with theory."""

import numpy as np
import pytest

from glas.domain.errors import InvalidParameterError
from glas.domain.metrics import (
    bootstrap_difference_interval,
    bootstrap_interval,
    error_rates,
    right_words,
    rtfx,
    word_errors,
)


def test_rates_are_pooled_over_normalised_text() -> None:
    rates = error_rates(["Всё хорошо, правда.", "да"], ["все хорошо", "нет да"])

    assert (rates.substitutions, rates.deletions, rates.insertions) == (0, 1, 1)
    assert (rates.n_words, rates.n_utterances, rates.word_errors) == (4, 2, 2)
    assert rates.wer == pytest.approx(2 / 4)
    # « правда» is missing (7) and «нет » was added (4); the references have 17 + 2 characters.
    assert rates.char_errors == 11
    assert rates.n_chars == 19
    assert rates.cer == pytest.approx(11 / 19)


def test_written_numbers_and_the_breve_count_as_heard() -> None:
    assert error_rates(["в семь тридцать"], ["В 7:30!"]).wer == 0
    assert error_rates(["мой"], ["мои"]).wer == 1


def test_insertions_into_silence_are_counted() -> None:
    rates = error_rates(["", "раз два"], ["спасибо за просмотр", "раз два"])

    assert rates.insertions == 3
    assert rates.wer == pytest.approx(3 / 2)


@pytest.mark.parametrize(("heard", "rate"), [("", 0.0), ("что-то", 1.0)])
def test_references_without_a_word_have_a_rate_too(heard: str, rate: float) -> None:
    assert error_rates(["..."], [heard]).wer == rate
    assert error_rates(["..."], [heard]).cer == rate


def test_no_utterances_have_no_errors() -> None:
    assert error_rates([], []).wer == 0
    errors, words = word_errors([], [])
    assert errors.shape == words.shape == (0,)


def test_errors_per_utterance_add_up_to_the_pooled_rate() -> None:
    references, hypotheses = ["раз два три", "", "пять"], ["раз три", "эй", "шесть"]

    errors, words = word_errors(references, hypotheses)

    assert errors.tolist() == [1, 1, 1]
    assert words.tolist() == [3, 0, 1]
    assert errors.sum() / words.sum() == error_rates(references, hypotheses).wer


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(InvalidParameterError, match="one length"):
        error_rates(["раз"], [])
    with pytest.raises(InvalidParameterError, match="one length"):
        bootstrap_difference_interval([1, 2], [1], [3, 3], ["а", "б"])


def test_speed_is_audio_per_second() -> None:
    assert rtfx(60, 0.5) == 120
    with pytest.raises(InvalidParameterError):
        rtfx(60, 0)


def test_interval_agrees_with_the_normal_approximation() -> None:
    chance = np.random.default_rng(7)
    words = np.full(1_000, 10)
    errors = chance.binomial(10, 0.1, size=1_000)
    everyone_once = [str(number) for number in range(1_000)]

    interval = bootstrap_interval(errors, words, everyone_once)

    half_width = 1.96 * np.sqrt(0.1 * 0.9 / 10_000)
    wer = errors.sum() / words.sum()
    assert interval.low == pytest.approx(wer - half_width, abs=half_width * 0.1)
    assert interval.high == pytest.approx(wer + half_width, abs=half_width * 0.1)


def test_drawing_whole_speakers_widens_the_interval() -> None:
    # Half of the speakers are hard to understand; utterances of one speaker are alike.
    errors, words = [0, 0, 0, 0, 5, 5, 5, 5] * 5, [10] * 40
    speakers = [str(number // 4) for number in range(40)]

    by_speaker = bootstrap_interval(errors, words, speakers)
    by_utterance = bootstrap_interval(errors, words, [str(number) for number in range(40)])

    assert by_speaker.high - by_speaker.low > 1.5 * (by_utterance.high - by_utterance.low)


def test_right_words_are_those_that_stand_in_their_place() -> None:
    assert right_words("Мама мыла раму.", "мама мыло раму") == [True, False, True]
    assert right_words("раз три", "раз два три") == [True, False, True]
    assert right_words("раз", "") == []


def test_the_same_seed_gives_the_same_interval() -> None:
    errors, words, speakers = [1, 0, 3], [5, 5, 5], ["а", "б", "в"]

    assert bootstrap_interval(errors, words, speakers, seed=3) == bootstrap_interval(errors, words, speakers, seed=3)


def test_a_small_but_steady_gain_is_seen_by_pairing() -> None:
    chance = np.random.default_rng(11)
    words = np.full(400, 20)
    worse = chance.binomial(20, 0.3, size=400)
    better = np.maximum(worse - chance.binomial(1, 0.3, size=400), 0)
    speakers = [str(number // 4) for number in range(400)]

    gain = bootstrap_difference_interval(worse, better, words, speakers)
    alone = bootstrap_interval(better, words, speakers)

    assert gain.low > 0
    assert alone.high > worse.sum() / words.sum() - 0.01


def test_one_speaker_has_no_interval() -> None:
    with pytest.raises(InvalidParameterError, match="at least 2 speakers"):
        bootstrap_interval([1, 2], [3, 3], ["а", "а"])
