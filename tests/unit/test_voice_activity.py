"""Test the detector of speech: what counts as speech, and where its weights come from."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from glas.audio.segmentation import SegmentationOptions, segment_speech
from glas.audio.vad import FRAME_SAMPLES, VoiceActivityDetector, weights_path
from glas.domain.errors import ModelFileMissingError, ModelLoadError
from glas.domain.transcription import SAMPLE_RATE_HZ, Samples
from tests.conftest import Sample
from tests.parts.recordings import tone, white_noise
from tests.unit.test_segmentation import blocks_of


@pytest.fixture(scope="module")
def vad() -> VoiceActivityDetector:
    """Load the network that faster-whisper contains."""
    return VoiceActivityDetector()


@pytest.fixture(scope="module")
def speech(samples: list[Sample]) -> Samples:
    """Return a sample message."""
    from glas.audio.decode import decode_blocks
    from glas.audio.limits import DecodeLimits

    return np.concatenate(list(decode_blocks(samples[0].path.read_bytes(), DecodeLimits())))


def test_speech_is_found_between_silences(vad: VoiceActivityDetector, speech: Samples) -> None:
    silence = np.zeros(4 * SAMPLE_RATE_HZ, np.float32)
    sound = np.concatenate((silence, speech, silence, speech))
    pieces = list(segment_speech(blocks_of(sound), vad, SegmentationOptions()))
    assert len(pieces) == 2
    second_s = 8 + len(speech) / SAMPLE_RATE_HZ
    for piece, start_s in zip(pieces, (4, second_s), strict=True):
        assert piece.start_s == pytest.approx(start_s, abs=0.6)
        assert piece.duration_s == pytest.approx(len(speech) / SAMPLE_RATE_HZ, abs=1.2)


@pytest.mark.parametrize("sound", [np.zeros(160_000, np.float32), white_noise(10, 16_000), tone(440, 10, 16_000)])
def test_what_is_no_voice_gives_no_piece(vad: VoiceActivityDetector, sound: Samples) -> None:
    assert list(segment_speech(blocks_of(sound), vad, SegmentationOptions())) == []


def test_probabilities_do_not_depend_on_the_blocks(vad: VoiceActivityDetector, speech: Samples) -> None:
    whole = vad.stream().feed(speech)
    assert whole.max() > 0.9
    stream = vad.stream()
    in_blocks = np.concatenate([stream.feed(block) for block in blocks_of(speech, 1_000)])
    np.testing.assert_allclose(in_blocks, whole, atol=1e-4)
    n_frames = -(-len(speech) // FRAME_SAMPLES)
    assert len(whole) + len(stream.finish()) == n_frames


def test_speech_after_long_silence_is_heard_as_after_a_short_one(vad: VoiceActivityDetector, speech: Samples) -> None:
    """The network does not get silent parts; the probabilities after them must be unchanged."""

    def after_silence(seconds: int) -> Samples:
        stream = vad.stream()
        for _ in range(seconds):
            assert stream.feed(np.zeros(FRAME_SAMPLES * 32, np.float32)).max() < 0.2
        return stream.feed(speech)

    np.testing.assert_allclose(after_silence(60), after_silence(2), atol=0.05)
    whole = vad.stream().feed(np.concatenate((np.zeros(FRAME_SAMPLES * 64, np.float32), speech)))
    assert np.mean((after_silence(60) > 0.5) == (whole[64:] > 0.5)) > 0.97


def test_streams_do_not_hear_each_other(vad: VoiceActivityDetector, speech: Samples) -> None:
    alone = vad.stream().feed(speech)
    first, second = vad.stream(), vad.stream()
    mixed = []
    for block in blocks_of(speech):
        mixed.append(first.feed(block))
        second.feed(white_noise(1, 16_000))
    np.testing.assert_allclose(np.concatenate(mixed), alone, atol=1e-4)


def test_weights_are_found_without_importing_what_carries_them() -> None:
    code = "import sys; from glas.audio.vad import weights_path; weights_path(); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert not {"faster_whisper", "ctranslate2", "av"} & set(done.stdout.split())


def test_the_package_itself_imports_nothing() -> None:
    code = "import sys, glas.audio, glas.audio.decoder; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert not {"onnxruntime", "av", "faster_whisper"} & set(done.stdout.split())


def test_missing_or_wrong_weights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelFileMissingError, match="nowhere"):
        VoiceActivityDetector(tmp_path / "nowhere.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(weights_path().read_bytes()[:1_000])
    with pytest.raises(ModelLoadError, match=r"broken\.onnx"):
        VoiceActivityDetector(broken)
    monkeypatch.setattr("glas.audio.vad.find_spec", lambda name: None if name == "faster_whisper" else find_spec(name))
    with pytest.raises(ModelFileMissingError, match=r"glas-asr\[asr\]"):
        weights_path()
