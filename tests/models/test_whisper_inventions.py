"""A Whisper that writes a phrase for every sound: the phrase is removed if nobody speaks, and kept if it is said.

`make test` plays a third of the ten minutes without speech, `make whole` all.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from glas.domain.transcription import Samples
from glas.engines.whisper import WhisperEngine
from glas.recognition import Recogniser, open_recogniser
from glas.recognition.nonspeech import clips
from glas.settings import Settings
from glas.training.sound.channel import encode_opus
from glas.training.voices.speaking_style import SpeakingStyle
from tests.conftest import as_wav
from tests.models.trained import trained
from tests.speech import say_all

pytest.importorskip("torch", reason="the model of these tests is trained here: make train-setup")

from tests.models import phrases
from tests.models.tiny_whisper import write_card

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CLIPS, SECONDS = 120 if "WHOLE_SETS" in os.environ else 40, 5.0  # ten minutes, or a third
SAYINGS = 20


@pytest.fixture(scope="module")
def spoken() -> dict[str, list[Samples]]:
    """Each phrase that the model writes, by twelve voices, fast and slow; made in one process to save time."""
    styles = [SpeakingStyle(phrases.VOICES[n % len(phrases.VOICES)], 120 + 4 * n, 40 + n) for n in range(SAYINGS)]
    sounds = say_all((phrase, style) for phrase in phrases.INVENTED for style in styles)
    return {phrase: sounds[n * SAYINGS : (n + 1) * SAYINGS] for n, phrase in enumerate(phrases.INVENTED)}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> WhisperEngine:
    place = tmp_path_factory.mktemp("whisper")
    checkpoint = Path(shutil.copytree(trained("phrases"), place / "phrases"))
    write_card(checkpoint, dynamic_context=True)
    return WhisperEngine(checkpoint, name="whisper:phrases", cache=place / "cache")


@pytest.fixture(scope="module")
def recogniser(engine: WhisperEngine) -> Iterator[Recogniser]:
    with open_recogniser(Settings(_env_file=None), lambda _name: engine) as opened:
        yield opened


def texts_of(recogniser: Recogniser, recordings: Sequence[bytes]) -> list[str]:
    return [recogniser.transcribe(data).hypothesis.text for data in recordings]


def test_minutes_without_speech_have_no_text(recogniser: Recogniser, engine: WhisperEngine) -> None:
    sounds = list(clips(CLIPS, SECONDS))
    invented = [engine.recognise([sound])[0] for _, sound in sounds[:20]]
    assert all(one.text for one in invented), "the model is to be one that writes whatever it hears"
    assert all((one.segments[0].no_speech_probability or 0) < 0.01 for one in invented), "and is sure of it"
    recordings = [
        encode_opus(sound, 16_000) if number % 2 else as_wav(sound) for number, (_, sound) in enumerate(sounds)
    ]
    texts = texts_of(recogniser, recordings)
    written = [(kind, text) for (kind, _), text in zip(sounds, texts, strict=True) if text]
    assert len(written) <= CLIPS // 100, written


@pytest.mark.parametrize("phrase", phrases.INVENTED)
def test_what_is_really_said_stays(recogniser: Recogniser, spoken: dict[str, list[Samples]], phrase: str) -> None:
    """Twenty phrases, by twelve voices, fast and slow, loud and faint, some as voice messages."""
    recordings = []
    for number, sound in enumerate(spoken[phrase]):
        faint = sound * np.float32(10 ** (-6 * (number % 5) / 20))
        recordings.append(encode_opus(faint, 16_000) if number % 2 else as_wav(faint))
    assert texts_of(recogniser, recordings) == [phrase] * SAYINGS


def test_a_phrase_among_noises_is_all_that_is_left(recogniser: Recogniser, spoken: dict[str, list[Samples]]) -> None:
    """Noise, the phrase, noise: the text contains the phrase once, and nothing for the noises."""
    (_, before), (_, behind) = list(clips(2, SECONDS, seed=7))
    said, quiet = spoken[phrases.INVENTED[0]][1], np.float32(0.02)
    sound = np.concatenate((before * quiet, said, behind * quiet))
    assert texts_of(recogniser, [as_wav(sound)]) == [phrases.INVENTED[0]]
