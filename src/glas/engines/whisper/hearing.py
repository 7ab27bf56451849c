"""From sounds to hypotheses: hear, write, write again what looks wrong, say when."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any, NamedTuple

from glas.domain.decoding import DecodingOptions
from glas.domain.hallucination import MAX_COMPRESSION_RATIO, compression_ratio
from glas.domain.transcription import SAMPLE_RATE_HZ, Hypothesis, Samples, Segment, Token
from glas.engines.pieces import nothing_heard
from glas.engines.spelling import Calibration, spell
from glas.engines.whisper.mel import HOP_SAMPLES, Features, filled
from glas.engines.whisper.network import FRAMES_PER_POSITION, Draft, Network, Timing

# The shortest context that the method of dynamic context was seen to work with is 100 positions (FUTO's author in
# whisper.cpp issue 1951).
MIN_CONTEXT_FRAMES = 100 * FRAMES_PER_POSITION

# Russian in Whisper's tokens is 5 to 7 a second; nobody says 10. What is longer has lost its end, and is broken off.
MOST_TOKENS_PER_S = 10
SPARE_TOKENS = 16

# In less, languages are taken for each other too often: see MOST_PROBABLE_FOREIGN.
SHORTEST_TO_TELL_S = 3.0

# openai/whisper goes up to 1.0 by 0.2; each step costs a whole writing.
SECOND_TEMPERATURE = 0.4


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for all that an engine hears; see `glas.engines.whisper.WhisperEngine`."""

    model: str
    is_dynamic: bool
    beam_size: int
    retry_within_s: float
    calibrate: Calibration


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
        """Frames that are not padding; an even number."""
        return -(-self.samples.size // (HOP_SAMPLES * FRAMES_PER_POSITION)) * FRAMES_PER_POSITION

    @property
    def most_tokens(self) -> int:
        """Tokens that somebody can have said in it."""
        return SPARE_TOKENS + round(MOST_TOKENS_PER_S * self.duration_s)


class Written(NamedTuple):
    """A draft, what was heard when it was written, its text, and with how much chance it was written."""

    draft: Draft
    heard: Any
    text: str
    temperature: float


def looks_wrong(written: Written, clip: Clip) -> bool:
    """Whether a text has no end, is longer than anybody can speak, or goes round in a loop."""
    return (
        not written.draft.has_ended
        or len(written.draft.tokens) > clip.most_tokens
        or compression_ratio(written.text) > MAX_COMPRESSION_RATIO
    )


class Hearing:
    """One call of an engine.

    Args:
        network: the model.
        rules: the engine's.
        options: what the caller asks for.
    """

    def __init__(self, network: Network, rules: Rules, options: DecodingOptions) -> None:
        self._network = network
        self._rules = rules
        self._options = options
        self._until = time.monotonic() + rules.retry_within_s

    def hear(self, clips: Sequence[Clip]) -> list[Hypothesis]:
        """Recognise clips of like length together; of one clip, if its language is to be found out.

        Raises:
            InvalidParameterError: the model does not know the language.
        """
        network, options = self._network, self._options
        n_frames = network.n_frames
        if self._rules.is_dynamic:
            n_frames = min(n_frames, max(MIN_CONTEXT_FRAMES, *(clip.n_frames for clip in clips)))
        heard = self._encode(clips, n_frames)
        language = options.language or network.language_of(heard)[0]
        task = network.vocabulary.task(language, options.task)
        foreign = self._foreign(heard, clips, language)
        writings = self._write(heard, clips, task, options.temperature)
        timings = self._timings(heard, task, writings, clips)
        is_whole = len(clips) == 1 and n_frames == network.n_frames
        hypotheses = []
        for clip, written, timing, another in zip(clips, writings, timings, foreign, strict=True):
            best, when = written, timing
            if looks_wrong(written, clip):
                best = self._again(clip, written, task, is_whole=is_whole)
            if best is not written:
                (when,) = self._timings(best.heard, task, [best], [clip])
            hypothesis = self._hypothesis(clip, best, when, language)
            hypotheses.append(hypothesis.model_copy(update={"foreign": another}))
        return hypotheses

    def _foreign(self, heard: Any, clips: Sequence[Clip], language: str) -> list[str | None]:
        """What else is spoken in each clip, if that was asked for and the clip is long enough to tell."""
        if not self._options.checks_language or all(clip.duration_s < SHORTEST_TO_TELL_S for clip in clips):
            return [None] * len(clips)
        told = zip(clips, self._network.foreign(heard, language), strict=True)
        return [code if clip.duration_s >= SHORTEST_TO_TELL_S else None for clip, code in told]

    def _encode(self, clips: Sequence[Clip], n_frames: int) -> Any:
        return self._network.hear([filled(clip.features, clip.silence, n_frames) for clip in clips])

    def _write(self, heard: Any, clips: Sequence[Clip], task: list[int], temperature: float) -> list[Written]:
        network = self._network
        prompt = network.vocabulary.prompt(task, self._options)
        drafts = network.write(
            heard,
            [prompt] * len(clips),
            most_tokens=max(clip.most_tokens for clip in clips),
            temperature=temperature,
            beam_size=self._rules.beam_size,
        )
        return [Written(draft, heard, network.vocabulary.decode(draft.tokens).strip(), temperature) for draft in drafts]

    def _again(self, clip: Clip, first: Written, task: list[int], *, is_whole: bool) -> Written:
        """The best of further writings: in the full window, then with a little chance, while there is time.

        Args:
            clip: what is to be heard.
            first: what was written, and looks wrong.
            task: what is to be written.
            is_whole: whether it was heard in the full window, alone.
        """
        temperature = self._options.temperature
        tried = [first]
        if not is_whole and self._has_time:
            tried += self._write(self._encode([clip], self._network.n_frames), [clip], task, temperature)
            is_whole = True
        if is_whole and looks_wrong(tried[-1], clip) and temperature == 0 and self._has_time:
            tried += self._write(tried[-1].heard, [clip], task, SECOND_TEMPERATURE)
        return min(tried, key=lambda one: (looks_wrong(one, clip), -one.draft.avg_logprob))

    @property
    def _has_time(self) -> bool:
        return time.monotonic() < self._until

    def _timings(
        self, heard: Any, task: list[int], writings: Sequence[Written], clips: Sequence[Clip]
    ) -> list[Timing | None]:
        texts = [written.draft.tokens for written in writings]
        if not any(texts) or not (self._options.wants_words or self._options.wants_tokens):
            return [None] * len(clips)
        return [*self._network.time(heard, task, texts, [clip.n_frames for clip in clips])]

    def _hypothesis(self, clip: Clip, written: Written, timing: Timing | None, language: str) -> Hypothesis:
        draft, model = written.draft, self._rules.model
        if not written.text:
            return nothing_heard(clip.samples, model, language)
        segment = Segment(
            start_s=0,
            end_s=clip.duration_s,
            text=written.text,
            avg_logprob=draft.avg_logprob,
            no_speech_probability=draft.no_speech_probability,
            temperature=written.temperature,
            confidence=self._rules.calibrate(exp(draft.avg_logprob)),
        )
        if timing is not None:
            segment = self._timed(segment, draft, timing)
        # English is what a translation is written in, whatever was said.
        return Hypothesis(
            text=segment.text, duration_s=clip.duration_s, segments=(segment,), language=language, model=model
        )

    def _timed(self, segment: Segment, draft: Draft, timing: Timing) -> Segment:
        texts, starts_s, logprobs, place = [], [], [], 0
        for text, n_tokens in self._network.vocabulary.pieces(draft.tokens):
            texts.append(text)
            starts_s.append(timing.starts_s[place])
            probabilities = timing.probabilities[place : place + n_tokens]
            logprobs.append(sum(log(min(max(one, 1e-30), 1.0)) for one in probabilities))
            place += n_tokens
        tokens = tuple(Token(text=text, logprob=one) for text, one in zip(texts, logprobs, strict=True))
        update: dict[str, Any] = {"tokens": tokens if self._options.wants_tokens else ()}
        if self._options.wants_words:
            words = spell(texts, starts_s, logprobs, duration_s=segment.end_s, calibrate=self._rules.calibrate)
            sure = [word.confidence for word in words if word.confidence is not None]
            if words:
                update |= {"words": words, "start_s": words[0].start_s, "end_s": words[-1].end_s}
            if sure:
                update["confidence"] = sum(sure) / len(sure)
        return segment.model_copy(update=update)
