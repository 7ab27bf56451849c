"""Write the model card (README.md) of the embedded model, with its training data and its error rates."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from glas.domain.metrics import ErrorRates
from glas.engines.language_model import FILE
from glas.engines.whisper.adapter import ADAPTER_CONFIG
from glas.engines.whisper.checkpoint import CONVERTED_WEIGHTS
from glas.engines.whisper.vocabulary import load_tokenizer
from glas.recognition.references import ReferenceSet
from glas.training.evaluation.calibrate import CALIBRATION
from glas.training.evaluation.evaluate import measure
from glas.training.release import ADAPTER


def write_card(model: Path, sets: Sequence[ReferenceSet], date: str) -> None:
    """Measure the model in a directory, and write its README.md.

    Args:
        model: directory of the embedded model.
        sets: recordings with references on which the model is measured.
        date: the date that the card shows.
    """
    with tempfile.TemporaryDirectory() as cache:
        evaluations = measure(model, sets, Path(cache))
    facts = json.loads((model / ADAPTER / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    text = TEMPLATE.format(
        date=date,
        megabytes=(model / CONVERTED_WEIGHTS).stat().st_size / 1e6,
        tokens=load_tokenizer(model).get_vocab_size(),
        lm_megabytes=(model / FILE).stat().st_size / 1e6,
        adapter_megabytes=sum(path.stat().st_size for path in (model / ADAPTER).iterdir()) / 1e6,
        share=facts.get("spelling_share", 0),
        context_steps=facts.get("context_steps", 0),
        spelling_steps=facts.get("spelling_steps", 0),
        table="\n".join(row(one.data, one.rates) for one in evaluations) or "| not measured | | | |",
        confidence=confidence_section(model),
    )
    (model / "README.md").write_text(text, encoding="utf-8")


def row(name: str, rates: ErrorRates) -> str:
    """Format one row of the table of error rates, for the set `name`."""
    return f"| {name} | {rates.n_utterances} | {100 * rates.wer:.1f} | {100 * rates.cer:.1f} |"


def confidence_section(model: Path) -> str:
    """Return the section of the card about the calibration: the data to which it was fitted, and its measurements."""
    path = model / CALIBRATION
    if not path.exists():
        return "The confidences of this model are not calibrated.\n"
    contents: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    columns = ("words", "share_right", "mean_confidence", "auroc_word", "ece_word", "auroc_message")
    rows = [
        f"| {name} | " + " | ".join("—" if figures[key] is None else f"{figures[key]:g}" for key in columns) + " |"
        for name, figures in contents["measured"].items()
    ]
    return CONFIDENCE.format(fitted_on=contents["fitted_on"], rows="\n".join(rows))


CONFIDENCE = """\
Every word carries the probability that it is right: a logistic regression over its tokens' probabilities, the other
texts of the beam and the language model (`calibration.json`), fitted on {fitted_on}. AUROC: how
often a right word has a higher confidence than a wrong one. ECE: mean distance between confidence and the share of
right words.

| set | words | share right | mean confidence | AUROC, words | ECE, words | AUROC, messages |
| --- | --- | --- | --- | --- | --- | --- |
{rows}
"""

TEMPLATE = """\
---
license: mit
language: ru
base_model: openai/whisper-base
context_margin_s: 0.64
---

# Whisper base, Russian

OpenAI's whisper-base for Russian voice messages: the model that Glas serves on a fresh machine.
Three things differ from the official weights. It takes recordings at their true length instead of half a minute,
which is several times less work. Its vocabulary holds what Russian text needs. A language model chooses among its
texts.

| | |
| --- | --- |
| Date | {date} |
| Base | openai/whisper-base (MIT), 74 million parameters, in Systran's conversion for CTranslate2 |
| Weights | `model.bin`, int8, {megabytes:.1f} MB: base and adapter merged, {tokens:,} of 51,865 tokens |
| Adapter | `adapter/`, PEFT's layout, {adapter_megabytes:.1f} MB: put it on the base and you have the same model |
| Language model | `lm.npz`, {lm_megabytes:.1f} MB: frequencies of words, pairs of words, spelling |
| Languages | Russian; others are recognised as such but written badly |

## How well it does

As it is served, chosen by the language model, RU-NORM v1, percent, {date}.

| recordings | number | WER | CER |
| --- | --- | --- | --- |
{table}

`festvox` is the reader of Debian's festvox-ru, on the half of his sentences that nothing was trained on. `speech-dev`
are telephone prompts of one announcer; nothing was trained on them either. But choices were made looking at all of
`speech-dev` and at every third sentence of `festvox`: the share of the adapter, the weight of the language model, the
width of the search. So these figures flatter, and other voices may fare worse. Compared with others on the same
recordings: docs/benchmarks.md.

## Confidence

{confidence}
## What the adapter learnt from

Synthetic speech only: RHVoice 1.8 of Debian 12 (the voices aleksandr, anna, elena, irina and aleksandr-hq, four people)
reading whole sentences of Debian's fortunes-ru, Wesnoth, Freeciv, the help of GNOME and LibreOffice, and made-up
sentences with names that are written in Latin letters; at random pitch and tempo, through rooms, noise, telephone
bands and Opus. No recording of a person was used.

1. *True length*, {context_steps} steps: the encoder's adapter learns that a clip without padding gives the decoder the
   hidden states that the unchanged network gives in its full window (self-distillation after FUTO's whisper-acft).
2. *Spelling*, {spelling_steps} steps: adapters of encoder and decoder learn to write what was read, between steps of
   the first kind. Of this change the share {share:g} is kept.

`glas train whisper-base` goes the whole way; a test makes `model.bin` again from the official weights, bit by bit.

## Licence

**MIT**, as the base. The adapter contains no recordings and no texts; the voices and sentences were only used to train
it. The language model contains counts of words. The frequencies of words are those of wordfreq (Robyn Speer, data
CC BY-SA 4.0). The pairs of words were counted in the texts named above (GPL-2.0-or-later, CC BY-SA 3.0, MPL-2.0). If
you think that counts of a text are a derived work of this text, delete `lm.npz`: the model works without it, and its
WER is about one percentage point higher.
"""
