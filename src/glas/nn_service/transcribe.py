"""From bytes to a hypothesis: decode, find the speech, recognise it, leave out what nobody said.

Runs in a worker thread, streaming throughout.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from glas.audio.decoder import DecoderPool
from glas.audio.segmentation import SegmentationOptions, VoiceActivityDetector, segment_speech
from glas.domain.errors import EmptyAudioError, ServiceTimeoutError
from glas.domain.hallucination import without_inventions
from glas.domain.transcription import SAMPLE_RATE_HZ, Hypothesis, Recognition, Samples, Segment
from glas.engines import Engine


class Step(NamedTuple):
    """Progress within one recording."""

    done_s: float
    segments: tuple[Segment, ...]


class AbandonedError(ServiceTimeoutError):
    """The caller went away; nobody will read the answer."""

    code = "abandoned"


class Transcriber:
    """Owns what every recording needs besides an engine. Threads may share one."""

    def __init__(self, decoder: DecoderPool, vad: VoiceActivityDetector, options: SegmentationOptions) -> None:
        self._decoder = decoder
        self._vad = vad
        self._options = options

    def transcribe(
        self,
        data: bytes,
        engine: Engine,
        *,
        on_step: Callable[[Step], None] = lambda _step: None,
        abandoned: threading.Event | None = None,
    ) -> Recognition:
        """Recognise one recording.

        Args:
            data: a whole file in any accepted format.
            engine: the recogniser.
            on_step: called after each piece of speech, with times relative to the start of the recording.
            abandoned: set by the caller when the answer is not wanted any more.

        Raises:
            AudioError: the bytes give no samples.
            AbandonedError: `abandoned` was set before the end.
        """
        began = time.monotonic()
        parts: list[tuple[float, Hypothesis]] = []
        with self._decoder.open(data) as recording:
            counted = _Counted(recording, abandoned)
            options = self._options.model_copy(update={"max_piece_s": min(engine.window_s, self._options.max_piece_s)})
            for piece in segment_speech(counted, self._vad, options):
                (raw,) = engine.recognise([piece.samples])
                heard = without_inventions(raw, piece.evidence)
                parts.append((piece.start_s, heard))
                moved = tuple(segment.shifted(piece.start_s) for segment in heard.segments if segment.text)
                on_step(Step(piece.start_s + heard.duration_s, moved))
        if not counted.n_samples:
            raise EmptyAudioError("expected audio, got a file without a single sample", param="file")
        hypothesis = Hypothesis.joined(parts, duration_s=counted.n_samples / SAMPLE_RATE_HZ, model=engine.name)
        processing_s = time.monotonic() - began
        return Recognition(hypothesis=hypothesis, processing_s=processing_s, fingerprint=counted.digest.hexdigest())


class _Counted:
    """Passes blocks of samples on, counts and digests them, and stops when nobody waits for the answer."""

    def __init__(self, blocks: Iterable[Samples], abandoned: threading.Event | None) -> None:
        self._blocks = blocks
        self._abandoned = abandoned
        self.n_samples = 0
        self.digest = hashlib.sha256()

    def __iter__(self) -> Iterator[Samples]:
        for block in self._blocks:
            if self._abandoned is not None and self._abandoned.is_set():
                raise AbandonedError("the caller went away before the end")
            self.n_samples += len(block)
            # 16 bits: what differs below them is the decoder's arithmetic, not the audio.
            self.digest.update(np.clip(np.round(block * 32768), -32768, 32767).astype("<i2").tobytes())
            yield block
