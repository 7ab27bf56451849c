"""Test the error if RHVoice is missing, and its speech if its packages are installed."""

import os
from pathlib import Path

import numpy as np
import pytest

from glas.domain.errors import ConfigurationError
from glas.training.voices.rhvoice import FREE_VOICES, RHVoice
from glas.training.voices.speaking_style import SpeakingStyle

ROOT = Path(os.environ.get("GLAS_TEST_RHVOICE", "/"))  # the directory into which the packages were unpacked
INSTALLED = all((ROOT / "usr/share/RHVoice/voices" / name).is_dir() for name in FREE_VOICES)


def test_a_folder_without_the_packages_is_refused_by_their_names(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="librhvoice5, librhvoice-core7 and rhvoice-russian"):
        RHVoice(tmp_path)


@pytest.mark.skipif(not INSTALLED, reason="Debian's rhvoice-russian (non-free) is not there")
def test_faster_is_shorter_and_an_unknown_voice_is_refused() -> None:
    synthesiser = RHVoice(ROOT)
    slow, fast = (synthesiser.speak("привет, как дела", SpeakingStyle("elena", rate)) for rate in (120, 200))
    assert 0.05 < np.abs(fast).max() <= 1
    assert 0.5 < len(fast) / synthesiser.sample_rate_hz < 0.8 * len(slow) / synthesiser.sample_rate_hz
    with pytest.raises(ValueError, match="nobody"):
        synthesiser.speak("привет", SpeakingStyle("nobody"))
