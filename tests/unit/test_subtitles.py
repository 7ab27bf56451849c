"""Test subtitles with small parsers that follow the descriptions of the formats."""

import html
import itertools
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glas.domain.subtitles import (
    CHARS_PER_S,
    LINE_CHARS,
    LINES_PER_CUE,
    LONGEST_CUE_S,
    SHORTEST_CUE_S,
    cues,
    to_srt,
    to_vtt,
    wrap,
)
from glas.domain.transcription import Hypothesis, Segment, Word

_STAMP = r"(\d{2,}):([0-5]\d):([0-5]\d)[,.](\d{3})"


def _seconds(parts: tuple[str, ...]) -> float:
    hours, minutes, seconds, milliseconds = map(int, parts)
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def _read_block(timing: str, text: list[str]) -> tuple[float, float, str]:
    found = re.fullmatch(rf"{_STAMP} --> {_STAMP}", timing)
    assert found is not None, timing
    return _seconds(found.groups()[:4]), _seconds(found.groups()[4:]), " ".join(text)


def _read_srt(text: str) -> list[tuple[float, float, str]]:
    read = []
    for expected, block in enumerate(filter(None, text.strip().split("\n\n")), start=1):
        number, timing, *lines = block.split("\n")
        assert int(number) == expected
        assert "." not in timing
        read.append(_read_block(timing, lines))
    return read


def _read_vtt(text: str) -> list[tuple[float, float, str]]:
    header, *blocks = text.strip().split("\n\n")
    assert header == "WEBVTT"
    assert "," not in "".join(block.split("\n")[0] for block in blocks)
    read = [_read_block(timing, lines) for timing, *lines in (block.split("\n") for block in blocks)]
    return [(start_s, end_s, html.unescape(line)) for start_s, end_s, line in read]


def _spoken(text: str, start_s: float, word_s: float = 0.5) -> Segment:
    words = tuple(
        Word(text=word, start_s=start_s + i * word_s, end_s=start_s + (i + 1) * word_s)
        for i, word in enumerate(text.split())
    )
    return Segment(start_s=start_s, end_s=words[-1].end_s, text=text, words=words)


def _hypothesis(*segments: Segment, duration_s: float = 10_000) -> Hypothesis:
    text = " ".join(segment.text for segment in segments)
    return Hypothesis(text=text, duration_s=duration_s, segments=segments, model="embedded")


@pytest.mark.parametrize(("write", "read"), [(to_srt, _read_srt), (to_vtt, _read_vtt)])
def test_what_is_written_can_be_read(
    write: Callable[[Hypothesis], str], read: Callable[[str], list[tuple[float, float, str]]]
) -> None:
    said = _hypothesis(
        Segment(start_s=0.25, end_s=1.5, text="Привет, как дела?"),
        Segment(start_s=3661.0004, end_s=3662.9996, text="А < Б & В"),
    )

    assert read(write(said)) == [(0.25, 1.5, "Привет, как дела?"), (3661.0, 3663.0, "А < Б & В")]


def test_the_bytes_of_a_small_file() -> None:
    said = _hypothesis(Segment(start_s=0, end_s=1.5, text="раз"), Segment(start_s=2, end_s=3, text="два"))

    assert to_srt(said) == "1\n00:00:00,000 --> 00:00:01,500\nраз\n\n2\n00:00:02,000 --> 00:00:03,000\nдва\n"
    assert to_vtt(said) == ("WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nраз\n\n00:00:02.000 --> 00:00:03.000\nдва\n")


def test_silence_gives_valid_empty_files() -> None:
    assert to_srt(_hypothesis()) == ""
    assert to_vtt(_hypothesis()) == "WEBVTT\n"


def test_a_long_segment_is_cut_between_words() -> None:
    text = "когда мы наконец дошли до самого озера оказалось что лодку унесло ветром на другой берег " * 4
    said = _hypothesis(_spoken(text.strip(), start_s=5))

    found = list(cues(said))

    assert len(found) > 3
    assert all(len(cue.lines) <= LINES_PER_CUE for cue in found)
    assert all(len(line) <= LINE_CHARS for cue in found for line in cue.lines)
    assert " ".join(line for cue in found for line in cue.lines) == said.text
    assert found[0].start_s == 5
    assert found[-1].end_s == said.segments[0].end_s
    assert all(before.end_s <= after.start_s for before, after in itertools.pairwise(found))


def test_a_long_segment_without_word_times_shares_its_seconds_by_letters() -> None:
    text = "слово " * 40
    found = list(cues(_hypothesis(Segment(start_s=0, end_s=20, text=text))))

    assert len(found) > 2
    assert " ".join(line for cue in found for line in cue.lines) == text.strip()
    assert all(cue.end_s - cue.start_s == pytest.approx(len(" ".join(cue.lines)) / 12, abs=0.1) for cue in found)


def test_sentences_and_pauses_end_a_cue() -> None:
    said = _hypothesis(
        _spoken("Мы приехали вчера вечером. Дома никого не было.", start_s=0, word_s=0.3),
        _spoken("А потом позвонил сосед", start_s=2.9, word_s=0.3),
    )
    assert [cue.lines for cue in cues(said)] == [
        ("Мы приехали вчера вечером.",),
        ("Дома никого не было.",),
        ("А потом позвонил сосед",),
    ]


def test_a_sentence_too_long_for_one_cue_leaves_no_orphan() -> None:
    """A last word of 0.23 s does not get a separate cue."""
    text = "я просил чтобы никто не трогал эти бумаги на столе потому что они мне очень нужны и ждут меня."
    words = _spoken(text, start_s=0, word_s=0.23)
    found = list(cues(_hypothesis(words, _spoken("Вот так.", start_s=words.end_s + 0.1))))

    assert len(found) == 3
    assert min(cue.end_s - cue.start_s for cue in found) >= SHORTEST_CUE_S
    assert len(" ".join(found[1].lines)) > 20


def test_a_comma_is_a_better_place_to_cut_than_no_comma() -> None:
    text = "когда мы наконец дошли до самого озера, оказалось что лодку унесло ветром на тот далёкий берег"
    first, _second = cues(_hypothesis(_spoken(text, start_s=0, word_s=0.4)))
    assert first.lines[-1].endswith("озера,")


def test_a_short_cue_stays_until_the_next_one_begins() -> None:
    first, second = cues(_hypothesis(_spoken("Да!", start_s=1, word_s=0.2), _spoken("Иду уже", start_s=2.7)))
    assert (first.start_s, first.end_s) == (1, 1 + SHORTEST_CUE_S)
    assert second.start_s == 2.7


def test_two_short_sentences_share_a_cue_rather_than_flicker() -> None:
    (cue,) = cues(_hypothesis(_spoken("Да. Нет.", start_s=1, word_s=0.3)))
    assert cue.lines == ("Да. Нет.",) or len(cue.lines) == 2


_WORDS = st.lists(
    st.tuples(
        st.text("абвгдежз", min_size=1, max_size=14),
        st.sampled_from(["", "", "", ",", ".", "?", "…"]),
        st.floats(0.05, 0.6),
        st.sampled_from([0.0, 0.0, 0.0, 0.1, 0.3, 0.6, 3.0]),
    ),
    min_size=1,
    max_size=60,
)


@given(_WORDS)
def test_the_limits_hold_for_all_speech(spoken: list[tuple[str, str, float, float]]) -> None:
    words, at_s = [], 0.0
    for letters, mark, length_s, pause_s in spoken:
        words.append(Word(text=letters + mark, start_s=at_s, end_s=at_s + length_s))
        at_s += length_s + pause_s
    text = " ".join(word.text for word in words)
    found = list(cues(_hypothesis(Segment(start_s=0, end_s=at_s, text=text, words=tuple(words)))))

    assert " ".join(line for cue in found for line in cue.lines) == text
    starts = {word.start_s: word for word in words}
    for cue, following in itertools.zip_longest(found, found[1:]):
        room_s = (following.start_s if following else float("inf")) - cue.start_s
        assert cue.start_s in starts
        assert cue.start_s < cue.end_s <= cue.start_s + room_s + 1e-9
        assert cue.end_s - cue.start_s <= LONGEST_CUE_S + 1e-9
        assert len(cue.lines) <= LINES_PER_CUE
        assert all(len(line) <= LINE_CHARS for line in cue.lines)
        # Shorter or faster only where the next words leave no room.
        wanted_s = max(SHORTEST_CUE_S, sum(map(len, cue.lines)) / CHARS_PER_S)
        assert cue.end_s - cue.start_s >= min(wanted_s, room_s, LONGEST_CUE_S) - 1e-9


def test_text_without_segments_lasts_as_long_as_the_audio() -> None:
    said = Hypothesis(text="одно слово", duration_s=2.5, model="embedded")

    assert _read_srt(to_srt(said)) == [(0, 2.5, "одно слово")]


def test_a_cue_of_no_length_still_ends_after_it_starts() -> None:
    ((start_s, end_s, _),) = _read_vtt(to_vtt(_hypothesis(Segment(start_s=1, end_s=1, text="эй"))))

    assert end_s > start_s


def test_an_arrow_in_the_text_does_not_end_it() -> None:
    said = _hypothesis(Segment(start_s=0, end_s=1, text="туда --> сюда"))

    assert _read_srt(to_srt(said)) == [(0, 1, "туда → сюда")]
    assert _read_vtt(to_vtt(said)) == [(0, 1, "туда --> сюда")]


def test_two_lines_are_balanced_and_a_giant_word_stands_alone() -> None:
    first, second = wrap("мы собирались выехать пораньше но проспали почти до обеда")
    assert abs(len(first) - len(second)) < 12
    assert wrap("а" * 60) == ("а" * 60,)
    assert wrap("  ") == ()
