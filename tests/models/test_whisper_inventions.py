"""A Whisper that invents a phrase for every sound: nothing of it is left where nobody speaks; what is said stays."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from glas.engines.whisper import WhisperEngine
from glas.recognition import Recogniser, open_recogniser
from glas.recognition.nonspeech import clips
from glas.settings import Settings
from glas.training.sound.channel import encode_opus
from glas.training.voices.speaking_style import SpeakingStyle
from tests.conftest import as_wav
from tests.models.trained import trained

pytest.importorskip("torch", reason="the model of these tests is trained here: make train-setup")

from tests.models import phrases
from tests.models.tiny_whisper import write_card

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CLIPS, SECONDS = 120, 5.0  # ten minutes
SAYINGS = 20


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


def test_ten_minutes_without_speech_have_no_text(recogniser: Recogniser, engine: WhisperEngine) -> None:
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
def test_what_is_really_said_stays(recogniser: Recogniser, phrase: str) -> None:
    """Twenty times, by twelve voices, fast and slow, loud and faint, some as voice messages."""
    styles = [SpeakingStyle(phrases.VOICES[n % len(phrases.VOICES)], 120 + 4 * n, 40 + n) for n in range(SAYINGS)]
    recordings = []
    for number, sound in enumerate(phrases.say_all((phrase, style) for style in styles)):
        faint = sound * np.float32(10 ** (-6 * (number % 5) / 20))
        recordings.append(encode_opus(faint, 16_000) if number % 2 else as_wav(faint))
    assert texts_of(recogniser, recordings) == [phrase] * SAYINGS


def test_a_phrase_among_noises_is_all_that_is_left(recogniser: Recogniser) -> None:
    """Noise, the phrase, noise: what is invented before and behind it is not there."""
    (_, before), (_, behind) = list(clips(2, SECONDS, seed=7))
    (said,) = phrases.say_all([(phrases.INVENTED[0], SpeakingStyle("f3", 140, 50))])
    quiet = np.float32(0.02)
    sound = np.concatenate((before * quiet, said, behind * quiet))
    assert texts_of(recogniser, [as_wav(sound)]) == [phrases.INVENTED[0]]
