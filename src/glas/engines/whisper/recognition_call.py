"""Recognise pieces with a Whisper network: encode, decode, decode again if a text looks wrong, compute times."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any

from glas.domain.decoding import RUSSIAN, DecodingOptions
from glas.domain.text import laid_into
from glas.domain.transcription import Comparison, Hypothesis, Segment, Token, Word
from glas.engines.keywords import Found, keywords_of, with_keywords
from glas.engines.language_model import LanguageModel
from glas.engines.pieces import nothing_heard
from glas.engines.spelling import spell
from glas.engines.whisper.backend import Backend, Draft, Timing
from glas.engines.whisper.clip import Clip, Written, looks_wrong
from glas.engines.whisper.confidence import Calibrates, signs_of
from glas.engines.whisper.context import ContextRule
from glas.engines.whisper.mel import filled
from glas.engines.whisper.rescoring import choose

# In shorter clips, languages are confused too often: see MOST_PROBABLE_FOREIGN.
SHORTEST_TO_TELL_S = 3.0

# openai/whisper tries temperatures up to 1.0 in steps of 0.2. Each step takes the time of one more decoding, so there
# is only one here.
SECOND_TEMPERATURE = 0.4

LEAST_PROBABILITY = 1e-30

# If the probability of a language is below this value, another language is certainly spoken. Measured with a Russian
# whisper-base of 54 MB and a margin of 0.64 s. Of 76 pieces of 3 s of two Russian speakers, none is below this value
# for Russian, without noise or with noise of 10 dB (one is below 0.05). Of 90 pieces of 1 s, 6 are below it. Of 34
# prompts of at least 3 s in English, Spanish, French and Italian, 32 are below it, and for 30 of these the right
# language is the most probable one.
MOST_PROBABLE_FOREIGN = 0.02


@dataclass(frozen=True, slots=True)
class Rules:
    """Options of an engine that apply to all its calls; see `glas.engines.whisper.WhisperEngine`."""

    model: str
    context: ContextRule
    beam_size: int
    language_model: LanguageModel | None
    calibration: Calibrates | None
    retry_within_s: float


def _most_probable(languages: dict[str, float]) -> str:
    return max(languages, key=lambda code: languages[code])


class RecognitionCall:
    """One call of an engine.

    Args:
        network: the loaded network, in any library (`glas.engines.whisper.backend`).
        rules: options of the engine, the same for all calls.
        options: options that the caller chose for this call, such as the language.
    """

    def __init__(self, network: Backend, rules: Rules, options: DecodingOptions) -> None:
        self._network = network
        self._rules = rules
        self._options = options
        self._is_russian = False
        self._language_model: LanguageModel | None = None
        self._until = time.monotonic() + rules.retry_within_s

    def hear(self, clips: Sequence[Clip]) -> list[Hypothesis]:
        """Recognise clips of similar length in a batch; if the language must be detected, there must be only one clip.

        Raises:
            InvalidParameterError: the model does not know the language.
        """
        network, options = self._network, self._options
        n_frames = self._rules.context.n_frames(max(clip.n_frames for clip in clips), network.n_frames)
        heard = self._encode(clips, n_frames)
        language = options.language or self._spoken(heard)
        task = network.vocabulary.task(language, options.task)
        self._is_russian = language == RUSSIAN and options.task == "transcribe"
        self._language_model = self._rules.language_model if self._is_russian else None
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
            hypothesis = self._hypothesis(clip, best, when, language, task)
            comparison = self._compared(best, task)
            hypotheses.append(hypothesis.model_copy(update={"foreign": another, "comparison": comparison}))
        return hypotheses

    def _spoken(self, heard: Any) -> str:
        """Return the language of one clip: the only language of the model, or else the most probable language."""
        if len(self._network.languages) == 1:
            return next(iter(self._network.languages))
        return _most_probable(self._network.language_probabilities(heard)[0])

    def _foreign(self, heard: Any, clips: Sequence[Clip], language: str) -> list[str | None]:
        """Return, for each clip, the language that is certainly spoken instead of `language`; None if there is none.

        Clips that are too short are not checked. Without the option `checks_language`, no clip is checked.
        """
        if not self._options.checks_language or all(clip.duration_s < SHORTEST_TO_TELL_S for clip in clips):
            return [None] * len(clips)
        if language not in self._network.vocabulary.languages:
            return [None] * len(clips)
        told = zip(clips, self._network.language_probabilities(heard), strict=True)
        return [
            _most_probable(found)
            if clip.duration_s >= SHORTEST_TO_TELL_S and found[language] < MOST_PROBABLE_FOREIGN
            else None
            for clip, found in told
        ]

    def _encode(self, clips: Sequence[Clip], n_frames: int) -> Any:
        return self._network.encode([filled(clip.features, clip.silence, n_frames) for clip in clips])

    def _write(self, heard: Any, clips: Sequence[Clip], task: list[int], temperature: float) -> list[Written]:
        network = self._network
        prompt = network.vocabulary.prompt(task, self._options)
        drafts = network.generate(
            heard,
            [prompt] * len(clips),
            most_tokens=max(clip.most_tokens for clip in clips),
            temperature=temperature,
            beam_size=self._rules.beam_size,
            with_times=self._wants_times,
        )
        return [self._chosen(found, heard, temperature) for found in drafts]

    def _chosen(self, drafts: list[Draft], heard: Any, temperature: float) -> Written:
        chosen = choose(drafts, lambda tokens: self._network.vocabulary.decode(tokens).strip(), self._language_model)
        return Written(chosen.draft, heard, chosen.text, temperature, chosen.alternatives)

    def _compared(self, written: Written, task: list[int]) -> Comparison | None:
        """Return how much less probable the caller's text (`DecodingOptions.compared`) is than the recognised text.

        Return None if there is no such text, if nothing was recognised, if one of the two texts is too long, or if the
        task is a translation.
        """
        if not self._options.compared or not written.text or self._options.task != "transcribe":
            return None
        other, n_words = laid_into(written.text, self._options.compared)
        scores = self._scores(written, task, (written.text, other))
        return None if scores is None else Comparison(lost=scores[0] - scores[1], n_words=n_words)

    def _scores(self, written: Written, task: list[int], texts: Sequence[str]) -> list[float] | None:
        """Return the natural logarithms of the probabilities of texts of one sound; None if one of them is too long."""
        network = self._network
        prompt = network.vocabulary.prompt(task, self._options)
        tokens = [network.vocabulary.encode(text) for text in texts]
        if len(prompt) + max(map(len, tokens)) >= network.text_context:
            return None
        return network.score(written.heard, prompt, tokens)

    def _with_keywords(self, words: tuple[Word, ...], written: Written, task: list[int]) -> Found:
        """Replace words by the caller's keywords, if the text is Russian.

        Texts in other languages are not changed, because only the sounds of Russian letters are known.
        """
        options = self._options
        if not options.hotwords or not self._is_russian:
            return Found(words, ())
        knows = self._language_model.knows if self._language_model else None
        return with_keywords(
            words, keywords_of(options.hotwords), lambda texts: self._scores(written, task, texts), knows
        )

    def _again(self, clip: Clip, first: Written, task: list[int], *, is_whole: bool) -> Written:
        """Decode a clip again: in the full window, and then, if the text still looks wrong, with sampling.

        When `retry_within_s` seconds have passed since the recognition call began, no further decoding is started. The
        method returns the best of all results, which may be `first`.

        Args:
            clip: the piece of speech.
            first: the first result, which looks wrong.
            task: the tokens for the language and the task.
            is_whole: whether the first result comes from a call with this one clip, padded to the full window.
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
        drafts = [written.draft for written in writings]
        if not self._wants_times or not any(draft.tokens for draft in drafts):
            return [None] * len(clips)
        return [*self._network.align(heard, task, drafts, [clip.n_frames for clip in clips])]

    @property
    def _wants_times(self) -> bool:
        return self._options.wants_words or self._options.wants_tokens

    def _hypothesis(
        self, clip: Clip, written: Written, timing: Timing | None, language: str, task: list[int]
    ) -> Hypothesis:
        if not written.text:
            return nothing_heard(clip.samples, self._rules.model, language)
        draft = written.draft
        tokens, spelt = self._spelt(clip, written, timing)
        words, uses = self._with_keywords(spelt, written, task)
        sure = [word.confidence for word in words if word.confidence is not None]
        segment = Segment(
            start_s=words[0].start_s if timing and words else 0,
            end_s=words[-1].end_s if timing and words else clip.duration_s,
            text=" ".join(word.text for word in words) if uses else written.text,
            avg_logprob=draft.avg_logprob,
            no_speech_probability=draft.no_speech_probability,
            temperature=written.temperature,
            confidence=sum(sure) / len(sure) if sure else exp(draft.avg_logprob),
            words=words if timing and self._options.wants_words else (),
            tokens=tokens if timing and self._options.wants_tokens else (),
            keywords=uses,
        )
        # A translation is always in English, whatever language was spoken.
        return Hypothesis(
            text=segment.text,
            duration_s=clip.duration_s,
            segments=(segment,),
            language=language,
            model=self._rules.model,
        )

    def _spelt(self, clip: Clip, written: Written, timing: Timing | None) -> tuple[tuple[Token, ...], tuple[Word, ...]]:
        """Return the tokens, and the words with their confidences; without a timing, all words begin at 0."""
        draft = written.draft
        each = draft.logprobs or [draft.avg_logprob] * len(draft.tokens)
        if timing and draft.logprobs is None:
            each = [log(max(one, LEAST_PROBABILITY)) for one in timing.probabilities]
        texts, starts_s, logprobs, place = [], [], [], 0
        for text, n_tokens in self._network.vocabulary.pieces(draft.tokens):
            texts.append(text)
            starts_s.append(timing.starts_s[place] if timing else 0.0)
            logprobs.append(min(sum(each[place : place + n_tokens]), 0.0))
            place += n_tokens
        words = spell(texts, starts_s, logprobs, duration_s=clip.duration_s)
        tokens = tuple(Token(text=text, logprob=one) for text, one in zip(texts, logprobs, strict=True))
        calibration = self._rules.calibration
        if calibration is None or self._language_model is None:
            return tokens, words
        known = [(word.text, log(max(word.confidence or 0.0, LEAST_PROBABILITY))) for word in words]
        signs = signs_of(known, written.alternatives, self._language_model, draft.avg_logprob)
        sure = calibration.confidences(signs)
        return tokens, tuple(word.model_copy(update={"confidence": one}) for word, one in zip(words, sure, strict=True))
