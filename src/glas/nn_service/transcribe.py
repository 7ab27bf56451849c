"""From bytes to a hypothesis: decode, find the speech, have it recognised, leave out what nobody said.

Runs in a thread of its own for each recording, streaming throughout; the pieces of speech go through the batcher.
"""

import contextlib
import hashlib
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import wait as wait_for_all
from typing import NamedTuple

import numpy as np

from glas.audio.decoder import DecoderPool
from glas.audio.segmentation import SegmentationOptions, SpeechPiece, VoiceActivityDetector, segment_speech
from glas.domain.decoding import RUSSIAN
from glas.domain.errors import EmptyAudioError, ServiceFaultError
from glas.domain.hallucination import Evidence, without_inventions
from glas.domain.transcription import SAMPLE_RATE_HZ, Hypothesis, Recognition, Samples, Segment
from glas.domain.writing import Style, Writer
from glas.engines import Engine
from glas.nn_service.batcher import Batcher
from glas.nn_service.job import Job
from glas.nn_service.lanes import MESSAGE_S, Lane, Passage

# Pieces of a long recording that wait for the recogniser while its decoder waits for them: half a minute and 2 MB each.
_AHEAD = 8


class Step(NamedTuple):
    """Progress within one recording."""

    done_s: float
    segments: tuple[Segment, ...]


class Transcriber:
    """Owns what every recording needs besides an engine. Threads may share one.

    Args:
        decoder: must have as many processes as both lanes have places.
        vad: finds speech.
        options: where pieces of speech begin and end.
        batcher: has pieces recognised.
        messages: lane of all recordings at first.
        long: lane of those that turn out to be long.
        style: how texts are written.
    """

    def __init__(
        self,
        decoder: DecoderPool,
        vad: VoiceActivityDetector,
        options: SegmentationOptions,
        batcher: Batcher,
        *,
        messages: Lane,
        long: Lane,
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
        engine: Engine,
        job: Job,
        *,
        on_step: Callable[[Step], None] = lambda _step: None,
        on_foreign: Callable[[str], None] = lambda _language: None,
    ) -> Recognition:
        """Recognise one recording.

        Args:
            data: a whole file in any accepted format.
            engine: the recogniser.
            job: what is asked for, and whether it still is.
            on_step: called after each piece of speech, in order, with times relative to the start of the recording.
            on_foreign: called before the step of a piece in which surely another language is spoken than is written;
                what it raises ends the work.

        Raises:
            AudioError: the bytes give no samples.
            GlasError: what `Job.check` raises.
        """
        with contextlib.closing(_Text(job, on_step, on_foreign, self._writer(engine))) as text:
            sound = self._listen(data, engine, job, text)
            parts = text.finish()
        if not sound.n_samples:
            raise EmptyAudioError("expected audio, got a file without a single sample", param="file")
        language = parts[0][1].language if parts else job.options.language or RUSSIAN
        hypothesis = Hypothesis.joined(
            parts,
            duration_s=sound.n_samples / SAMPLE_RATE_HZ,
            model=engine.name,
            language=language,
            foreign=_mostly_foreign([part for _, part in parts]),
        )
        return Recognition(hypothesis=hypothesis, processing_s=job.work_s, fingerprint=sound.digest.hexdigest())

    def _writer(self, engine: Engine) -> Writer:
        bare = self._style.sentences and not engine.abilities.punctuates
        return Writer(self._style.model_copy(update={"sentences": bare}))

    def _listen(self, data: bytes, engine: Engine, job: Job, text: "_Text") -> "_Sound":
        """Decode, and hand in all pieces of speech."""
        longest_s = min(engine.window_s, self._options.max_piece_s)
        options = self._options.model_copy(update={"max_piece_s": longest_s})
        with contextlib.closing(Passage(job, self._messages, self._long)) as passage:
            while True:
                passage.enter()
                sound = _Sound(job, passage, self._start_another_decoder)
                with contextlib.suppress(_MustWaitError), self._decoder.open(data) as recording:
                    pieces = segment_speech(sound.blocks(recording), self._vad, options)
                    for index, piece in enumerate(pieces):
                        # After a change of lanes the recording is decoded once more, to the same pieces.
                        if index >= text.n_pieces:
                            text.add(piece, self._batcher.submit(job, engine, piece.samples))
                    return sound

    def _start_another_decoder(self) -> None:
        """A long recording keeps the decoder that it has for minutes; the next message should find one ready."""

        def start() -> None:
            with contextlib.suppress(ServiceFaultError):  # the service is stopping
                self._decoder.start()

        threading.Thread(target=start, name="decoder", daemon=True).start()


def _mostly_foreign(parts: Iterable[Hypothesis]) -> str | None:
    """The other language of a recording, if more of its speech is surely foreign than not."""
    seconds: Counter[str | None] = Counter()
    for part in parts:
        if part.text:
            seconds[part.foreign] += part.duration_s  # type: ignore[assignment]  # a counter of seconds
    own_s = seconds.pop(None, 0)
    return max(seconds, key=lambda code: seconds[code]) if sum(seconds.values()) > own_s else None


class _MustWaitError(Exception):
    """The recording has turned out to be long, and there are enough of those."""


class _Sound:
    """Passes blocks of samples on, counts and digests them, and stops when going on is of no use."""

    def __init__(self, job: Job, passage: Passage, on_long: Callable[[], None]) -> None:
        self._job = job
        self._passage = passage
        self._on_long = on_long
        self.n_samples = 0
        self.digest = hashlib.sha256()

    def blocks(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        for block in blocks:
            self._job.check()
            self.n_samples += len(block)
            if not self._job.is_long and self.n_samples > MESSAGE_S * SAMPLE_RATE_HZ:
                if not self._passage.lengthen():
                    raise _MustWaitError
                self._on_long()
            # 16 bits: what differs below them is the decoder's arithmetic, not the audio.
            self.digest.update(np.clip(np.round(block * 32768), -32768, 32767).astype("<i2").tobytes())
            yield block


class _Awaited(NamedTuple):
    """A piece of speech that is being recognised; its samples are no longer needed here."""

    start_s: float
    evidence: Evidence
    is_cut: bool
    heard: Future[Hypothesis]


class _Text:
    """Puts the pieces of one recording together, in order, whatever the order in which they were recognised."""

    def __init__(
        self, job: Job, on_step: Callable[[Step], None], on_foreign: Callable[[str], None], writer: Writer
    ) -> None:
        self._job = job
        self._writer = writer
        self._on_step = on_step
        self._on_foreign = on_foreign
        self._awaited: deque[_Awaited] = deque()
        self._parts: list[tuple[float, Hypothesis]] = []

    @property
    def n_pieces(self) -> int:
        return len(self._parts) + len(self._awaited)

    def add(self, piece: SpeechPiece, heard: Future[Hypothesis]) -> None:
        """Take a piece; of a long recording, wait until few enough are on their way."""
        self._awaited.append(_Awaited(piece.start_s, piece.evidence, piece.is_cut, heard))
        while self._awaited and (self._awaited[0].heard.done() or (self._job.is_long and len(self._awaited) > _AHEAD)):
            self._next()

    def finish(self) -> list[tuple[float, Hypothesis]]:
        """Wait for everything.

        Returns:
            Pairs of the second at which a piece starts and what was heard in it.
        """
        while self._awaited:
            self._next()
        return self._parts

    def close(self) -> None:
        """What nobody wants any more is not begun; what runs is waited for, because its engine must stay open."""
        wait_for_all([one.heard for one in self._awaited if not one.heard.cancel()])

    def _next(self) -> None:
        first = self._awaited[0]
        heard = without_inventions(self._job.wait(first.heard), first.evidence)
        if heard.foreign is not None and heard.text:
            self._on_foreign(heard.foreign)
        heard = self._writer.write(heard, is_cut=first.is_cut)
        self._awaited.popleft()
        self._parts.append((first.start_s, heard))
        moved = tuple(segment.shifted(first.start_s) for segment in heard.segments if segment.text)
        self._on_step(Step(first.start_s + heard.duration_s, moved))
