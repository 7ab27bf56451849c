"""Define the types of the input and the output of an engine.

*samples* are float32, mono, 16 kHz, shape `(n_samples,)`, in -1..1. A *hypothesis* is text that an engine produced; it
consists of *segments*, and segments consist of *words*. All times are seconds from the start of the audio (a piece or a
recording) to which the hypothesis belongs.
"""

from collections.abc import Iterable
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from glas.domain.model_ref import ModelRef
from glas.domain.samples import SAMPLE_RATE_HZ as SAMPLE_RATE_HZ  # noqa: PLC0414 - also found here
from glas.domain.samples import Samples as Samples  # noqa: PLC0414 - also found here

SILENCE_DB: Final = -100.0
"""The lowest level that is reported; only digital silence is quieter in 16-bit samples."""

SURE: Final = 0.6
"""If a confidence is below this value, the web page and the bot show that the word or message is uncertain.

In recordings of real telephone prompts, whisper-base without a calibration gives a fifth of the words a lower
confidence than this value. A third of these uncertain words are wrong. The uncertain words include two thirds of all
wrong words (docs/models.md).
"""


class Word(BaseModel):
    """A recognised word."""

    model_config = ConfigDict(frozen=True)

    text: str
    start_s: float = Field(ge=0)
    end_s: float = Field(ge=0)
    confidence: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Confidence of the word (0..1). null if the engine does not give confidences.",
    )

    def shifted(self, offset_s: float) -> "Word":
        """Return the word with times that are `offset_s` seconds later."""
        return self.model_copy(update={"start_s": self.start_s + offset_s, "end_s": self.end_s + offset_s})


class Token(BaseModel):
    """A token of the recognised text: a letter, a part of a word or a word, depending on the model."""

    model_config = ConfigDict(frozen=True)

    text: str = Field(description="Text of the token, including any space before it.")
    logprob: float = Field(le=0, description="Natural logarithm of the probability of the token; at most 0.")


class KeywordUse(BaseModel):
    """A keyword of the caller that replaced recognised words."""

    model_config = ConfigDict(frozen=True)

    heard: str = Field(description="Recognised words that the keyword replaced.")
    text: str = Field(description="Keyword that is in the text instead of the recognised words.")
    start_s: float = Field(ge=0)
    end_s: float = Field(ge=0)

    def shifted(self, offset_s: float) -> "KeywordUse":
        """Return the keyword with times that are `offset_s` seconds later."""
        return self.model_copy(update={"start_s": self.start_s + offset_s, "end_s": self.end_s + offset_s})


class Segment(BaseModel):
    """The text of one piece: speech between two pauses, not longer than the engine's window."""

    model_config = ConfigDict(frozen=True)

    start_s: float = Field(ge=0)
    end_s: float = Field(ge=0)
    text: str
    words: tuple[Word, ...] = Field(
        default=(), description="Words of the segment with times. Empty if the model does not give times of words."
    )
    avg_logprob: float | None = Field(
        default=None,
        le=0,
        description="Mean of the natural logarithms of the probabilities of the tokens. null if the engine does "
        "not give it.",
    )
    no_speech_probability: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Probability (0..1) that nobody speaks, according to the engine. null if the engine does not "
        "give it.",
    )
    temperature: float = Field(
        default=0.0, ge=0, description="Temperature of decoding. 0 means that the text was decoded without randomness."
    )
    confidence: float | None = Field(default=None, ge=0, le=1)
    tokens: tuple[Token, ...] = Field(
        default=(), description="Tokens of the segment with log-probabilities. Empty unless the caller requested them."
    )
    keywords: tuple[KeywordUse, ...] = Field(
        default=(),
        description="Keywords from the option `DecodingOptions.hotwords` that replaced recognised words, with "
        "their times.",
    )

    def shifted(self, offset_s: float) -> "Segment":
        """Return the segment, including its words, with times that are `offset_s` seconds later."""
        moved: dict[str, object] = {"start_s": self.start_s + offset_s, "end_s": self.end_s + offset_s}
        moved |= {"words": tuple(word.shifted(offset_s) for word in self.words)}
        return self.model_copy(update=moved | {"keywords": tuple(use.shifted(offset_s) for use in self.keywords)})


class Comparison(BaseModel):
    """The difference between an engine's scores of the recognised text and of a given text for the same recording."""

    model_config = ConfigDict(frozen=True)

    lost: float = Field(
        description="Natural logarithm of the probability of the recognised text, divided by the probability of "
        "the other text. It is negative if the other text is more probable."
    )
    n_words: int = Field(ge=0, description="Number of words in which the recognised text and the other text differ.")


class Hypothesis(BaseModel):
    """Text that an engine produced for a piece of audio or for a whole recording."""

    model_config = ConfigDict(frozen=True)

    text: str
    duration_s: float = Field(ge=0, description="Length of the audio in seconds, counted in decoded samples.")
    segments: tuple[Segment, ...] = ()
    language: str = "ru"
    foreign: str | None = Field(
        default=None,
        description="ISO 639-1 code of the language that is probably spoken, if this is certainly not `language`. "
        "The text may then be wrong. Otherwise null.",
    )
    model: str = Field(description="Uniform name of the model, such as `embedded` or `onnx:gigaam-v3-ctc`.")
    comparison: Comparison | None = Field(
        default=None,
        description="Comparison of the text with `DecodingOptions.compared`. null if there was nothing to "
        "compare, or if the engine cannot compare texts.",
    )
    model_version: str | None = Field(
        default=None,
        description="Version of the model: a hash of the files with its weights. null for a piece of a recording, "
        "and in answers of an older service.",
    )

    @property
    def words(self) -> tuple[Word, ...]:
        """All words in order."""
        return tuple(word for segment in self.segments for word in segment.words)

    @property
    def confidence(self) -> float | None:
        """Mean of the segments' confidences, weighted by the segments' lengths; None if no segment has a confidence."""
        known = [(s.confidence, max(s.end_s - s.start_s, 1e-3)) for s in self.segments if s.confidence is not None]
        weight = sum(length for _, length in known)
        return sum(confidence * length for confidence, length in known) / weight if known else None

    @classmethod
    def joined(
        cls,
        parts: Iterable[tuple[float, "Hypothesis"]],
        *,
        duration_s: float,
        model: ModelRef,
        language: str = "ru",
        foreign: str | None = None,
    ) -> "Hypothesis":
        """Join the hypotheses of the pieces of one recording.

        Args:
            parts: pairs of the start of a piece, in seconds, and the hypothesis for this piece; in order of time.
            duration_s: duration of the whole recording, seconds.
            model: name and version of the model that recognised the pieces.
            language: ISO 639-1 code of the language of the text.
            foreign: ISO 639-1 code of the spoken language, if another language than `language` is certainly spoken;
                otherwise None.

        Returns:
            One hypothesis over the whole recording; segments without text are left out.
        """
        parts = list(parts)
        moved = (segment.shifted(offset_s) for offset_s, part in parts for segment in part.segments)
        kept = tuple(segment for segment in moved if segment.text)
        heard = [part for _, part in parts if part.text]
        text = " ".join(segment.text for segment in kept)
        return cls(
            text=text,
            duration_s=duration_s,
            segments=kept,
            language=language,
            foreign=foreign,
            # A comparison is kept only if there is one piece. With several pieces, it is not known which words of the
            # text belong to which piece.
            comparison=heard[0].comparison if len(heard) == 1 else None,
            model=model.name,
            model_version=model.version,
        )


class Recognition(BaseModel):
    """A hypothesis for a whole recording, with the processing time."""

    model_config = ConfigDict(frozen=True)

    hypothesis: Hypothesis
    processing_s: float = Field(
        ge=0,
        description="Processing time in seconds, from the bytes of the file to the text. Time in the queue does "
        "not count.",
    )
    fingerprint: str | None = Field(
        default=None,
        description="sha256 of the decoded samples as 16-bit numbers. It is equal for two files with the same "
        "audio. null if it is not known.",
    )
    level_db: float | None = Field(
        default=None,
        description="Root mean square of the samples in decibels; 0 dB is full scale. null if it is not known.",
    )

    @property
    def speed(self) -> float:
        """Seconds of audio that are recognised in one second of processing (RTFx); 0 for audio without length."""
        return self.hypothesis.duration_s / max(self.processing_s, 1e-9)
