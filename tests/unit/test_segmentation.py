"""Test the pieces of speech: beginnings, ends, nothing lost or doubled, nothing longer than the engine's window.

Most tests write down the probabilities that the detector would give, 31.25 for each second.
"""

from collections.abc import Iterable, Iterator
from typing import Any, cast

import numpy as np
import pytest
from pydantic import ValidationError

from glas.audio import segmentation
from glas.audio.segmentation import SegmentationOptions, SpeechPiece, segment_speech
from glas.audio.vad import FRAME_SAMPLES, VoiceActivityDetector
from glas.domain.transcription import SAMPLE_RATE_HZ, Samples

FRAME_S = FRAME_SAMPLES / SAMPLE_RATE_HZ


class Script:
    """Replaces the detector: returns given probabilities for the frames."""

    def __init__(self, *parts: tuple[float, float]) -> None:
        """Make a script from pairs of seconds and probability."""
        self.probabilities = [probability for seconds, probability in parts for _ in range(round(seconds / FRAME_S))]

    @property
    def sound(self) -> Samples:
        """Return sound of the length of the script; each sample contains its index."""
        return np.arange(len(self.probabilities) * FRAME_SAMPLES, dtype=np.float32)

    def stream(self) -> "ScriptStream":
        return ScriptStream(self.probabilities)


class ScriptStream:
    """One pass through the given probabilities."""

    def __init__(self, probabilities: list[float]) -> None:
        self._left = list(probabilities)
        self._n_waiting = 0

    def feed(self, samples: Samples) -> Samples:
        self._n_waiting += len(samples)
        n_frames, self._n_waiting = divmod(self._n_waiting, FRAME_SAMPLES)
        return self._give(n_frames)

    def finish(self) -> Samples:
        return self._give(1 if self._n_waiting else 0)

    def _give(self, count: int) -> Samples:
        given, self._left = self._left[:count], self._left[count:]
        return np.array(given, np.float32)


def blocks_of(sound: Samples, length: int = SAMPLE_RATE_HZ) -> Iterator[Samples]:
    for start in range(0, len(sound), length):
        yield sound[start : start + length]


def pieces_of(script: Script, *, block_samples: int = SAMPLE_RATE_HZ, **options: Any) -> list[SpeechPiece]:
    pieces = segment_speech(
        blocks_of(script.sound, block_samples),
        cast("VoiceActivityDetector", script),
        SegmentationOptions(**options),
    )
    return list(pieces)


def times(pieces: Iterable[SpeechPiece]) -> list[tuple[float, float]]:
    return [(piece.start_s, piece.start_s + piece.duration_s) for piece in pieces]


def about(*pairs: tuple[float, float]) -> list[Any]:
    return [(pytest.approx(start, abs=0.04), pytest.approx(end, abs=0.04)) for start, end in pairs]


def test_silence_has_no_pieces() -> None:
    assert pieces_of(Script((30, 0.02))) == []
    assert pieces_of(Script()) == []


def test_speech_is_given_with_padding_on_both_sides() -> None:
    (piece,) = pieces_of(Script((1, 0.0), (2, 0.9), (5, 0.0)), pad_s=0.2)
    assert times([piece]) == about((0.8, 3.2))
    np.testing.assert_array_equal(piece.samples, np.arange(len(piece.samples)) + round(piece.start_s * SAMPLE_RATE_HZ))


def test_padding_ends_where_the_recording_does() -> None:
    assert times(pieces_of(Script((2, 0.9)))) == about((0.0, 2.0))
    assert times(pieces_of(Script((0.064, 0.0), (2, 0.9), (0.064, 0.0)))) == about((0.0, 2.128))


def test_the_last_frame_counts_even_if_it_is_not_full() -> None:
    script = Script((1, 0.0), (FRAME_S, 0.9))
    sound = script.sound[:-100]
    options = SegmentationOptions(min_speech_s=0, pad_s=0.2)
    (piece,) = segment_speech(blocks_of(sound), cast("VoiceActivityDetector", script), options)
    assert round(piece.start_s * SAMPLE_RATE_HZ) + len(piece.samples) == len(sound)


def test_a_piece_is_given_before_the_recording_ends() -> None:
    script = Script((2, 0.9), (3, 0.0), (2, 0.9))
    heard = []

    def listen() -> Iterator[Samples]:
        for number, block in enumerate(blocks_of(script.sound)):
            heard.append(number)
            yield block

    first = next(segment_speech(listen(), cast("VoiceActivityDetector", script), SegmentationOptions(max_silence_s=1)))
    assert first.start_s == 0
    assert heard[-1] < 4


def test_short_pauses_stay_inside_a_piece() -> None:
    assert times(pieces_of(Script((2, 0.9), (1.5, 0.0), (2, 0.9)), max_silence_s=2)) == about((0.0, 5.5))


def test_a_long_pause_always_ends_a_piece() -> None:
    pieces = pieces_of(Script((2, 0.9), (3, 0.0), (2, 0.9)), max_silence_s=2, pad_s=0.2)
    assert times(pieces) == about((0.0, 2.2), (4.8, 7.0))


def test_at_the_target_any_pause_ends_a_piece() -> None:
    script = Script(*[(4, 0.9), (0.5, 0.0)] * 4)
    assert len(pieces_of(script, target_piece_s=20)) == 1
    pieces = pieces_of(script, target_piece_s=8, pad_s=0.2)
    assert times(pieces) == about((0.0, 8.7), (8.8, 17.7))


def test_padding_of_neighbours_does_not_overlap() -> None:
    pieces = pieces_of(Script((3, 0.9), (0.32, 0.0), (3, 0.9)), target_piece_s=2, min_silence_s=0.3, pad_s=0.3)
    (_, first_end), (second_start, _) = times(pieces)
    assert second_start >= first_end


def test_speech_without_a_pause_is_cut_where_it_sounds_least_like_speech() -> None:
    script = Script((25, 0.95), (0.16, 0.5), (14.84, 0.95))
    pieces = pieces_of(script, max_piece_s=28, cut_search_s=6)
    assert times(pieces) == about((0.0, 25.08), (25.08, 40.0))
    assert pieces[0].start_s + pieces[0].duration_s == pieces[1].start_s


def test_one_short_dip_is_no_place_to_cut() -> None:
    script = Script((23, 0.95), (FRAME_S, 0.36), (1.5, 0.95), (0.16, 0.5), (10, 0.95))
    assert times(pieces_of(script, max_piece_s=28))[0][1] == pytest.approx(24.6, abs=0.05)


def test_a_pause_near_the_window_is_preferred_and_not_given_as_sound() -> None:
    script = Script((24, 0.95), (0.96, 0.01), (20, 0.95))
    pieces = pieces_of(script, max_piece_s=28, target_piece_s=28, pad_s=0.2)
    assert times(pieces)[0] == about((0.0, 24.2))[0]
    assert times(pieces)[1][0] == pytest.approx(24.76, abs=0.4)


def test_a_click_is_no_speech_and_a_short_word_is() -> None:
    assert pieces_of(Script((1, 0.0), (0.16, 0.7), (4, 0.0)), min_speech_s=0.25) == []
    assert pieces_of(Script((1, 0.0), (0.064, 0.9), (4, 0.0)), min_speech_s=0.25) == []
    assert len(pieces_of(Script((1, 0.0), (0.16, 0.9), (4, 0.0)), min_speech_s=0.25)) == 1
    assert len(pieces_of(Script((1, 0.0), (0.32, 0.9), (4, 0.0)), min_speech_s=0.25)) == 1
    assert len(pieces_of(Script((1, 0.0), (0.032, 0.9), (4, 0.0)), min_speech_s=0)) == 1


def test_a_wavering_voice_stays_in_one_piece() -> None:
    wavering = Script((1, 0.9), (3, 0.4), (1, 0.9))
    assert len(pieces_of(wavering, max_silence_s=1)) == 1
    assert len(pieces_of(wavering, max_silence_s=1, release=0.45)) == 2
    assert pieces_of(Script((5, 0.4))) == []


def _any_recording(seed: int) -> Script:
    chance = np.random.default_rng(seed)
    parts = [
        (float(chance.choice((0.064, 0.3, 1.2, 5, 17))), float(chance.choice((0.01, 0.4, 0.9)))) for _ in range(30)
    ]
    script = Script(*parts)
    script.probabilities = [float(np.clip(p + chance.normal(0, 0.05), 0, 1)) for p in script.probabilities]
    return script


@pytest.mark.parametrize("seed", range(12))
def test_whatever_comes_nothing_is_lost_doubled_or_too_long(seed: int) -> None:
    script = _any_recording(seed)
    options: dict[str, Any] = {
        "max_piece_s": 7.0,
        "target_piece_s": 4.0,
        "cut_search_s": 2.0,
        "max_silence_s": 1.0,
        "min_speech_s": 0.0,
    }
    pieces = pieces_of(script, **options)
    covered = np.zeros(len(script.sound), dtype=int)
    for piece in pieces:
        start = round(piece.start_s * SAMPLE_RATE_HZ)
        assert 0 < len(piece.samples) <= 7 * SAMPLE_RATE_HZ
        np.testing.assert_array_equal(piece.samples, script.sound[start : start + len(piece.samples)])
        covered[start : start + len(piece.samples)] += 1
    assert covered.max() == 1
    loud = np.repeat(np.array(script.probabilities) >= 0.5, FRAME_SAMPLES)
    assert covered[loud].min() == 1
    # The length of the blocks is the decoder's affair and must not show.
    for length in (160, 5_000, 100_000):
        assert times(pieces_of(script, block_samples=length, **options)) == times(pieces)


def test_endless_talk_is_held_in_one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script((600, 0.9))
    most = 0
    forget = segmentation._Segmenter._forget

    def watch(self: segmentation._Segmenter) -> None:
        nonlocal most
        most = max(most, len(self._samples))
        forget(self)

    monkeypatch.setattr(segmentation._Segmenter, "_forget", watch)
    pieces = pieces_of(script)
    assert len(pieces) > 20
    assert 20 * SAMPLE_RATE_HZ < most <= 30 * SAMPLE_RATE_HZ


def test_endless_silence_is_not_held_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    most = 0
    forget = segmentation._Segmenter._forget

    def watch(self: segmentation._Segmenter) -> None:
        nonlocal most
        most = max(most, len(self._samples))
        forget(self)

    monkeypatch.setattr(segmentation._Segmenter, "_forget", watch)
    assert pieces_of(Script((600, 0.0))) == []
    assert most < 2 * SAMPLE_RATE_HZ


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 0.3, "release": 0.5},
        {"min_silence_s": 3.0, "max_silence_s": 2.0},
        {"pad_s": 0.5, "min_silence_s": 0.3},
        {"target_piece_s": 30.0, "max_piece_s": 20.0},
        {"cut_search_s": 6.0, "max_piece_s": 10.0, "target_piece_s": 5.0},
        {"threshold": 1.0},
    ],
)
def test_options_that_contradict_each_other_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        SegmentationOptions(**cast("Any", wrong))


# ---- the detector itself
