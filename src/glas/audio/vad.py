"""Silero VAD v6: for every 32 ms, how probable it is that somebody speaks.

The weights come with the faster-whisper distribution; it is found, but not imported, since it would load CTranslate2.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime as ort

from glas.domain.errors import ModelFileMissingError, ModelLoadError
from glas.domain.transcription import Samples

FRAME_SAMPLES = 512  # 32 ms at 16 kHz: what the network was trained on

_CONTEXT_SAMPLES = 64
_STATE_SHAPE = (1, 1, 128)
# -80 dB of full scale, three steps of 16-bit sound: nobody speaks below it, and hours of it pack into a few kilobytes.
_INAUDIBLE = 1e-4
_WEIGHTS = "silero_vad_v6.onnx"


def weights_path() -> Path:
    """Where the weights lie.

    Raises:
        ModelFileMissingError: faster-whisper is not installed, or comes without them.
    """
    found = find_spec("faster_whisper")
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / "assets" / _WEIGHTS
        if path.is_file():
            return path
    raise ModelFileMissingError(f"{_WEIGHTS} was not found: install glas-asr[asr], whose faster-whisper carries it")


class VoiceActivityDetector:
    """The network. One is enough for all threads; what it remembers of a recording is kept by `stream()`.

    Args:
        path: the ONNX file.

    Raises:
        ModelFileMissingError: there is no such file.
        ModelLoadError: it is not this network.
    """

    def __init__(self, path: Path | None = None) -> None:
        path = path or weights_path()
        if not path.is_file():
            raise ModelFileMissingError(f"There is no file {path}")
        options = ort.SessionOptions()
        # One second of sound costs a millisecond: threads would cost more than they give.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's classes of error have no common base
            raise ModelLoadError(f"{path} cannot be loaded as an ONNX model: {error}") from error
        inputs = {one.name for one in self._session.get_inputs()}
        if inputs != {"input", "h", "c"}:
            raise ModelLoadError(f"{path} is not {_WEIGHTS}: expected inputs input, h, c, got {sorted(inputs)}")

    def stream(self) -> "VoiceActivityStream":
        """Begin a recording."""
        return VoiceActivityStream(self._session)


class VoiceActivityStream:
    """What the network remembers of one recording. Used by one thread at a time."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session
        self._h = np.zeros(_STATE_SHAPE, np.float32)
        self._c = np.zeros(_STATE_SHAPE, np.float32)
        self._context = np.zeros(_CONTEXT_SAMPLES, np.float32)
        self._rest = np.zeros(0, np.float32)
        self._was_inaudible = False

    def feed(self, samples: Samples) -> Samples:
        """Probabilities of speech, shape `(n_frames,)`, for the frames that `samples` complete; the rest waits."""
        joined = np.concatenate((self._rest, samples))
        whole = len(joined) - len(joined) % FRAME_SAMPLES
        self._rest = joined[whole:]
        return self._run(joined[:whole])

    def finish(self) -> Samples:
        """The probability for what waits, filled up with silence: shape `(1,)`, or `(0,)` if nothing waits."""
        rest, self._rest = self._rest, self._rest[:0]
        return self._run(np.pad(rest, (0, -len(rest) % FRAME_SAMPLES)))

    def _run(self, samples: Samples) -> Samples:
        if not len(samples):
            return np.zeros(0, np.float32)
        is_inaudible = float(np.abs(samples).max()) <= _INAUDIBLE
        # The first such stretch is shown to the network, which forgets the speech before it; the rest tells it nothing.
        if is_inaudible and self._was_inaudible:
            return np.zeros(len(samples) // FRAME_SAMPLES, np.float32)
        self._was_inaudible = is_inaudible
        frames = samples.reshape(-1, FRAME_SAMPLES)
        # Every frame is shown together with the end of the one before it.
        contexts = np.vstack((self._context, frames[:-1, -_CONTEXT_SAMPLES:]))
        self._context = frames[-1, -_CONTEXT_SAMPLES:]
        feeds = {"input": np.hstack((contexts, frames)), "h": self._h, "c": self._c}
        probabilities, self._h, self._c = self._session.run(["speech_probs", "hn", "cn"], feeds)
        return np.asarray(probabilities, np.float32).reshape(-1)
