"""The model's card: what it is, what it was made of, what it can do, measured on the exported files themselves."""

import json
import time
from pathlib import Path

import numpy as np

from glas.domain.metrics import ErrorRates
from glas.engines import confidence
from glas.engines.beam import BeamOptions
from glas.engines.language_model import FILE, LanguageModel
from glas.training.judged.evaluate import Recognise, TestData, TestSet, exported_recogniser, measure, test_sets
from glas.training.network.model import Network, Shape
from glas.training.network.train import load_network
from glas.training.network.vocal_tract import RATIOS
from glas.training.sound.channel import SAMPLE_RATE_HZ
from glas.training.sound.features import FRAMES_PER_S, log_mel, normalise
from glas.training.sound.shards import finished_shards, open_shard

NAMES = {
    "test-clean": "Held-out espeak-ng voices, held-out sentences, clean",
    "test-channel": "The same kind through rooms, noise (8–25 dB), telephone band, Opus",
    "festvox": "The festvox reader, a real voice never heard, on sentences never read",
    "voxforge-test": "VoxForge: new readers, new texts (through the map from 15 bands)",
}
HEARD = (
    "synthetic",
    "natural",
    "voxforge-train",
    "voxforge-train-composed",
)  # shards; the third's name begins the last's
REAL_SPEECH = "Real speech: telephone prompts, one announcer, 8 kHz band (only tested on)"


def write_card(checkpoint: Path, folder: Path, tests: TestData, date: str) -> None:
    """Measure the exported model in `folder` and write its README.md."""
    network, progress = load_network(checkpoint)
    sets, recogniser = test_sets(tests), exported_recogniser(folder)
    served = exported_recogniser(folder, LanguageModel(folder / FILE))
    rates, served_rates = measure(recogniser, sets), measure(served, sets)
    shards = tests.data / "shards"
    heard = {prefix: [open_shard(shards, name) for name in finished_shards(shards, prefix)] for prefix in HEARD}
    hours = {prefix: sum(shard.hours for shard in found) for prefix, found in heard.items()}
    sentences = {entry.text for found in heard.values() for shard in found for entry in shard.entries}
    text = TEMPLATE.format(
        date=date,
        millions=sum(p.numel() for name, p in network.named_parameters() if not name.startswith("middle")) / 1e6,
        megabytes=(folder / "model.int8.onnx").stat().st_size / 1e6,
        architecture=architecture(network),
        tracts=len(RATIOS),
        ratios=", ".join(f"×{ratio:g}" for ratio in RATIOS),
        synthetic_h=hours["synthetic"],
        natural_h=hours["natural"],
        voxforge_h=hours["voxforge-train"] - hours["voxforge-train-composed"],
        composed_h=hours["voxforge-train-composed"],
        sentences=len(sentences),
        seen_h=progress.seen_s / 3600,
        minutes=progress.elapsed_s / 60,
        steps=progress.step,
        beam=BeamOptions().width,
        lm_megabytes=(folder / FILE).stat().st_size / 1e6,
        table="\n".join(row(name, rate, served_rates[name]) for name, rate in rates.items()),
        network_rtf=network_rtf(recogniser, sets),
        served_rtf=network_rtf(served, sets),
        features_rtf=features_rtf(),
        confidence=confidence_section(folder),
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


def row(name: str, greedy: ErrorRates, served: ErrorRates) -> str:
    """One line of the table."""
    figures = (greedy.wer, greedy.cer, served.wer, served.cer)
    percent = " | ".join(f"{100 * figure:.1f}" for figure in figures)
    return f"| {NAMES.get(name, REAL_SPEECH)} | {greedy.n_utterances} | {percent} |"


def confidence_section(folder: Path) -> str:
    """What `calibration.json` says of the confidences, in words; where there is none, that they are not calibrated."""
    path = folder / confidence.FILE
    if not path.exists():
        return "Confidence in this model's output is not calibrated.\n"
    contents = json.loads(path.read_text(encoding="utf-8"))
    rows = "\n".join(confidence_row(name, figures) for name, figures in contents["measured"].items())
    return CONFIDENCE.format(fitted_on=contents["fitted_on"], rows=rows)


def confidence_row(name: str, figures: dict[str, float | None]) -> str:
    """One line of the table of confidences."""
    set_name, _, part = name.partition(", ")
    title = NAMES.get(set_name, REAL_SPEECH) + (f"; {part}" if part else "")
    columns = ("words", "share_right", "mean_confidence", "auroc_word", "ece_word", "auroc_message")
    cells = ("—" if figures[key] is None else f"{figures[key]:g}" for key in columns)
    return f"| {title} | {' | '.join(cells)} |"


def network_rtf(recogniser: Recognise, sets: list[TestSet]) -> float:
    """Seconds of computing per second of speech, one core, one utterance at a time, features not counted."""
    features = [f for test_set in sets for f in test_set.features]
    started = time.perf_counter()
    recogniser(features)
    return (time.perf_counter() - started) / (sum(map(len, features)) / FRAMES_PER_S)


def features_rtf() -> float:
    """The same for the features, in numpy."""
    samples = np.random.default_rng(0).standard_normal(60 * SAMPLE_RATE_HZ).astype(np.float32)
    started = time.perf_counter()
    normalise(log_mel(samples))
    return (time.perf_counter() - started) / 60


def architecture(network: Network) -> str:
    """The shape in words."""
    shape: Shape = network.shape
    kernels = ", ".join(map(str, shape.kernels))
    return (
        f"two strided convolutions (÷6), {len(shape.kernels)} ConvNeXt blocks of width {shape.width} "
        f"(kernels {kernels}; inner width ×{shape.expansion}), {shape.symbols_per_frame} CTC symbols per 60 ms"
    )


CONFIDENCE = """\
## How sure it says it is

Every word carries a probability that it is right, from a logistic regression over its letters' probabilities, the
entropy of the output around them and what the language model thinks of the word (`calibration.json`: seven weights).
Fitted on {fitted_on}, spoken by half of the held-out voices; the tests' utterances are
not among them.  A message is as sure as its words on average.  AUROC: how often a right word is surer than a wrong one,
and a message without an error surer than one with any; ECE: mean distance between what is said and what is right.

| Set | words | share right | mean confidence | AUROC, words | ECE, words | AUROC, messages |
|---|---|---|---|---|---|---|
{rows}

«Voices new to both»: not in the calibration set either.  Where every message has an error there is nothing to tell.  On
strangers it is too sure by about the difference of the third and the second column.
"""

TEMPLATE = """\
# Embedded model

A small Russian CTC recogniser that lies in the repository, so that the program recognises *something* the moment it is
started, without network.  It shows that the training recipe works.  It is no replacement for Whisper or GigaAM.

**Strangers' voices are poorly recognised.**  It learnt from speech synthesisers and from a few hundred readers of
under a thousand sentences.  Expect readable text from synthetic voices and half-right words from people.

| | |
|---|---|
| Date | {date} |
| Parameters | {millions:.1f} million; int8 for matrix products, single precision for the rest; {megabytes:.1f} MB |
| Architecture | {architecture} |
| Decoding | beam of {beam} with a model of words over letters ({lm_megabytes:.1f} MB); greedy without `lm.npz` |
| Input | onnx-asr's `nemo80` features: 80 mel bands, 16 kHz, normalised per utterance |
| Vocal tract | heard {tracts} times, with formants moved ({ratios}); each counts by how sure the network is of it |
| Output | 32 letters (ё is written е), space, blank; no capitals, digits or punctuation |
| Training | {steps} steps, {seen_h:.0f} hours heard (repeats counted), {minutes:.0f} minutes on shared cores |
| Speed | real-time factor {served_rtf:.4f} with the beam ({network_rtf:.4f} greedy) + {features_rtf:.4f} for features |
| | on one core (AMD EPYC), one utterance at a time, while other programs ran |

## What it learnt from

- **Robotic speech, {synthetic_h:.1f} h**: espeak-ng 1.52 (GPL-3.0) from PyPI, all its voice variants but 12 held
  out (and two unstable ones), 110–220 words per minute, any pitch, resampled by 0.85–1.17; most of it through rooms,
  noises, a telephone band or Opus.  Nearly every utterance has a sentence of its own: a grammar of voice messages,
  random word forms of OpenCorpora's dictionary, and pieces of Debian's fortunes-ru.
- **Natural synthetic speech, {natural_h:.1f} h**: RHVoice 1.8 of Debian 12 (LGPL-2.1+), the voices aleksandr, anna,
  elena, irina (LGPL-2.1+) and aleksandr-hq (CC BY-SA 4.0), four people; in the same manners and channels, two fifths
  of it pieces of the texts that the language model read.  Voices that may not be changed or sold were not used.
- **Real readers, {voxforge_h:.1f} h**, and {composed_h:.1f} h of new words composed of pieces of their letters:
  VoxForge Russian, GPL-3.0, about 400 readers, under 1,000 sentences, had only as 13 telephone-band cepstra (published
  by nsu-ai-team/voxforge_ru_sphinx_experiments); a learnt linear map brings them to 80 bands.
- In all {sentences:,} different sentences and phrases of up to 25 words; no sentence and no voice of the test sets.

## How well it does

The int8 files in this folder, RU-NORM v1 on both sides, {date}; WER and CER in percent, greedy and as it is served.

| Set | utterances | greedy WER | greedy CER | WER | CER |
|---|---|---|---|---|---|
{table}

The VoxForge set is small and has only a few sentences; it is there to watch, not to compare.  The telephone prompts
are one voice; nothing learnt from it, but choices were made looking at it, so strangers may fare worse.  The sentences
of the synthetic sets come from the same grammar as those of training and of the language model, which read other
sentences of it: other texts gain less from it, as the other rows show.

{confidence}
## Licence

The weights learnt from VoxForge's recordings, which are GPL-3.0, and are offered under **GPL-3.0** too; what RHVoice's
voices said to them came from models by Olga Yakovleva (LGPL-2.1+) and, aleksandr-hq, by Artem Plaksin, Sergey
Parshakov, Beka Gozalishvili and Aleksander Karlov (CC BY-SA 4.0, which leads to GPL-3.0).  Under GPL-3.0 is also the
language model, which read, beside our own grammar and OpenCorpora's word forms (CC BY-SA 3.0), texts of Debian:
fortunes-ru, Wesnoth, Freeciv, Mueller's dictionary (all GPL-2 or later), the help of GNOME (CC BY-SA 3.0) and of
LibreOffice (MPL-2.0).  How frequent words are it has from wordfreq (Robyn Speer, data CC BY-SA 4.0).
The program around them has its own licence.

## Files

`model.int8.onnx`, `vocab.txt`, `config.json` as onnx-asr loads them (`nemo-conformer-ctc`, quantization `int8`);
`lm.npz`, the language model; `calibration.json`, the weights of its confidence; `SHA256SUMS` to check them.  Made by
`glas train embedded`, which goes the whole way from nothing; its steps can be run alone (`glas train embedded --help`).
"""
