"""The recordings of the scenes of the learning loop: from directories, through a telephone, and with names."""

import io
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from glas.domain.transcription import SAMPLE_RATE_HZ, Samples
from glas.recognition.references import read_reference_set
from glas.training.sound.channel import decode_audio, encode_opus, level, limit_band
from glas.training.voices.espeak import HELD_OUT_VARIANTS, Espeak
from glas.training.voices.rhvoice import RHVoice
from glas.training.voices.speaking_style import SpeakingStyle, Synthesiser
from tests.conftest import ROOT
from tests.speech import speak

VOICE_BPS, TELEPHONE_BPS = 24_000, 8_000  # of Opus, as Telegram sends it; as a bad line would
SNR_DB = (5.0, 10.0)
NAMES = ROOT / "benchmarks" / "keywords.txt"

# One voice that the embedded model hardly understands, and what it says to be learnt and to be tested.
STRANGER = SpeakingStyle("m3", 140, 50)
LEARNT = (
    "Он написал мне вчера длинное письмо.",
    "Купи, пожалуйста, хлеба и молока по дороге домой.",
    "Мы опоздали на поезд и поехали на автобусе.",
    "На улице сильный дождь, возьми с собой зонт.",
    "Мне нужно забрать посылку на почте.",  # by its hash, the only one that is not learnt but decides what is better
)
# Other sentences with many of the same words: with so few recordings, the gate is only certain if each gets better.
TESTED = (
    "Купи, пожалуйста, новый зонт, на улице дождь.",
    "Мы поехали на поезде, а на улице дождь.",
    "Он написал, что возьмёт с собой зонт.",
    "Вчера был сильный дождь, и мы опоздали.",
)

# Voices of espeak-ng that sound like nobody.
_STRANGE = ("Mr serious", "RicishayMax", "Robot", "Tweaky", "fast", "klatt", "robosoft", "whisper", "croak")
_N_VOICES = 20, 10  # to learn from, to test with
# Speakers of RHVoice whose licences forbid changed voices: they only say the test, and no model learns from them.
_RHVOICE_TESTERS = (
    "arina",
    "artemiy",
    "evgeniy-rus",
    "mikhail",
    "pavel",
    "tatiana",
    "victoria",
    "vitaliy",
    "yuriy",
)
# Speed in words per minute and pitch: in each of these, a speaker of RHVoice is another voice to learn from.
_RHVOICE_STYLES = (160, 50), (145, 35), (175, 65), (185, 45)

_Voice = tuple[Synthesiser, SpeakingStyle]

# Sentences with a name in the nominative, the genitive, and the prepositional or instrumental.
_LEARNT = {
    "place": ("Город {} стоит на реке.", "Мы уехали из {} рано утром.", "Говорят, в {} сегодня идёт снег."),
    "person": ("Вам пишет {} из бухгалтерии.", "У {} завтра день рождения.", "Я договорился с {} о встрече."),
    "term": ("Запишите слово {} в тетрадь.", "Сегодня мы обошлись без {}.", "Этот вопрос связан с {}."),
}
_TESTED = {
    "place": ("Следующая станция {}.", "До {} осталось сорок километров.", "Мой брат работает в {} инженером."),
    "person": ("На совещании будет {} из отдела кадров.", "Спросите у {}, пожалуйста.", "Вчера я обедал с {}."),
    "term": ("Что такое {}, я так и не понял.", "Без {} ничего не получится.", "Завтра разберёмся с {} до конца."),
}


@dataclass(frozen=True)
class Saying:
    """A voice message.

    Attributes:
        text: its true words.
        speaker: whose voice it is.
        data: Ogg/Opus.
        duration_s: length.
        name: the name in it, as it is said; empty where none matters.
    """

    text: str
    speaker: str
    data: bytes
    duration_s: float
    name: str = ""


def said_in(folder: Path) -> list[Saying]:
    """Read an audiofolder; convert other formats to Opus."""
    found = []
    for one in read_reference_set(folder).utterances:
        samples = decode_audio(str(one.audio))
        is_opus = one.audio.suffix in (".ogg", ".oga", ".opus")
        data = one.audio.read_bytes() if is_opus else encode_opus(samples, VOICE_BPS)
        found.append(Saying(one.text, one.speaker or "somebody", data, len(samples) / SAMPLE_RATE_HZ))
    return found


def on_the_telephone(sayings: Iterable[Saying], seed: int) -> list[Saying]:
    """Convert the recordings to a bad telephone line: 8 kHz, noise at 5 to 10 dB, Opus at 8 kbit/s."""
    found = []
    for number, one in enumerate(sayings):
        samples = _through_telephone(np.random.default_rng((seed, number)), decode_audio(io.BytesIO(one.data)))
        found.append(replace(one, data=encode_opus(samples, TELEPHONE_BPS)))
    return found


def _through_telephone(rng: np.random.Generator, samples: Samples) -> Samples:
    """Limit samples (n,) to the band of a telephone, and add noise that falls by 3 dB an octave."""
    narrow = limit_band(rng, samples)
    frequency_hz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(len(samples))) / np.sqrt(frequency_hz + 80), len(samples))
    hiss = limit_band(rng, noise.astype(np.float32))
    noisy = narrow + hiss * np.float32(level(narrow) / level(hiss) * 10 ** (-rng.uniform(*SNR_DB) / 20))
    return np.asarray(noisy * np.float32(0.7 / np.abs(noisy).max()), np.float32)


def some_of(sayings: Sequence[Saying], minutes: float) -> list[Saying]:
    """Return recordings of so many minutes, drawn by a seed."""
    drawn, found, seconds = list(sayings), list[Saying](), 0.0
    random.Random(1).shuffle(drawn)  # noqa: S311 - no secret
    for one in drawn:
        if seconds + one.duration_s <= 60 * minutes:
            found.append(one)
            seconds += one.duration_s
    return found


def write_sayings(folder: Path, sayings: Sequence[Saying]) -> Path:
    """Write recordings as an audiofolder."""
    folder.mkdir(parents=True)
    rows = []
    for number, one in enumerate(sayings):
        (folder / f"{number}.ogg").write_bytes(one.data)
        rows.append({"file_name": f"{number}.ogg", "text": one.text, "speaker": one.speaker})
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    (folder / "metadata.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def sayings_with_names(rhvoice: Path | None) -> tuple[list[Saying], list[Saying]]:
    """Return sixty names in sentences of twenty voices, and in other sentences of nine or ten other voices.

    Args:
        rhvoice: directory with RHVoice's unpacked packages. Its five free speakers, in four styles each, say the first
            sentences, and its nine other speakers the test. Without it, voices of espeak-ng say both.
    """
    learners, testers = _espeak_voices() if rhvoice is None else _rhvoice_voices(RHVoice(rhvoice))
    return _all_said(_LEARNT, learners), _all_said(_TESTED, testers)


def _rhvoice_voices(synthesiser: RHVoice) -> tuple[list[_Voice], list[_Voice]]:
    styles = [SpeakingStyle(name, *style) for style in _RHVOICE_STYLES for name in synthesiser.voices]
    return [(synthesiser, one) for one in styles], [(synthesiser, SpeakingStyle(name)) for name in _RHVOICE_TESTERS]


def _espeak_voices() -> tuple[list[_Voice], list[_Voice]]:
    espeak = Espeak()
    found: list[list[_Voice]] = []
    for names, wanted in zip((espeak.voices, HELD_OUT_VARIANTS), _N_VOICES, strict=True):
        voices = [name for name in names if not any(part in name for part in _STRANGE)]
        dice = random.Random(len(voices))  # noqa: S311 - no secret
        chosen = sorted(dice.sample(voices, min(len(voices), wanted)))
        found.append([(espeak, SpeakingStyle(name, dice.randint(130, 180), dice.randint(35, 65))) for name in chosen])
    return found[0], found[1]


def _all_said(sentences: Mapping[str, tuple[str, ...]], voices: Sequence[_Voice]) -> list[Saying]:
    return [_said(text, name, voices[number % len(voices)]) for number, text, name in _texts(sentences)]


def _texts(sentences: Mapping[str, tuple[str, ...]]) -> list[tuple[int, str, str]]:
    """A number that decides the voice, a sentence and the name in it."""
    lines = [line.split() for line in NAMES.read_text(encoding="utf-8").splitlines() if line.startswith("test ")]
    found = []
    for place in range(3):
        for number, (_, kind, *forms) in enumerate(lines):
            name = forms[place].replace("_", " ")
            # Another voice for each of the three sentences of a name.
            found.append((number + 7 * place, sentences[kind][place].format(name), name))
    return found


def _said(text: str, name: str, voice: _Voice) -> Saying:
    synthesiser, style = voice
    samples = speak(synthesiser, text, style)
    data = encode_opus(samples, VOICE_BPS)
    speaker = f"{style.voice} {style.rate_wpm} {style.pitch}"
    return Saying(text, speaker, data, len(samples) / SAMPLE_RATE_HZ, name)
