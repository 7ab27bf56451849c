"""The recogniser: one engine, one queue, one transcriber, opened and closed together."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from glas.audio.decoder import DecoderPool
from glas.audio.limits import DecodeLimits
from glas.audio.segmentation import SegmentationOptions, VoiceActivityDetector
from glas.domain.errors import GlasError, UnknownModelError
from glas.domain.transcription import Recognition
from glas.engines import Engine
from glas.engines.catalogue import resolve
from glas.engines.load import load_engine
from glas.nn_service.metrics import Metrics
from glas.nn_service.queue import RecognitionQueue
from glas.nn_service.transcribe import Step, Transcriber
from glas.settings import MIB, AudioSettings, NnServiceSettings, Settings

# Clients written for OpenAI must name a model; these names mean "the one that you serve".
_ALIASES = frozenset({"", "auto", "whisper-1"})


class Recogniser:
    """What the routes call. Made by `open_recogniser`."""

    def __init__(self, engine: Engine, transcriber: Transcriber, queue: RecognitionQueue) -> None:
        self._transcriber = transcriber
        self._queue = queue
        self.engine = engine
        self.metrics = Metrics(queue)

    @property
    def in_flight(self) -> int:
        """Recordings that are being recognised or wait."""
        return self._queue.in_flight

    def engine_for(self, model: str) -> Engine:
        """The engine that serves a model's name.

        Raises:
            UnknownModelError: another model is served.
        """
        if model not in _ALIASES and model != self.engine.name:
            raise UnknownModelError(
                f"expected the model {self.engine.name!r}, which is served here (or 'auto'), got {model!r}; "
                "to serve another: `glas models get NAME`, then start with GLAS_MODEL=NAME",
                param="model",
            )
        return self.engine

    def submit(
        self, data: bytes, model: str = "auto", *, on_step: Callable[[Step], None], abandoned: threading.Event
    ) -> asyncio.Future[Recognition]:
        """Queue a recording; see `Transcriber.transcribe`.

        Raises:
            UnknownModelError: another model is served.
            OverloadedError: the queue is full.
        """
        try:
            engine = self.engine_for(model)
            future = self._queue.submit(
                lambda: self._transcriber.transcribe(data, engine, on_step=on_step, abandoned=abandoned)
            )
        except GlasError as error:
            self.metrics.failed(error.code)
            raise
        future.add_done_callback(self._count)
        return future

    def _count(self, future: asyncio.Future[Recognition]) -> None:
        if future.cancelled():
            self.metrics.failed("abandoned")
        elif (error := future.exception()) is None:
            self.metrics.succeeded(future.result())
        else:
            self.metrics.failed(error.code if isinstance(error, GlasError) else GlasError.code)


def make_transcriber(decoder: DecoderPool, settings: NnServiceSettings) -> Transcriber:
    """A transcriber over an open decoder."""
    options = SegmentationOptions(threshold=settings.vad_threshold)
    return Transcriber(decoder, VoiceActivityDetector(), options)


def make_decoder(settings: AudioSettings) -> DecoderPool:
    """A pool of decoding children within the limits of the settings; they start when first needed."""
    limits = DecodeLimits(
        max_duration_s=settings.max_duration_s,
        memory_bytes=settings.decode_memory_mb * MIB,
        cpu_s=settings.decode_cpu_s,
        wall_s=settings.decode_wall_s,
    )
    return DecoderPool(settings.decode_workers, limits)


def load_served_engine(settings: Settings) -> Engine:
    """Load the model that the settings name; `auto` means the best one on disk."""
    name = resolve(settings.model, settings.models_dir)
    return load_engine(name, models_dir=settings.models_dir, threads=settings.nn_service.threads)


@asynccontextmanager
async def open_recogniser(settings: Settings) -> AsyncIterator[Recogniser]:
    """Load the engine and open the queue; on the way out, finish what runs and free everything."""
    engine = await asyncio.to_thread(load_served_engine, settings)
    decoder = make_decoder(settings.audio)
    queue = RecognitionQueue(workers=settings.nn_service.worker_count, waiting_limit=settings.nn_service.queue_size)
    try:
        await asyncio.to_thread(decoder.start)
        transcriber = await asyncio.to_thread(make_transcriber, decoder, settings.nn_service)
        yield Recogniser(engine, transcriber, queue)
    finally:
        await asyncio.to_thread(queue.close)
        await asyncio.to_thread(decoder.close)
        engine.close()
