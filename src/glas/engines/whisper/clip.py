"""Data types for a piece of speech as input of Whisper, and for the text that Whisper wrote for the piece."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from glas.domain.hallucination import MAX_COMPRESSION_RATIO, compression_ratio
from glas.domain.text import normalise
from glas.domain.transcription import SAMPLE_RATE_HZ, Samples
from glas.engines.whisper.backend import Draft
from glas.engines.whisper.confidence import Alternative
from glas.engines.whisper.mel import FRAMES_PER_POSITION, HOP_SAMPLES, Features

# Russian speech has 5 to 7 of Whisper's tokens a second, and never 10. A text with more tokens does not end by itself,
# and is cut off.
MOST_TOKENS_PER_S = 10
SPARE_TOKENS = 16
# People do say a few words twice.
FEWEST_DOUBLED = 4


@dataclass(frozen=True, slots=True)
class Clip:
    """A piece of speech and its spectrogram; see `glas.engines.whisper.mel.log_mel`."""

    samples: Samples
    features: Features
    silence: float

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples.size / SAMPLE_RATE_HZ

    @property
    def n_frames(self) -> int:
        """Number of frames of the sound itself, without padding; always an even number."""
        return -(-self.samples.size // (HOP_SAMPLES * FRAMES_PER_POSITION)) * FRAMES_PER_POSITION

    @property
    def most_tokens(self) -> int:
        """Largest number of tokens of a text that a person can say in the duration of the clip."""
        return SPARE_TOKENS + round(MOST_TOKENS_PER_S * self.duration_s)


class Written(NamedTuple):
    """The result of decoding a piece once.

    Attributes:
        draft: the chosen draft.
        heard: the encoded sound.
        text: the text of the draft.
        temperature: the temperature with which the draft was generated.
        alternatives: all texts that were found for the sound.
    """

    draft: Draft
    heard: Any
    text: str
    temperature: float
    alternatives: list[Alternative]


def looks_wrong(written: Written, clip: Clip) -> bool:
    """Return whether a text was cut off, is longer than a person can say in the clip's duration, or repeats itself."""
    return (
        not written.draft.has_ended
        or len(written.draft.tokens) > clip.most_tokens
        or compression_ratio(written.text) > MAX_COMPRESSION_RATIO
        or _is_doubled(written.text)
    )


def _is_doubled(text: str) -> bool:
    """Return whether a text consists of the same words twice.

    If little silence follows a clip, Whisper sometimes writes the whole text again. The compression ratio of such a
    text is too low to show that the text repeats itself.
    """
    words = normalise(text).split()
    half = len(words) // 2
    return half >= FEWEST_DOUBLED and words[:half] == words[half:]
