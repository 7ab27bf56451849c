"""Voice activity detection with Silero VAD v6: the probability of speech in every frame of 32 ms.

The weights are a file of the faster-whisper package. The package is located but not imported, because importing it
loads CTranslate2.
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
# -80 dB relative to full scale, three steps of 16-bit samples. No speech is quieter. A file of a few kilobytes can
# contain hours of such silence, so silence must take little time.
_INAUDIBLE = 1e-4
_WEIGHTS = "silero_vad_v6.onnx"


def weights_path() -> Path:
    """Return the path of the weights.

    Raises:
        ModelFileMissingError: faster-whisper is not installed, or its package does not contain the weights.
    """
    found = find_spec("faster_whisper")
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / "assets" / _WEIGHTS
        if path.is_file():
            return path
    raise ModelFileMissingError(
        f"{_WEIGHTS} was not found: install glas-asr[asr], which installs it with faster-whisper"
    )


class VoiceActivityDetector:
    """The network of Silero VAD in memory, which all threads may share.

    Each recording needs a separate object, which `stream()` makes. This object contains the state of the network after
    the sound so far.

    Args:
        path: the ONNX file with the weights of Silero VAD.

    Raises:
        ModelFileMissingError: there is no such file.
        ModelLoadError: the file does not contain Silero's network.
    """

    def __init__(self, path: Path | None = None) -> None:
        path = path or weights_path()
        if not path.is_file():
            raise ModelFileMissingError(f"There is no file {path}")
        options = ort.SessionOptions()
        # One second of sound takes a millisecond; several threads would take more time than they save.
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
        """Return the initial state for a new recording."""
        return VoiceActivityStream(self._session)


class VoiceActivityStream:
    """State of the network within one recording. Only one thread at a time may use this object."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session
        self._h = np.zeros(_STATE_SHAPE, np.float32)
        self._c = np.zeros(_STATE_SHAPE, np.float32)
        self._context = np.zeros(_CONTEXT_SAMPLES, np.float32)
        self._rest = np.zeros(0, np.float32)
        self._was_inaudible = False

    def feed(self, samples: Samples) -> Samples:
        """Return the probability of speech for each frame that `samples` completes, shape `(n_frames,)`.

        Samples of an incomplete frame are kept for the next call.
        """
        joined = np.concatenate((self._rest, samples))
        whole = len(joined) - len(joined) % FRAME_SAMPLES
        self._rest = joined[whole:]
        return self._run(joined[:whole])

    def finish(self) -> Samples:
        """Return the probability of speech for the incomplete last frame, which is padded with silence.

        The shape is `(1,)`, or `(0,)` if the last frame was complete.
        """
        rest, self._rest = self._rest, self._rest[:0]
        return self._run(np.pad(rest, (0, -len(rest) % FRAME_SAMPLES)))

    def _run(self, samples: Samples) -> Samples:
        if not len(samples):
            return np.zeros(0, np.float32)
        is_inaudible = float(np.abs(samples).max()) <= _INAUDIBLE
        # The network gets the first inaudible samples, so that its state no longer contains the speech before. All
        # further inaudible samples are skipped.
        if is_inaudible and self._was_inaudible:
            return np.zeros(len(samples) // FRAME_SAMPLES, np.float32)
        self._was_inaudible = is_inaudible
        frames = samples.reshape(-1, FRAME_SAMPLES)
        # The network gets each frame together with the end of the frame before it.
        contexts = np.vstack((self._context, frames[:-1, -_CONTEXT_SAMPLES:]))
        self._context = frames[-1, -_CONTEXT_SAMPLES:]
        feeds = {"input": np.hstack((contexts, frames)), "h": self._h, "c": self._c}
        probabilities, self._h, self._c = self._session.run(["speech_probs", "hn", "cn"], feeds)
        return np.asarray(probabilities, np.float32).reshape(-1)
