"""Convert text to speech with RHVoice: samples at 24 kHz, with voices that are modelled on real people.

The library is called in this process, with ctypes. Each voice is a statistical model of a person's recordings.

The library is from Debian's packages librhvoice5 and librhvoice-core7, the voices are from rhvoice-russian. All are in
Debian's section non-free, because the training scripts of the models are not public. `FREE_VOICES` lists the voices
with a free licence, according to Debian's copyright file: LGPL-2.1+, and CC BY-SA 4.0 for `aleksandr-hq`. The licences
of the other voices forbid selling or changing these voices, so these voices are not used for training. The C structures
are those in RHVoice's public header `RHVoice.h`.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from glas.domain.errors import ConfigurationError
from glas.training.voices.speaking_style import SpeakingStyle

FREE_VOICES = ("aleksandr", "aleksandr-hq", "anna", "elena", "irina")
USUAL_RATE_WPM = 160  # approximate rate at which the voices speak by default, words per minute
PITCH_PER_OCTAVE = 100  # steps of a style's pitch; 50 is the normal pitch of a voice

_SAMPLE_RATE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
_SPEECH = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_uint, ctypes.c_void_p)


class _Callbacks(ctypes.Structure):
    _fields_ = (
        ("set_sample_rate", _SAMPLE_RATE),
        ("play_speech", _SPEECH),
        *((f"unused_{number}", ctypes.c_void_p) for number in range(7)),
    )


class _Start(ctypes.Structure):
    _fields_ = (
        ("data_path", ctypes.c_char_p),
        ("config_path", ctypes.c_char_p),
        ("resource_paths", ctypes.c_void_p),
        ("callbacks", _Callbacks),
        ("options", ctypes.c_uint),
    )


class _Parameters(ctypes.Structure):
    _fields_ = (
        ("voice_profile", ctypes.c_char_p),
        ("absolute_rate", ctypes.c_double),
        ("absolute_pitch", ctypes.c_double),
        ("absolute_volume", ctypes.c_double),
        ("relative_rate", ctypes.c_double),
        ("relative_pitch", ctypes.c_double),
        ("relative_volume", ctypes.c_double),
        ("punctuation_mode", ctypes.c_int),
        ("punctuation_list", ctypes.c_char_p),
        ("capitals_mode", ctypes.c_int),
        ("flags", ctypes.c_int),
    )


class RHVoice:
    """Synthesises speech with RHVoice; `root` is the directory of the unpacked packages, or `/` for installed ones."""

    def __init__(self, root: Path) -> None:
        self.voices, self.sample_rate_hz = list(FREE_VOICES), 24_000
        libraries = sorted(root.glob("usr/lib/*/libRHVoice.so.*"))
        data = root / "usr/share/RHVoice"
        if not libraries or not (data / "voices").is_dir():
            raise ConfigurationError(
                f"expected Debian's packages librhvoice5, librhvoice-core7 and rhvoice-russian unpacked in {root}, "
                "found no usr/lib/*/libRHVoice.so or no usr/share/RHVoice/voices. "
                "They are in Debian's section non-free: apt-get download PACKAGE, dpkg -x FILE DIRECTORY"
            )
        for core in sorted(root.glob("usr/lib/*/libRHVoice_core.so.*")):
            ctypes.CDLL(str(core), mode=ctypes.RTLD_GLOBAL)  # otherwise libRHVoice searches only in the system
        self._library = ctypes.CDLL(str(libraries[0]))
        self._library.RHVoice_new_tts_engine.restype = ctypes.c_void_p
        self._library.RHVoice_new_message.restype = ctypes.c_void_p
        self._heard: list[npt.NDArray[np.int16]] = []
        self._callbacks = _Callbacks(_SAMPLE_RATE(self._rate), _SPEECH(self._collect))  # C calls them later
        start = _Start(str(data).encode(), str(root / "etc/RHVoice").encode(), None, self._callbacks, 0)
        self._engine = ctypes.c_void_p(self._library.RHVoice_new_tts_engine(ctypes.byref(start)))
        if not self._engine:
            raise ConfigurationError(f"expected RHVoice to start with the voices in {data}, got no engine")

    def _rate(self, rate_hz: int, _data: object) -> int:
        self.sample_rate_hz = rate_hz
        return 1

    def _collect(self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, _data: object) -> int:
        self._heard.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 1

    @contextmanager
    def _message(self, text: str, style: SpeakingStyle) -> Iterator[ctypes.c_void_p]:
        rate, pitch = style.rate_wpm / USUAL_RATE_WPM, 2 ** ((style.pitch - 50) / PITCH_PER_OCTAVE)
        how = _Parameters(style.voice.encode(), 0, 0, 0, rate, pitch, 1, 0, None, 0, 0)
        encoded = text.encode()
        message = ctypes.c_void_p(
            self._library.RHVoice_new_message(
                self._engine, encoded, ctypes.c_uint(len(encoded)), ctypes.c_int(0), ctypes.byref(how), None
            )
        )
        if not message:
            raise ValueError(f"expected one of RHVoice's voices and a text, got {style.voice!r} and {text!r}")
        try:
            yield message
        finally:
            self._library.RHVoice_delete_message(message)

    def speak(self, text: str, style: SpeakingStyle) -> npt.NDArray[np.float32]:
        """Synthesise a text in a style; return samples, shape (n,), in −1…1, at `sample_rate_hz`.

        The fields `pitch_range` and `word_gap` of the style are ignored.
        """
        self._heard.clear()
        with self._message(text, style) as message:
            self._library.RHVoice_speak(message)
        samples = np.concatenate(self._heard) if self._heard else np.zeros(0, np.int16)
        return samples.astype(np.float32) / 32768.0
