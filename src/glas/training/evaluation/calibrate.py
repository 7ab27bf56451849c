"""Calibrate the confidence of the embedded model on synthetic speech, and measure the result on recordings of people.

The calibration set consists of clips on which the adapter was not trained. Noise, echo and other effects
(`glas.training.sound.augment`) are added to these clips. The effects are stronger than in training. So the model makes
about as many errors in these clips as in recordings of people on whose voices it was not trained.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from math import exp
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from glas.audio.segmentation import SegmentationOptions, segment_speech
from glas.audio.vad import VoiceActivityDetector
from glas.domain.metrics import right_words
from glas.domain.text import RU_NORM_VERSION, normalise
from glas.domain.transcription import Hypothesis, Samples
from glas.engines.language_model import FILE as LM_FILE
from glas.engines.whisper import WhisperEngine
from glas.engines.whisper.checkpoint import CONVERTED_WEIGHTS
from glas.engines.whisper.confidence import FEATURES, FILE, Calibration, Signs, features
from glas.recognition.references import ReferenceSet
from glas.settings import NnServiceSettings
from glas.system.files import sha256_of
from glas.training.evaluation.logistic import Bools, Floats, auroc, bins, calibration_error, fit
from glas.training.evaluation.reliability import plot
from glas.training.release import write_checksums
from glas.training.sound.augment import Augmentation
from glas.training.sound.channel import decode_audio
from glas.training.sound.clips import open_clips
from glas.training.voices.spoken import Speech, speak_shards

SHARD = 900  # number of the calibration set's shard; the shards for training have smaller numbers
BABBLE_CLIPS = 41  # the background voices of a clip are made from so many clips before this clip
SNR_DB = (-3.0, 20.0)
CALIBRATION = FILE


class ScoredMessage(NamedTuple):
    """A recognised message (here: any recording).

    Contains the features of each word, whether each word is right, and whether any word is wrong.
    """

    signs: list[Signs]
    is_right: list[bool]
    has_error: bool


class Recorder:
    """Records the features of all recognised words. An engine gets this object as its calibration."""

    def __init__(self) -> None:
        self.signs: list[Signs] = []

    def confidences(self, signs: Sequence[Signs]) -> list[float]:
        """Record the features of words; return the uncalibrated probability of each word."""
        self.signs += signs
        return [exp(one.logprob) for one in signs]


def calibrate(
    model: Path, speech: Speech, sets: Sequence[ReferenceSet], cache: Path, picture: Path | None = None
) -> None:
    """Fit the calibration of a model, measure it on each set, write `calibration.json`, and print the measurements.

    Args:
        model: directory of the embedded model.
        speech: sentences and voices of the calibration set.
        sets: recordings of people, which are used only for measuring.
        cache: directory for converted checkpoints.
        picture: path of the SVG file to which a reliability plot is written; None for no plot.
    """
    judged = _message_scorer(model, cache)
    learnt = [judged(samples, said) for samples, said in calibration_clips(speech)]
    right = np.array([right for one in learnt for right in one.is_right], bool)
    if right.all() or not right.any():
        (model / FILE).unlink(missing_ok=True)
        print(f"nothing to calibrate on: {right.sum()} of {len(right)} words are right")
        return
    found = _fitted(model, learnt, right)
    heard = {
        one.name: [judged(decode_audio(str(utterance.audio)), utterance.text) for utterance in one.utterances]
        for one in sets
    }
    contents: dict[str, Any] = found.model_dump() | {
        "fitted_on": f"{len(learnt)} synthetic messages ({len(right)} words by RU-NORM v{RU_NORM_VERSION})",
        "measured": {name: measured(found, messages) for name, messages in heard.items()},
    }
    (model / FILE).write_text(json.dumps(contents, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    write_checksums(model)
    for name, figures in contents["measured"].items():
        print(f"  {name:20} {figures}", flush=True)
    if picture is not None:
        lines = {name: bins(*pooled(found, messages)) for name, messages in heard.items()}
        picture.write_text(plot("confidence of a word", lines), encoding="utf-8")


def _message_scorer(model: Path, cache: Path) -> Callable[[Samples, str], ScoredMessage]:
    """Load a model, and return a function that recognises a message and compares the words with its reference.

    The function gets the samples of a message, shape `(n_samples,)`, and its reference.
    """
    recorder = Recorder()
    beam_size = NnServiceSettings().beam_size
    engine = WhisperEngine(model, name=model.name, cache=cache, beam_size=beam_size, calibration=recorder)
    vad = VoiceActivityDetector()

    def judged(samples: Samples, said: str) -> ScoredMessage:
        recorder.signs = []
        words = [
            word.text for found in _hypotheses(engine, vad, samples) for one in found.segments for word in one.words
        ]
        return score_message(words, recorder.signs, said)

    return judged


def _fitted(model: Path, messages: Sequence[ScoredMessage], right: Bools) -> Calibration:
    """Fit the calibration of a model to messages; `right`, shape `(n_words,)`, tells which of their words are right."""
    line = fit(np.concatenate([features(one.signs) for one in messages if one.signs]), right)
    return Calibration(
        sha256={name: sha256_of(model / name) for name in (CONVERTED_WEIGHTS, LM_FILE)},
        features=FEATURES,
        centres=tuple(line.centres),
        scales=tuple(line.scales),
        weights=tuple(line.weights),
        bias=line.bias,
    )


def _hypotheses(engine: WhisperEngine, vad: VoiceActivityDetector, samples: Samples) -> Iterator[Hypothesis]:
    """Recognise samples, shape `(n_samples,)`, piece by piece.

    The engine is called directly and not through a recogniser. A recogniser removes words and writes numbers in digits,
    but the calibration needs the words as the engine returned them.
    """
    for piece in segment_speech([samples], vad, SegmentationOptions()):
        yield from engine.recognise([piece.samples])


def calibration_clips(speech: Speech) -> list[tuple[Samples, str]]:
    """Return the calibration set as pairs of samples and text; synthesise the set if it is missing."""
    speak_shards(speech, [SHARD], 1)
    shard = open_clips(speech.folder, speech.name(SHARD))
    way, rng = Augmentation(snr_db=SNR_DB), np.random.default_rng(SHARD)
    sounds = [shard.samples_of(clip) for clip in shard.clips]
    return [
        (way(rng, sound, sounds[max(number - BABBLE_CLIPS, 0) : number]), clip.text)
        for number, (sound, clip) in enumerate(zip(sounds, shard.clips, strict=True))
    ]


def score_message(words: Sequence[str], signs: Sequence[Signs], said: str) -> ScoredMessage:
    """Compare the recognised words of a message with its reference.

    RU-NORM may divide one recognised word into several words, for example «Санкт-Петербург» or «5 %». Then the
    recognised word counts as right if all these words are right.
    """
    heard = " ".join(words)
    flags, place, is_right = right_words(said, heard), 0, []
    for word in words:
        count = len(normalise(word).split())
        is_right.append(all(flags[place : place + count]))
        place += count
    # RU-NORM reads some successive words as one number. Then the recognised words cannot be matched with the words of
    # the normalised text.
    if place != len(flags):
        return ScoredMessage([], [], normalise(said) != normalise(heard))
    return ScoredMessage(list(signs), is_right, normalise(said) != normalise(heard))


def pooled(calibration: Calibration, messages: Sequence[ScoredMessage]) -> tuple[Floats, Floats]:
    """Return, for all words of a set, the confidence, and 1 (right) or 0 (wrong); both have the shape `(n_words,)`."""
    sure = np.array([one for message in messages for one in calibration.confidences(message.signs)], np.float64)
    return sure, np.array([right for message in messages for right in message.is_right], np.float64)


def measured(calibration: Calibration, messages: Sequence[ScoredMessage]) -> dict[str, float | int | None]:
    """Measure how well confidences separate right from wrong words, and messages with errors from other messages."""
    sure, right = pooled(calibration, messages)
    means = np.array([float(np.mean(calibration.confidences(one.signs))) if one.signs else 0.0 for one in messages])
    errors: Bools = np.array([one.has_error for one in messages])
    figures = {
        "messages": len(messages),
        "words": len(right),
        "share_right": float(right.mean()),
        "mean_confidence": float(sure.mean()),
        "auroc_word": auroc(sure, right > 0),
        "ece_word": calibration_error(sure, right),
        "share_of_messages_with_error": float(errors.mean()),
        "auroc_message": auroc(-means, errors),
    }
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in figures.items()}
