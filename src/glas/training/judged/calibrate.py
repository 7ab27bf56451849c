"""Confidence of the exported model: fitted on speech of its own, measured on the test sets.

The calibration set is spoken by half of the voices that are held out from training, and says held-out sentences; the
tests' own utterances are not in it. Of five utterances one is clean and two are worse than any test (louder noise;
voices bent further than training bends them), so that the weights see a model that fails.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from glas.domain.metrics import right_words
from glas.domain.text import RU_NORM_VERSION, normalise
from glas.engines import confidence, language_model
from glas.engines.language_model import LanguageModel
from glas.training.judged.evaluate import TestData, TestSet, exported_search, test_set_of_shard, test_sets
from glas.training.judged.logistic import Bools, Floats, auroc, bins, calibration_error, fit
from glas.training.judged.reliability import plot
from glas.training.language.language_model import LETTERS
from glas.training.network.export import write_checksums
from glas.training.sound.features import log_mel, to_bytes
from glas.training.sound.shards import Bytes, open_shard, write_shard
from glas.training.texts.lexicon import load_lexicon
from glas.training.texts.sentences import TextSource, label
from glas.training.voices.espeak import HELD_OUT_VARIANTS, Espeak
from glas.training.voices.synthesise import BABBLE_VOICES, Speaker

SHARD = "calibration"
SEED = 1_000_004
UTTERANCES = 500
VOICES = HELD_OUT_VARIANTS[::2]  # the others speak in the tests only

# One utterance after the other: signal-to-noise ratio of the channel, dB (None: no channel), and whether it is bent.
CONDITIONS: tuple[tuple[tuple[float, float] | None, bool], ...] = (
    (None, False),
    ((8.0, 25.0), False),
    ((-3.0, 10.0), False),
    (None, True),
    ((3.0, 20.0), True),
)
BENT = ((0.70, 0.85), (1.17, 1.40))


class Judged(NamedTuple):
    """One utterance as it was heard."""

    signs: list[confidence.Signs]
    is_right: list[bool]
    has_error: bool


def calibrate(folder: Path, tests: TestData, picture: Path | None = None, count: int = UTTERANCES) -> None:
    """Fit `calibration.json` of the exported model in `folder`, measure it on every test set, and print what came.

    A model that got no word right, or none wrong, gives nothing to fit: then there is no such file.
    """
    data = tests.data
    if not (data / "shards" / f"{SHARD}.jsonl").exists():
        speaker = Speaker(Espeak(), TextSource(load_lexicon(data / "lexicon.json"), SEED), SEED, None)
        write_shard(data / "shards", SHARD, utterances(speaker, count))
    lm = LanguageModel(folder / language_model.FILE)
    learnt = hear(folder, lm, test_set_of_shard(data, SHARD))
    right = np.array([right for one in learnt for right in one.is_right], bool)
    if right.all() or not right.any():
        (folder / confidence.FILE).unlink(missing_ok=True)
        print(f"nothing to calibrate on: {right.sum()} of {len(right)} words are right")
        return
    features = np.concatenate([confidence.features(one.signs) for one in learnt if one.signs])
    line = fit(features, right)
    found = confidence.Calibration(
        sha256={name: confidence.sha256_of(folder / name) for name in ("model.int8.onnx", language_model.FILE)},
        features=confidence.FEATURES,
        centres=tuple(line.centres),
        scales=tuple(line.scales),
        weights=tuple(line.weights),
        bias=line.bias,
    )
    heard = {one.name: hear(folder, lm, one) for one in test_sets(tests)}
    heard |= fresh_voices(data, heard)
    measured = {name: measure(found, judged) for name, judged in heard.items()}
    contents: dict[str, Any] = found.model_dump() | {
        "fitted_on": f"{len(learnt)} utterances ({len(features)} words by RU-NORM v{RU_NORM_VERSION})",
        "measured": measured,
    }
    text = json.dumps(contents, ensure_ascii=False, indent=1)
    (folder / confidence.FILE).write_text(text + "\n", encoding="utf-8")
    write_checksums(folder)
    for name, figures in measured.items():
        print(f"  {name:28} {figures}", flush=True)
    if picture is not None:
        lines = {name: bins(*pooled(found, judged)) for name, judged in heard.items() if "," not in name}
        picture.write_text(plot("confidence of a word", lines), encoding="utf-8")


def utterances(speaker: Speaker, count: int) -> Iterator[tuple[str, str, Bytes]]:
    """Held-out sentences in held-out voices, in all conditions in turn, as shards keep them."""
    for number in range(count):
        snr_db, is_bent = CONDITIONS[number % len(CONDITIONS)]
        text, manner = speaker.texts.draw_message(test=True), speaker.manner(VOICES)
        warp = speaker.random.uniform(*speaker.random.choice(BENT)) if is_bent else 1.0
        samples = speaker.voice(text, manner, warp)
        speaker.earlier = [*speaker.earlier[-BABBLE_VOICES:], samples]
        if snr_db is not None:
            samples = speaker.channel(samples, snr_db)
        yield label(text), manner.variant, to_bytes(log_mel(speaker.finish(samples)))


def hear(folder: Path, lm: LanguageModel, test_set: TestSet) -> list[Judged]:
    """What the exported model makes of a set, word by word."""
    search = exported_search(folder, lm)
    judged = []
    for features, said in zip(test_set.features, test_set.texts, strict=True):
        tokens, logprobs = search(features)
        letters = [LETTERS[token.id] for token in tokens]
        entropies = confidence.entropies(logprobs, [token.frame for token in tokens])
        signs = confidence.signs_of(letters, [token.logprob for token in tokens], list(entropies), lm)
        text = "".join(letters)
        judged.append(Judged(signs, right_words(said, text), normalise(said).split() != text.split()))
    return judged


def fresh_voices(data: Path, heard: dict[str, list[Judged]]) -> dict[str, list[Judged]]:
    """Those utterances of the synthetic sets whose voices are not in the calibration set either."""
    found = {}
    for name in ("test-clean", "test-channel"):
        if name in heard:
            sources = [entry.source for entry in open_shard(data / "shards", name).entries]
            chosen = [one for one, source in zip(heard[name], sources, strict=True) if source not in VOICES]
            found[f"{name}, voices new to both"] = chosen
    return found


def pooled(calibration: confidence.Calibration, judged: list[Judged]) -> tuple[Floats, Floats]:
    """Confidences of all words of a set, and whether they are right (1 or 0); both of shape `(n_words,)`."""
    sure = np.concatenate([calibration.confidences(one.signs) for one in judged])
    return sure, np.array([right for one in judged for right in one.is_right], np.float64)


def measure(calibration: confidence.Calibration, judged: list[Judged]) -> dict[str, float | int | None]:
    """How well confidences tell right words from wrong ones and whole messages from those with an error."""
    sure, right = pooled(calibration, judged)
    # A message is as sure as its words on average; one in which nothing was heard is as unsure as can be.
    means = np.array([calibration.confidences(one.signs).mean() if one.signs else 0.0 for one in judged])
    errors: Bools = np.array([one.has_error for one in judged])
    figures = {
        "utterances": len(judged),
        "words": len(right),
        "share_right": float(right.mean()),
        "mean_confidence": float(sure.mean()),
        "auroc_word": auroc(sure, right > 0),
        "ece_word": calibration_error(sure, right),
        "share_of_messages_with_error": float(errors.mean()),
        "auroc_message": auroc(-means, errors),
    }
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in figures.items()}
