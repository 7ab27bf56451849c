"""Turn a recording into text with an engine: decode the file, recognise its speech, remove text that nobody said.

Each recording has a separate thread. All steps run at the same time, on successive parts of the recording. The batcher
recognises the pieces of speech.
"""

import contextlib
import hashlib
import math
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import wait as wait_for_all
from typing import NamedTuple

import numpy as np

from glas import tracing
from glas.audio.decoder import DecoderPool
from glas.audio.segmentation import SegmentationOptions, SpeechPiece, VoiceActivityDetector, segment_speech
from glas.domain.decoding import RUSSIAN
from glas.domain.errors import EmptyAudioError, ServiceFaultError
from glas.domain.hallucination import Evidence, without_inventions
from glas.domain.transcription import SAMPLE_RATE_HZ, SILENCE_DB, Hypothesis, Recognition, Samples, Segment
from glas.domain.writing import Style, Writer
from glas.engines import Engine
from glas.recognition.batcher import Batcher
from glas.recognition.job import Job
from glas.recognition.loaded import LoadedModel
from glas.recognition.slots import MESSAGE_S, JobSlot, SlotPool

# Largest number of pieces of a long recording that wait for the engine. If so many wait, the decoder of the recording
# waits, too. A piece has up to half a minute of sound and 2 MB.
_MOST_PENDING = 8


class Progress(NamedTuple):
    """Progress of one recording: how many seconds are recognised, and the segments of the last piece.

    Attributes:
        done_s: seconds of the recording up to the end of the last piece.
        segments: segments of the last piece, with times from the start of the recording.
    """

    done_s: float
    segments: tuple[Segment, ...]


class Transcriber:
    """Turns recordings into text. Several threads may use one object.

    Args:
        decoder: the decoder processes, one for each slot of `messages` and of `long`.
        vad: detects speech.
        options: options for finding pieces of speech.
        batcher: recognises the pieces of speech.
        messages: slots with which all recordings begin.
        long: slots for recordings that turn out to be long.
        style: whether the text gets capitals and full stops, and whether numbers are written as digits.
    """

    def __init__(
        self,
        decoder: DecoderPool,
        vad: VoiceActivityDetector,
        options: SegmentationOptions,
        batcher: Batcher,
        *,
        messages: SlotPool,
        long: SlotPool,
        style: Style,
    ) -> None:
        self._decoder = decoder
        self._vad = vad
        self._options = options
        self._batcher = batcher
        self._messages = messages
        self._long = long
        self._style = style

    def transcribe(
        self,
        data: bytes,
        model: LoadedModel,
        job: Job,
        *,
        on_progress: Callable[[Progress], None] = lambda _progress: None,
        on_foreign: Callable[[str], None] = lambda _language: None,
    ) -> Recognition:
        """Recognise one recording.

        Args:
            data: the bytes of a whole file in any accepted format.
            model: the model; the caller must keep the model loaded until this method returns.
            job: contains the options of recognition, and the information whether the caller still waits.
            on_progress: is called after each piece of speech, in order.
            on_foreign: is called with the language of a piece if the piece is certainly spoken in another language than
                that of the text. The function is called before `on_progress` is called for this piece. If the function
                raises an exception, the recognition ends.

        Raises:
            AudioError: the bytes cannot be decoded to samples.
            GlasError: the errors of `Job.check`.
        """
        with contextlib.closing(_Assembler(job, on_progress, on_foreign, self._writer(model.engine))) as assembler:
            blocks = self._submit_all(data, model.engine, job, assembler)
            with tracing.span("nn_service", "recognise the pieces"):
                parts = assembler.finish()
        if not blocks.n_samples:
            raise EmptyAudioError("expected audio, got a file without a single sample", param="file")
        language = parts[0][1].language if parts else job.options.language or RUSSIAN
        hypothesis = Hypothesis.joined(
            parts,
            duration_s=blocks.n_samples / SAMPLE_RATE_HZ,
            model=model.ref,
            language=language,
            foreign=_mostly_foreign([part for _, part in parts]),
        )
        return Recognition(
            hypothesis=hypothesis,
            processing_s=job.work_s,
            fingerprint=blocks.digest.hexdigest(),
            level_db=blocks.level_db,
        )

    def _writer(self, engine: Engine) -> Writer:
        needs_marks = self._style.sentences and not engine.abilities.punctuates
        return Writer(self._style.model_copy(update={"sentences": needs_marks}))

    def _submit_all(self, data: bytes, engine: Engine, job: Job, assembler: "_Assembler") -> "_BlockReader":
        """Decode a recording, and submit its pieces of speech to the batcher as soon as they are found."""
        longest_s = min(engine.window_s, self._options.max_piece_s)
        options = self._options.model_copy(update={"max_piece_s": longest_s})
        with contextlib.closing(JobSlot(job, self._messages, self._long)) as slot:
            while True:
                with tracing.span("nn_service", "wait for a decoding slot"):
                    slot.acquire()
                blocks = _BlockReader(job, slot, self._start_another_decoder)
                decoding = tracing.span("nn_service", "decode")
                with contextlib.suppress(_MustWaitError), decoding, self._decoder.open(data) as recording:
                    pieces = segment_speech(blocks.read(recording), self._vad, options)
                    for index, piece in enumerate(pieces):
                        # If the recording had to wait for a slot, it is decoded again. The same pieces come again, so
                        # skip the pieces that have been submitted.
                        if index >= assembler.n_pieces:
                            assembler.add(piece, self._batcher.submit(job, engine, piece.samples))
                    return blocks

    def _start_another_decoder(self) -> None:
        """Start a decoder process for the next message, because a long recording occupies one process for minutes."""

        def start() -> None:
            with contextlib.suppress(ServiceFaultError):  # the service is stopping
                self._decoder.start()

        threading.Thread(target=start, name="decoder", daemon=True).start()


def _mostly_foreign(parts: Iterable[Hypothesis]) -> str | None:
    """Return the most frequent foreign language if more than half of the speech is certainly foreign; otherwise None.

    A spoken language is foreign if the recognised text is written in another language.
    """
    seconds: Counter[str | None] = Counter()
    for part in parts:
        if part.text:
            seconds[part.foreign] += part.duration_s  # type: ignore[assignment]  # a counter of seconds
    own_s = seconds.pop(None, 0)
    return max(seconds, key=lambda code: seconds[code]) if sum(seconds.values()) > own_s else None


class _MustWaitError(Exception):
    """The recording has turned out to be long, and all slots for long recordings are in use."""


class _BlockReader:
    """Iterates over blocks of samples; at the same time, computes the length, level and sha256 of the recording.

    The iteration raises an error if the job was ended.
    """

    def __init__(self, job: Job, slot: JobSlot, on_long: Callable[[], None]) -> None:
        self._job = job
        self._slot = slot
        self._on_long = on_long
        self.n_samples = 0
        self.digest = hashlib.sha256()
        self._energy = 0.0

    @property
    def level_db(self) -> float:
        """Root mean square of all samples in decibels; 0 dB is full scale. The value is never below `SILENCE_DB`."""
        mean = self._energy / max(self.n_samples, 1)
        return max(10 * math.log10(mean), SILENCE_DB) if mean > 0 else SILENCE_DB

    def read(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        for block in blocks:
            self._job.check()
            self.n_samples += len(block)
            self._energy += float(np.dot(block, block))
            if not self._job.is_long and self.n_samples > MESSAGE_S * SAMPLE_RATE_HZ:
                if not self._slot.lengthen():
                    raise _MustWaitError
                self._on_long()
            # The samples are rounded to 16 bits, because smaller differences come from the arithmetic of the decoder.
            self.digest.update(np.clip(np.round(block * 32768), -32768, 32767).astype("<i2").tobytes())
            yield block


class _PendingPiece(NamedTuple):
    """A piece of speech that waits or is being recognised, without its samples."""

    start_s: float
    evidence: Evidence
    is_cut: bool
    future: Future[Hypothesis]


class _Assembler:
    """Collects the recognised pieces of one recording in the order of their times.

    The engines may recognise the pieces in another order.
    """

    def __init__(
        self, job: Job, on_progress: Callable[[Progress], None], on_foreign: Callable[[str], None], writer: Writer
    ) -> None:
        self._job = job
        self._writer = writer
        self._on_progress = on_progress
        self._on_foreign = on_foreign
        self._pending: deque[_PendingPiece] = deque()
        self._parts: list[tuple[float, Hypothesis]] = []

    @property
    def n_pieces(self) -> int:
        return len(self._parts) + len(self._pending)

    def add(self, piece: SpeechPiece, future: Future[Hypothesis]) -> None:
        """Add a piece. For a long recording, wait until at most `_MOST_PENDING` pieces are not recognised yet."""
        self._pending.append(_PendingPiece(piece.start_s, piece.evidence, piece.is_cut, future))
        while self._pending and (
            self._pending[0].future.done() or (self._job.is_long and len(self._pending) > _MOST_PENDING)
        ):
            self._take_first()

    def finish(self) -> list[tuple[float, Hypothesis]]:
        """Wait for all pieces.

        Returns:
            Pairs of the start of a piece, in seconds, and its hypothesis.
        """
        while self._pending:
            self._take_first()
        return self._parts

    def close(self) -> None:
        """Cancel pieces that no engine has begun.

        Wait for pieces that an engine has begun, because the engine must not be closed before these pieces are
        recognised.
        """
        wait_for_all([piece.future for piece in self._pending if not piece.future.cancel()])

    def _take_first(self) -> None:
        first = self._pending[0]
        found = without_inventions(self._job.wait(first.future), first.evidence)
        if found.foreign is not None and found.text:
            self._on_foreign(found.foreign)
        found = self._writer.write(found, is_cut=first.is_cut)
        self._pending.popleft()
        self._parts.append((first.start_s, found))
        moved = tuple(segment.shifted(first.start_s) for segment in found.segments if segment.text)
        self._on_progress(Progress(first.start_s + found.duration_s, moved))
