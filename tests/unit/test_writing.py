"""Test that pauses end sentences, and that words keep their times."""

from itertools import pairwise

from glas.domain.text import normalise
from glas.domain.transcription import Hypothesis, Segment, Word
from glas.domain.writing import SENTENCE_PAUSE_S, Style, Writer

SENTENCES = Style(sentences=True)
BOTH = Style(sentences=True, digits=True)


def heard(text: str, *, pause_after: tuple[str, ...] = (), language: str = "ru") -> Hypothesis:
    """Make words of 0.3 s, 0.1 s apart, with a long pause after some of them."""
    words, at_s = [], 0.0
    for number, said in enumerate(text.split()):
        words.append(Word(text=said, start_s=at_s, end_s=at_s + 0.3, confidence=0.9 - number / 100))
        at_s += 0.4 + (SENTENCE_PAUSE_S if said in pause_after else 0)
    segment = Segment(start_s=0, end_s=at_s, text=text, words=tuple(words), confidence=0.8)
    return Hypothesis(text=text, duration_s=at_s, segments=(segment,), model="test", language=language)


def test_a_pause_ends_a_sentence_and_no_comma_is_put() -> None:
    said = heard("привет как дела перезвони мне", pause_after=("дела",))
    shown = Writer(SENTENCES).write(said)
    assert shown.text == "Привет как дела. Перезвони мне."
    assert shown.segments[0].text == " ".join(word.text for word in shown.words)
    assert [word.start_s for word in shown.words] == [word.start_s for word in said.words]
    assert normalise(shown.text) == normalise(said.text)


def test_a_sentence_goes_on_after_a_piece_that_was_cut() -> None:
    writer = Writer(SENTENCES)
    pieces = [
        writer.write(heard("я сейчас на"), is_cut=True).text,
        writer.write(heard("работе")).text,
        writer.write(heard("")).text,
        writer.write(heard("пока")).text,
    ]
    assert pieces == ["Я сейчас на", "работе.", "", "Пока."]


def test_marks_that_are_there_stay() -> None:
    assert Writer(SENTENCES).write(heard("да! конечно?")).text == "Да! конечно?"


def test_words_put_together_keep_their_span_and_the_least_confidence() -> None:
    said = heard("приходи двадцать пятого в семь тридцать вечером")
    shown = Writer(BOTH).write(said)
    assert shown.text == "Приходи 25-го в 7:30 вечером."
    day = shown.words[1]
    assert (day.start_s, day.end_s) == (said.words[1].start_s, said.words[2].end_s)
    assert day.confidence == min(word.confidence or 0 for word in said.words[1:3])
    assert all(earlier.end_s <= later.start_s for earlier, later in pairwise(shown.words))
    assert normalise(shown.text) == normalise(said.text)


def test_numbers_that_begin_or_end_a_sentence() -> None:
    shown = Writer(BOTH).write(heard("двадцать пять нас сорок два", pause_after=("пять",)))
    assert shown.text == "25. Нас 42."


def test_a_text_without_times_is_one_sentence() -> None:
    segment = Segment(start_s=0, end_s=3, text="мне сорок два года")
    said = Hypothesis(text=segment.text, duration_s=3, segments=(segment,), model="test")
    shown = Writer(BOTH).write(said)
    assert (shown.text, shown.words) == ("Мне 42 года.", ())


def test_without_a_style_and_in_other_languages_nothing_changes() -> None:
    said = heard("двадцать пять")
    assert Writer(Style()).write(said) is said
    foreign = heard("hello there", language="en")
    assert Writer(BOTH).write(foreign) is foreign
