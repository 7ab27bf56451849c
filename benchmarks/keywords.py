"""Measure how many names are right with and without keywords, how many are wrongly written, and the time.

    python -m benchmarks.keywords recall VOICES [--set dev] [--prompt]
    python -m benchmarks.keywords false DIRECTORY ... [--set dev]

`keywords.txt` has the terms, those of the test and those on which the bounds were chosen, each in three forms.

`recall`: three sentences of each term, spoken by RHVoice (VOICES: where its packages are unpacked), go to the embedded
model, with all terms of the set as keywords, and with `--prompt` also with all of them in the prompt. A term is right
if the text has it in the form that was said, by RU-NORM; "any case": in that or another form. The row
"nothing" has the text that the model writes without keywords.

`false` recognises speech that contains none of the terms, with all terms as keywords. A DIRECTORY is one that `glas
evaluate` reads, or the unpacked package festvox-ru. Recordings whose reference has a term in any form are left out.
Words of the references are counted; the upper limit of their rate is that of a Poisson variable (95 %, one-sided).
Times are processor time with one thread.
"""

import argparse
import math
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

# Set before any of them is loaded. One thread each: threads that wait for each other hide what work costs.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
os.environ |= {"HF_HUB_OFFLINE": "1", "ORT_DISABLE_TELEMETRY": "1"}

import numpy as np

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from glas.domain.decoding import DecodingOptions
from glas.domain.errors import DataSetError
from glas.domain.text import normalise
from glas.domain.transcription import Samples, Word
from glas.engines.catalogue import embedded_directory
from glas.engines.keywords import Found
from glas.engines.keywords.declension import forms as every_form
from glas.engines.keywords.vocabulary import parts_of
from glas.engines.whisper import WhisperEngine
from glas.recognition.references import Utterance, read_reference_set
from glas.training.voices.festvox import Reading as FestvoxReading
from glas.training.voices.festvox import read_festvox
from glas.training.voices.rhvoice import RHVoice
from glas.training.voices.speaking_style import SpeakingStyle
from tests.speech import speak

TERMS = Path(__file__).with_name("keywords.txt")
VOICES = ("aleksandr", "anna", "elena", "irina")
LONGEST = 25 * 16_000  # samples of a piece
LEAST = 4_000
N_SENTENCES = 3
REPORTED_EVERY = 20
CONFIDENCE_LEFT = 0.05

FRAMES = {
    "place": (
        "Вчера мы приехали в город {}.",
        "Из {} до нас ехать три часа.",
        "Моя сестра живёт в {} уже пять лет.",
    ),
    "person": (
        "Меня зовут {}, я звоню по поводу заказа.",
        "Передай эти документы для {} до пятницы.",
        "Я вчера говорил с {} о нашей поездке.",
    ),
    "term": (
        "Скажите, что такое {} и где это найти?",
        "У нас сегодня не было {}, попробуйте завтра.",
        "Мы давно работаем с {} и довольны.",
    ),
}


class Said(NamedTuple):
    """A sentence, the form of a term in it, all its forms, and the sound."""

    form: str
    forms: list[str]
    text: str
    samples: Samples


class Stopwatch:
    """Time of the search for keywords, in milliseconds of each call, with and without a candidate.

    Attributes:
        before: the text of the last call before the search, which is what the model writes without keywords.
    """

    def __init__(self) -> None:
        self.before = ""
        self.without: list[float] = []
        self.with_score: list[float] = []
        names: dict[str, Any] = vars(import_module("glas.engines.whisper.recognition_call"))
        self._search: Callable[..., Found] = names["with_keywords"]
        names["with_keywords"] = self._timed

    def _timed(self, words: Sequence[Word], keywords: Any, score: Any, knows: Any) -> Found:
        self.before = " ".join(word.text for word in words)
        asked = False

        def asks(texts: Sequence[str]) -> Any:
            nonlocal asked
            asked = True
            return score(texts)

        began = time.thread_time()
        found = self._search(words, keywords, asks, knows)
        (self.with_score if asked else self.without).append(1000 * (time.thread_time() - began))
        return found

    def report(self) -> None:
        """Print medians and maxima."""
        for name, found in (("no candidate", self.without), ("with candidates", self.with_score)):
            if found:
                low, high = np.percentile(found, [50, 95])
                print(
                    f"  {name}: {len(found)} calls, median {low:.1f} ms, 95 % {high:.1f} ms, most {max(found):.1f} ms"
                )


def terms(which: str) -> list[tuple[str, list[str]]]:
    """Return the kind and the forms of each term of a set."""
    lines = (line.split() for line in TERMS.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return [(kind, [form.replace("_", " ") for form in forms]) for name, kind, *forms in lines if name == which]


def sentences(voices: Path, which: str) -> Iterator[Said]:
    """Return three sentences of each term, each by another voice."""
    synthesiser = RHVoice(voices)
    for place in range(N_SENTENCES):
        for number, (kind, forms) in enumerate(terms(which)):
            text, voice = FRAMES[kind][place].format(forms[place]), VOICES[(number + place) % len(VOICES)]
            yield Said(forms[place], every_form(forms[0]), text, speak(synthesiser, text, SpeakingStyle(voice)))


def recall(engine: WhisperEngine, voices: Path, which: str, *, with_prompt: bool) -> None:
    """Print the share of right terms, the wrong terms, and the time for a sentence."""
    line = ", ".join(forms[0] for _, forms in terms(which))
    rows = {"keywords": DecodingOptions(hotwords=line, wants_words=False)}
    if with_prompt:
        rows["prompt"] = DecodingOptions(prompt=line, wants_words=False)
    watch, right, spent, n_said = Stopwatch(), Counter[str](), Counter[str](), 0
    for said in sentences(voices, which):
        n_said += 1
        for name, options in rows.items():
            began = time.process_time()
            (heard,) = engine.recognise([said.samples], options)
            spent[name] += round(1000 * (time.process_time() - began))
            right[name] += has(heard.text, said.form)
            if name == "keywords":
                right["nothing"] += has(watch.before, said.form)
                for row, text in (("nothing", watch.before), ("keywords", heard.text)):
                    right[f"{row}, any case"] += any(has(text, form) for form in said.forms)
                if heard.text != watch.before or not has(heard.text, said.form):
                    mark = "right" if has(heard.text, said.form) else "WRONG"
                    print(f"  {mark} {said.form}: {watch.before} -> {heard.text}", flush=True)
        if n_said % REPORTED_EVERY == 0:
            print(f"{n_said}: {dict(right)}", flush=True)
    for name, count in right.items():
        each = f", {spent[name] / n_said:.0f} ms each" if spent[name] else ""
        print(f"{name}: {count} of {n_said} right ({count / n_said:.1%}){each}")
    watch.report()


def has(text: str, form: str) -> bool:
    """Whether a text has a form of a term; a hyphen is a space."""
    return f" {normalise(form)} " in f" {normalise(text)} "


class Reading(NamedTuple):
    """A recording without any term: the name of its set, the number of spoken words, and the sound."""

    name: str
    n_words: int
    audio: Path


def readings(folders: Sequence[Path], which: str) -> Iterator[Reading]:
    """Yield the recordings of directories in which nobody says a term."""
    said = [form for _, forms in terms(which) for form in {*forms, *every_form(forms[0])}]
    for folder in folders:
        pairs = [(one.audio, one.text) for one in _references(folder)]
        without = [(audio, text) for audio, text in pairs if not any(has(text, form) for form in said)]
        print(f"{folder.name}: {len(without)} recordings, {len(pairs) - len(without)} left out", flush=True)
        for audio, text in without:
            yield Reading(folder.name, len(normalise(text).split()), audio)


def _references(folder: Path) -> Sequence[Utterance | FestvoxReading]:
    """Read a directory with references, or the package festvox-ru."""
    try:
        return read_reference_set(folder).utterances
    except DataSetError:
        return read_festvox(folder)


def decoded(path: Path) -> Samples:
    """Return the samples of a file."""
    return np.concatenate(list(decode_blocks(path.read_bytes(), DecodeLimits())))


def false(engine: WhisperEngine, recordings: Iterator[Reading], which: str) -> None:
    """Print each keyword that was written but not spoken."""
    options = DecodingOptions(hotwords=", ".join(forms[0] for _, forms in terms(which)), wants_words=False)
    watch, n_words, n_false = Stopwatch(), Counter[str](), Counter[str]()
    for number, reading in enumerate(recordings, 1):
        n_words[reading.name] += reading.n_words
        samples = decoded(reading.audio)
        for start in range(0, len(samples), LONGEST):
            piece = samples[start : start + LONGEST]
            if len(piece) < LEAST:
                continue
            (heard,) = engine.recognise([piece], options)
            for use in (use for segment in heard.segments for use in segment.keywords):
                if parts_of(use.heard) != parts_of(use.text):
                    n_false[reading.name] += 1
                    print(f"  {reading.name}: {use.text} in place of {use.heard}: {heard.text}", flush=True)
        if number % REPORTED_EVERY == 0:
            print(f"{number}: {n_false.total()} of {n_words.total()}", flush=True)
    for name in n_words:
        print(f"{name}: {n_false[name]} of {n_words[name]} words")
    found, total = n_false.total(), max(n_words.total(), 1)
    print(
        f"all: {found} of {total} words ({10_000 * found / total:.1f} of 10,000, at most "
        f"{10_000 * most_expected(found) / total:.1f} with 95 %)"
    )
    watch.report()


def most_expected(n_events: int) -> float:
    """Return the largest mean of a Poisson variable for which so few events are not improbable (5 %)."""
    low, high = 0.0, 10.0 + 3 * n_events
    for _ in range(60):
        middle = (low + high) / 2
        so_few = sum(math.exp(-middle) * middle**n / math.factorial(n) for n in range(n_events + 1))
        low, high = (middle, high) if so_few > CONFIDENCE_LEFT else (low, middle)
    return high


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("recall", "false"))
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--set", choices=("test", "dev"), default="test")
    parser.add_argument("--prompt", action="store_true", help="also with all terms in the prompt")
    given = parser.parse_args()
    cache = Path(os.environ.get("TMPDIR", "/tmp")) / "converted"  # noqa: S108
    engine = WhisperEngine(embedded_directory(), name="embedded", cache=cache, beam_size=5)
    if given.what == "recall":
        recall(engine, given.folders[0], given.set, with_prompt=given.prompt)
    else:
        false(engine, readings(given.folders, given.set), given.set)


if __name__ == "__main__":
    main()
