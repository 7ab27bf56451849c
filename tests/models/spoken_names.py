"""Sentences with names that the embedded model does not spell, and a recording of them.

In `spoken_names.ogg` each begins at a multiple of `SLOT_SAMPLES`, spoken by RHVoice's free voices as in
`tests.models.latin_names`. To record them anew: `python -m tests.models.spoken_names FOLDER`, where FOLDER has the
unpacked packages of RHVoice.
"""

import sys
from pathlib import Path

import numpy as np

from glas.domain.transcription import Samples
from glas.training.sound.channel import encode_opus
from glas.training.voices.rhvoice import RHVoice
from glas.training.voices.speaking_style import SpeakingStyle
from tests.speech import speak

RECORDING = Path(__file__).with_suffix(".ogg")
SLOT_SAMPLES = 5 * 16_000
BIT_RATE_BPS = 16_000

# Each with its voice, the name as a dictionary has it, and the form of it that is said.
SPOKEN = (
    ("anna", "Сортавала", "Сортавала", "Вчера мы приехали в город Сортавала."),
    ("elena", "Нурмагомедов", "Нурмагомедов", "Меня зовут Нурмагомедов, я звоню по поводу заказа."),
    ("elena", "Ногинск", "Ногинске", "Моя сестра живет в Ногинске уже пять лет."),
    ("irina", "Звенигород", "Звенигород", "Вчера мы приехали в город Звенигород."),
    ("elena", "Шостакович", "Шостаковича", "Передай эти документы для Шостаковича до пятницы."),
    ("irina", "Зурабашвили", "Зурабашвили", "Меня зовут Зурабашвили, я звоню по поводу заказа."),
)


def slots(samples: Samples) -> list[Samples]:
    """The sentences of the decoded recording."""
    return [samples[number * SLOT_SAMPLES :][:SLOT_SAMPLES] for number in range(len(SPOKEN))]


def record(root: Path) -> None:
    """Speak all of them into the recording.

    Args:
        root: where the packages of RHVoice are unpacked.
    """
    voice, found = RHVoice(root), []
    for name, _, _, text in SPOKEN:
        spoken = speak(voice, text, SpeakingStyle(name))
        found.append(np.pad(spoken, (0, SLOT_SAMPLES - len(spoken))))
    RECORDING.write_bytes(encode_opus(np.concatenate(found), BIT_RATE_BPS))


if __name__ == "__main__":
    record(Path(sys.argv[1]))
