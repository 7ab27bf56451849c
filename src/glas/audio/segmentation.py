"""Cut a recording into pieces of speech that fit an engine's window, while the recording is still being decoded.

A piece may contain short pauses, because a whole sentence is recognised better than its halves. A piece ends:

    at a pause of `max_silence_s`   always: silence costs time and makes some models invent words
    at a pause of `min_silence_s`   if the piece is at least `target_piece_s` long
    at `max_piece_s`                even without a pause: at the place near its end that is least similar to speech
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from glas.audio.vad import FRAME_SAMPLES, VoiceActivityDetector
from glas.domain.hallucination import Evidence
from glas.domain.transcription import SAMPLE_RATE_HZ, Samples

__all__ = ["SegmentationOptions", "SpeechPiece", "VoiceActivityDetector", "segment_speech"]

# Speech without a pause is cut where the mean probability of speech over three frames (96 ms) is lowest. With fewer
# frames, the cut could be in a stop consonant instead of between words.
_DIP_FRAMES = 3


class SegmentationOptions(BaseModel):
    """Options of segmentation: limits for speech, pauses and pieces. All lengths are seconds."""

    model_config = ConfigDict(frozen=True)

    threshold: float = Field(
        default=0.5,
        gt=0,
        lt=1,
        description="Probability of speech (0..1) at which a piece begins. With a lower value, whispers are "
        "found, but also more noise.",
    )
    release: float = Field(
        default=0.35,
        gt=0,
        lt=1,
        description="Probability of speech (0..1) below which speech ends. It is at most `threshold`. It is lower "
        "than `threshold` so that a voice of varying loudness is not divided into several pieces.",
    )
    min_speech_s: float = Field(
        default=0.25,
        ge=0,
        description="Least length of speech in a piece, in seconds. A piece with less speech, such as a click or "
        "a cough, is ignored, unless it is a clear short word. 0 means that no piece is ignored.",
    )
    min_word_s: float = Field(
        default=0.09,
        ge=0,
        description="Least length of a clear short word, in seconds. Half of all «да» are shorter than 0.25 s.",
    )
    clear: float = Field(
        default=0.76,
        gt=0,
        lt=1,
        description="Mean probability of speech (0..1) from which a short word is clear. In 80 minutes of noise, "
        "hum and music the detector took 43 parts of 0.1 to 0.25 s for speech, all with a lower probability. Of 60 "
        "«да» in ten synthetic voices, 23 are at least 0.25 s long, and 57 are at least 0.25 s long or clear.",
    )
    min_silence_s: float = Field(
        default=0.3, gt=0, description="Shortest pause in seconds that ends a piece of at least `target_piece_s`."
    )
    max_silence_s: float = Field(
        default=2.0, gt=0, description="Longest pause within a piece, in seconds. It is at least `min_silence_s`."
    )
    pad_s: float = Field(
        default=0.2,
        ge=0,
        description="Seconds of sound that belong to a piece before and after its speech, because words may begin "
        "and end softly. There are fewer at the ends of the recording and beside another piece. The value is at most "
        "`min_silence_s`.",
    )
    target_piece_s: float = Field(
        default=20.0,
        gt=0,
        description="Length in seconds from which a piece ends at the next short pause. It is at most "
        "`max_piece_s`. A small value gives short pieces.",
    )
    max_piece_s: float = Field(
        default=28.0,
        ge=2,
        description="Longest piece in seconds, including the sound before and after the speech. It is at most the "
        "window of the engine: the longest sound that the engine can recognise at once.",
    )
    cut_search_s: float = Field(
        default=6.0,
        ge=0.5,
        description="Speech without a pause is divided at most this many seconds before `max_piece_s`. The value "
        "is at most half of `max_piece_s`.",
    )

    @model_validator(mode="after")
    def _agree(self) -> "SegmentationOptions":
        for small, large in (
            ("release", "threshold"),
            ("min_silence_s", "max_silence_s"),
            ("pad_s", "min_silence_s"),
            ("target_piece_s", "max_piece_s"),
        ):
            if getattr(self, small) > getattr(self, large):
                raise ValueError(f"expected {small} <= {large}, got {getattr(self, small)} > {getattr(self, large)}")
        if self.cut_search_s > self.max_piece_s / 2:
            raise ValueError(f"expected cut_search_s <= {self.max_piece_s / 2} (half a piece), got {self.cut_search_s}")
        return self


@dataclass(frozen=True, slots=True)
class SpeechPiece:
    """A piece: a part of a recording that contains speech.

    Attributes:
        start_s: time at which the piece begins, seconds from the beginning of the recording.
        samples: the samples of the piece, shape `(n_samples,)`, 16 kHz.
        speech_s: seconds of the piece that the detector counts as speech.
        probability: mean probability of speech over the seconds that the detector counts as speech, 0..1.
        is_cut: whether the piece ends in the middle of speech.
    """

    start_s: float
    samples: Samples
    speech_s: float
    probability: float
    is_cut: bool = False

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE_HZ

    @property
    def evidence(self) -> Evidence:
        """Measurements of the piece: the length and the probability of its speech, and the level of its sound."""
        return Evidence(self.speech_s, self.probability, _level_db(self.samples))


def segment_speech(
    blocks: Iterable[Samples], vad: VoiceActivityDetector, options: SegmentationOptions
) -> Iterator[SpeechPiece]:
    """Find the pieces of speech in a recording that arrives block by block.

    At most one piece, one pause and one block are held in memory. Pieces do not overlap and come in order of time.

    Args:
        blocks: arrays of samples, one after another, 16 kHz mono, of any length.
        vad: the detector that computes the probability of speech for each frame.
        options: lengths in seconds, and thresholds of the probability of speech.

    Yields:
        Each piece as soon as its end is known; nothing for a recording without speech.
    """
    stream = vad.stream()
    segmenter = _Segmenter(options)
    for block in blocks:
        yield from segmenter.push(block, stream.feed(block))
    yield from segmenter.push(np.zeros(0, np.float32), stream.finish())
    yield from segmenter.finish()


class _Segmenter:
    """Builds one piece after another.

    Positions are counted in samples or in frames from `_base`, the first sample that is still in memory.
    """

    def __init__(self, options: SegmentationOptions) -> None:
        self._threshold, self._release = options.threshold, options.release
        self._min_speech = options.min_speech_s * SAMPLE_RATE_HZ
        self._min_word, self._clear = options.min_word_s * SAMPLE_RATE_HZ, options.clear
        self._min_silence = options.min_silence_s * SAMPLE_RATE_HZ
        self._max_silence = options.max_silence_s * SAMPLE_RATE_HZ
        self._target = options.target_piece_s * SAMPLE_RATE_HZ
        self._max = int(options.max_piece_s * SAMPLE_RATE_HZ)
        self._pad = int(options.pad_s * SAMPLE_RATE_HZ)
        self._search_frames = int(options.cut_search_s * SAMPLE_RATE_HZ) // FRAME_SAMPLES
        self._base = 0
        self._samples: Samples = np.zeros(0, np.float32)
        self._probabilities: list[float] = []
        self._is_speech: list[bool] = []
        self._speaking = False
        self._begin: int | None = None  # sample at which the piece starts, padding included; None outside of a piece
        self._speech_end = 0  # frame after the last one with speech
        self._given = 0  # sample up to which pieces were returned

    def push(self, block: Samples, probabilities: Samples) -> Iterator[SpeechPiece]:
        """Process a block, and the probabilities of speech of the frames that the block completed.

        Yield the pieces that end with these frames.
        """
        self._samples = np.concatenate((self._samples, block))
        for probability in probabilities.tolist():
            piece = self._step(probability)
            if piece is not None:
                yield piece
        self._forget()

    def finish(self) -> Iterator[SpeechPiece]:
        """Yield the last piece, if one has begun; call this after the last block."""
        if self._begin is not None:
            piece = self._close()
            if piece is not None:
                yield piece

    def _step(self, probability: float) -> SpeechPiece | None:
        """Process the probability of speech of one frame; return the piece that ends with this frame, if any."""
        self._probabilities.append(probability)
        self._speaking = probability >= (self._release if self._speaking else self._threshold)
        self._is_speech.append(self._speaking)
        now = len(self._is_speech)
        if self._speaking:
            self._speech_end = now
            if self._begin is None:
                self._begin = self._padded_start(now - 1)
        if self._begin is None:
            return None
        silence = (now - self._speech_end) * FRAME_SAMPLES
        is_long_enough = self._speech_end * FRAME_SAMPLES - self._begin >= self._target
        if silence >= self._max_silence or (silence >= self._min_silence and is_long_enough):
            return self._close()
        # One more frame and the padding must fit into the longest piece.
        if (now + 1) * FRAME_SAMPLES + self._pad - self._begin > self._max:
            return self._cut(now)
        return None

    def _close(self) -> SpeechPiece | None:
        """End the piece at a pause."""
        piece = self._piece(self._speech_end, self._speech_end * FRAME_SAMPLES + self._pad)
        self._begin = None
        return piece

    def _cut(self, now: int) -> SpeechPiece | None:
        """End the piece at those frames near its end that are least similar to speech.

        The next piece begins after these frames.
        """
        first = now - self._search_frames
        dips = np.convolve(self._probabilities[first:now], np.ones(_DIP_FRAMES) / _DIP_FRAMES, mode="valid")
        latest_of_lowest = len(dips) - 1 - int(np.argmin(dips[::-1]))
        cut = first + latest_of_lowest + _DIP_FRAMES // 2
        speech_before = [frame for frame in range(cut) if self._is_speech[frame]]
        end = min(cut * FRAME_SAMPLES, (speech_before[-1] + 1) * FRAME_SAMPLES + self._pad)
        piece = self._piece(cut, end, is_cut=True)
        speech_after = next((frame for frame in range(cut, now) if self._is_speech[frame]), None)
        self._begin = None if speech_after is None else self._padded_start(speech_after)
        return piece

    def _piece(self, before_frame: int, end: int, *, is_cut: bool = False) -> SpeechPiece | None:
        """Return the piece that ends before sample `end`.

        Of its frames before `before_frame`, those with speech are counted. If they are too short for a piece, and also
        too short or too uncertain for a single word, return None.
        """
        begin, self._given = self._begin or 0, min(end, len(self._samples))
        frames = range(begin // FRAME_SAMPLES, before_frame)
        speech = [self._probabilities[frame] for frame in frames if self._is_speech[frame]]
        n_speech = len(speech) * FRAME_SAMPLES
        probability = float(np.mean(speech)) if speech else 0.0
        is_word = n_speech >= self._min_word and probability >= self._clear
        if n_speech < self._min_speech and not is_word:
            return None
        return SpeechPiece(
            start_s=(self._base + begin) / SAMPLE_RATE_HZ,
            samples=self._samples[begin : self._given].copy(),
            speech_s=n_speech / SAMPLE_RATE_HZ,
            probability=probability,
            is_cut=is_cut,
        )

    def _padded_start(self, frame: int) -> int:
        return max(self._given, frame * FRAME_SAMPLES - self._pad, 0)

    def _forget(self) -> None:
        """Drop the samples and frames that can no longer become part of a piece."""
        still_wanted = len(self._is_speech) * FRAME_SAMPLES - self._pad if self._begin is None else self._begin
        n_frames = max(still_wanted, 0) // FRAME_SAMPLES
        n_samples = n_frames * FRAME_SAMPLES
        del self._is_speech[:n_frames], self._probabilities[:n_frames]
        self._samples = self._samples[n_samples:]
        self._base += n_samples
        self._speech_end -= n_frames
        self._given -= n_samples
        if self._begin is not None:
            self._begin -= n_samples


def _level_db(samples: Samples) -> float:
    """Return the root mean square of the loudest tenth of the frames, in dB relative to full scale.

    Only the loudest frames are used, so that pauses do not lower the level.
    """
    whole = samples[: len(samples) - len(samples) % FRAME_SAMPLES]
    frames = whole.reshape(-1, FRAME_SAMPLES) if len(whole) else samples.reshape(1, -1)
    powers = np.sort(np.mean(np.square(frames, dtype=np.float64), axis=1))
    loudest = powers[-max(len(powers) // 10, 1) :]
    return float(10 * np.log10(max(np.mean(loudest), 1e-20)))
