"""Convert text to speech with espeak-ng: samples at 22.05 kHz, about 100 times faster than real time.

The library is called in this process, with ctypes. The library and its voices are from the PyPI package
`espeakng-loader` (espeak-ng 1.52, GPL-3.0). The constants are from espeak-ng's public header `speak_lib.h`.
"""

import ctypes
from functools import lru_cache
from pathlib import Path

import espeakng_loader
import numpy as np
import numpy.typing as npt

from glas.training.voices.speaking_style import SpeakingStyle

SYNCHRONOUS_MODE = 2  # samples come through the callback before espeak_Synth returns; no thread
DONT_EXIT = 0x8000
CHARS_UTF8 = 1
POS_CHARACTER = 1
RATE, VOLUME, PITCH, PITCH_RANGE, WORD_GAP = 1, 2, 3, 4, 7

# Voices that are never used in training: different voices of men and women, the voice of an old woman, and two Klatt
# synthesisers (edward, klatt2).
HELD_OUT_VARIANTS = (
    "Alicia",
    "Diogo",
    "Lee",
    "Nguyen",
    "belinda",
    "edward",
    "f2",
    "gustave",
    "klatt2",
    "m3",
    "quincy",
    "grandma",
)

# espeak-ng 1.52 crashes when these voices speak with a very low pitch, so they are never used.
UNSTABLE_VARIANTS = ("Demonic", "rob")

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def variants() -> list[str]:
    """Return the names of the voice variants that the package contains and that work in a synthesis."""
    folder = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
    return sorted(path.name for path in folder.iterdir() if path.name not in UNSTABLE_VARIANTS)


_heard: list[npt.NDArray[np.int16]] = []


@_CALLBACK
def _collect(samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: object) -> int:
    if samples and count > 0:
        _heard.append(np.ctypeslib.as_array(samples, (count,)).copy())
    return 0


@lru_cache(maxsize=1)
def _started() -> tuple[ctypes.CDLL, int]:
    """Start the library at the first call; return the library and its sample rate in Hz.

    If the library were started a second time, or the callback were freed, the process would crash.
    """
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate_hz = library.espeak_Initialize(SYNCHRONOUS_MODE, 0, espeakng_loader.get_data_path().encode(), DONT_EXIT)
    if rate_hz <= 0:
        raise OSError(
            "espeak-ng did not start: expected its data beside the library, got an error from espeak_Initialize"
        )
    library.espeak_SetSynthCallback(_collect)
    return library, rate_hz


class Espeak:
    """The synthesiser espeak-ng. The C library has global state, which all instances in a process share."""

    def __init__(self) -> None:
        self._library, self.sample_rate_hz = _started()
        self.voices = [name for name in variants() if name not in HELD_OUT_VARIANTS]

    def speak(self, text: str, style: SpeakingStyle) -> npt.NDArray[np.float32]:
        """Synthesise a text in a style; return samples, shape (n,), in −1…1, at `sample_rate_hz`."""
        if self._library.espeak_SetVoiceByName(f"ru+{style.voice}".encode()) != 0:
            raise ValueError(f"expected a voice variant of espeak-ng, got {style.voice!r}")
        for parameter, value in (
            (RATE, style.rate_wpm),
            (PITCH, style.pitch),
            (PITCH_RANGE, style.pitch_range),
            (WORD_GAP, style.word_gap),
        ):
            self._library.espeak_SetParameter(parameter, value, 0)
        _heard.clear()
        encoded = text.encode()
        self._library.espeak_Synth(encoded, len(encoded) + 1, 0, POS_CHARACTER, 0, CHARS_UTF8, None, None)
        samples = np.concatenate(_heard) if _heard else np.zeros(0, np.int16)
        return samples.astype(np.float32) / 32768.0
