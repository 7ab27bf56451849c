"""Test how similar a correction is to the recognised text, and the times of corrected words."""

import pytest

from glas.domain.corrections import Likeness, Rank, Sound, likeness, rank_of
from glas.domain.realignment import realigned
from glas.domain.subtitles import to_srt
from glas.domain.transcription import Hypothesis, Segment, Word

HEARD = "Встреча переносится на пятницу, на пятнадцать тридцать."


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (HEARD, Likeness.SAME),
        ("встреча переносится на пятницу на пятнадцать тридцать", Likeness.CLEAR),
        ("Встреча переносится на пятницу, на 16:30.", Likeness.CLEAR),
        ("Встречу перенесли на пятницу, на шестнадцать тридцать.", Likeness.CLEAR),
        ("Встреча переносится на пятницу, на пятнадцать тридцать?", Likeness.NEAR),
        ("Встреча переносится на четверг, на восемнадцать ровно.", Likeness.NEAR),
        ("согласен, давайте в четверг", Likeness.FAR),
        ("спасибо!", Likeness.FAR),
        ("😂", Likeness.FAR),
        ("", Likeness.FAR),
        ("👍", Likeness.FAR),
    ],
)
def test_how_near_a_text_is(said: str, expected: Likeness) -> None:
    """Letters are compared, without case and punctuation; a question is never clear."""
    assert likeness(said, HEARD) is expected


@pytest.mark.parametrize(
    ("said", "duration_s", "sound", "expected"),
    [
        ("Встреча переносится на субботу, на пятнадцать тридцать", 5, Sound.UNKNOWN, Rank.AUTHOR),
        ("согласен, давайте в четверг", 5, Sound.UNKNOWN, Rank.DOUBTFUL),
        ("согласен, давайте в четверг", 5, Sound.SUPPORTS, Rank.AUTHOR),
        ("Встреча переносится на субботу, на пятнадцать тридцать", 5, Sound.DENIES, Rank.DOUBTFUL),
        ("Встреча переносится на субботу, на пятнадцать тридцать", 0.4, Sound.SUPPORTS, Rank.DOUBTFUL),
    ],
)
def test_the_rank_of_an_authors_words(said: str, duration_s: float, sound: Sound, expected: Rank) -> None:
    """The sound counts more than the letters, and the letters per second are limited."""
    assert rank_of(said, HEARD, duration_s=duration_s, max_chars_per_s=30, sound=sound) is expected


def word(text: str, start_s: float, end_s: float) -> Word:
    """Make a word with times."""
    return Word(text=text, start_s=start_s, end_s=end_s, confidence=0.5)


def test_corrected_words_stand_where_the_wrong_ones_did() -> None:
    """New words share the times of the replaced words; other words and segments keep theirs."""
    first = Segment(start_s=0, end_s=2, text="мама мыла рано", words=(word("мама", 0, 0.5), word("мыла", 0.6, 1.0)))
    first = first.model_copy(update={"words": (*first.words, word("рано", 1.2, 2.0))})
    second = Segment(start_s=3, end_s=4, text="утром", words=(word("утром", 3.0, 4.0),))
    heard = Hypothesis(text="мама мыла рано утром", duration_s=4, segments=(first, second), model="x")
    made = realigned(heard, "Мама мыла раму, сама, утром.")
    assert made.text == "Мама мыла раму, сама, утром."
    assert [one.text for one in made.words] == ["Мама", "мыла", "раму,", "сама,", "утром."]
    assert [(one.start_s, one.end_s) for one in made.words] == [(0, 0.5), (0.6, 1.0), (1.2, 1.6), (1.6, 2.0), (3, 4)]
    assert [(one.start_s, one.end_s, one.text) for one in made.segments] == [
        (0, 2, "Мама мыла раму, сама,"),
        (3, 4, "утром."),
    ]
    assert "00:00:03,000 --> 00:00:04,000\nутром." in to_srt(made)


def test_words_come_and_go() -> None:
    """Words are added or removed at the beginning, in the middle, at the end, or all, also without times of words."""
    segment = Segment(start_s=1, end_s=3, text="два три", words=(word("два", 1, 2), word("три", 2, 3)))
    heard = Hypothesis(text="два три", duration_s=3, segments=(segment,), model="x")
    assert [one.start_s for one in realigned(heard, "раз два три четыре").words] == [1, 1, 2, 3]
    assert realigned(heard, "три").segments[0].words[0].start_s == 2
    assert [one.text for one in realigned(heard, "совсем другое дело").segments] == ["совсем другое дело"]
    wordless = heard.model_copy(update={"segments": (segment.model_copy(update={"words": ()}),)})
    assert [(one.start_s, one.end_s) for one in realigned(wordless, "два четыре").words] == [(1, 2), (2, 3)]
    assert realigned(heard.model_copy(update={"segments": ()}), "два пять").segments[0].text == "два пять"
