"""Test that long texts are divided into paragraphs by one rule in the bot and on the page."""

import re
from collections.abc import Sequence
from pathlib import Path

from glas.domain.paragraphs import CHARS, PAUSE_S, in_paragraphs
from glas.domain.transcription import Hypothesis, Segment

PAGE = (Path(__file__).parents[2] / "src/glas/web/static/transcript.js").read_text(encoding="utf-8")
SENTENCE = "Это одно предложение из семи разных слов."


def hypothesis(texts: Sequence[str], pauses_s: Sequence[float]) -> Hypothesis:
    """Make segments of ten seconds each, with a pause after each but the last."""
    segments, start_s = list[Segment](), 0.0
    for text, pause_s in zip(texts, (*pauses_s, 0.0), strict=True):
        segments.append(Segment(start_s=start_s, end_s=start_s + 10, text=text))
        start_s += 10 + pause_s
    return Hypothesis(text=" ".join(texts), duration_s=start_s, segments=tuple(segments), model="m")


def test_the_page_has_the_same_figures() -> None:
    assert float(re.findall(r"PARAGRAPH_S = ([\d.]+);", PAGE)[0]) == PAUSE_S
    assert int(re.findall(r"PARAGRAPH_CHARS = (\d+);", PAGE)[0]) == CHARS


def test_a_pause_or_many_letters_end_a_paragraph() -> None:
    """After many letters a paragraph ends at the end of a sentence; a short text is one paragraph."""
    half = " ".join([SENTENCE] * 7)
    open_end = half.removesuffix(".")
    heard = hypothesis([half, half, half, open_end, "и дальше.", half], [0.5, PAUSE_S, PAUSE_S - 0.1, 0.3, 0.3])
    made = in_paragraphs(heard, heard.text)
    assert made.split("\n\n") == [f"{half} {half}", f"{half} {open_end} и дальше.", half]
    short = hypothesis([SENTENCE, SENTENCE], [10.0])
    assert in_paragraphs(short, short.text) == short.text


def test_corrected_words_stand_in_the_paragraphs_of_those_they_replace() -> None:
    """A text with line breaks keeps them, and a text without times is one paragraph."""
    part = " ".join([SENTENCE] * 10)
    heard = hypothesis([part, part], [3.0])
    corrected = heard.text.replace("одно", "одиннадцатое", 1)
    assert in_paragraphs(heard, corrected) == f"{part.replace('одно', 'одиннадцатое', 1)}\n\n{part}"
    lines = heard.text.replace(". ", ".\n", 1)
    assert in_paragraphs(heard, lines) == lines
    assert in_paragraphs(heard.model_copy(update={"segments": ()}), heard.text) == heard.text
