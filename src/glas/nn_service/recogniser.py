"""The recogniser: a registry of models, a queue, a transcriber and a batcher, opened and closed together."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeAlias

import structlog

from glas.audio.decoder import DecoderPool
from glas.audio.limits import DecodeLimits
from glas.audio.segmentation import SegmentationOptions, VoiceActivityDetector
from glas.domain.decoding import DecodingOptions
from glas.domain.errors import GlasError, InvalidParameterError, ModelError, OverloadedError
from glas.domain.transcription import Recognition
from glas.domain.writing import Style
from glas.engines import Engine
from glas.engines.catalogue import is_on_disk, known_models, multilingual_on_disk, resolve
from glas.engines.load import load_engine
from glas.engines.onnx import CPU, CUDA
from glas.nn_service.administration import Administration
from glas.nn_service.batcher import Batcher
from glas.nn_service.job import Job
from glas.nn_service.lanes import Lane
from glas.nn_service.languages import AnotherLanguageError, FirstAttempt
from glas.nn_service.metrics import Metrics
from glas.nn_service.queue import RecognitionQueue
from glas.nn_service.registry import DEFAULT_NAMES, Registry
from glas.nn_service.transcribe import Step, Transcriber
from glas.settings import MIB, AudioSettings, Settings

_log = structlog.stdlib.get_logger("glas.nn_service")

LoadEngine: TypeAlias = Callable[[str], Engine]

_LOOK_AT_IDLE_S = 5.0


class Recogniser:
    """What the routes call. Made by `open_recogniser`."""

    def __init__(
        self,
        registry: Registry,
        transcriber: Transcriber,
        queue: RecognitionQueue,
        administration: Administration,
        *,
        multilingual: Callable[[], str | None] = lambda: None,
        deadline_s: float | None = None,
    ) -> None:
        self._transcriber = transcriber
        self._queue = queue
        self._multilingual = multilingual
        self._deadline_s = deadline_s
        self.registry = registry
        self.administration = administration
        self.metrics = Metrics(queue, registry)

    @property
    def in_flight(self) -> int:
        """Recordings that are being recognised or wait."""
        return self._queue.in_flight

    def submit(
        self,
        read: Callable[[], bytes],
        model: str,
        options: DecodingOptions,
        *,
        on_step: Callable[[Step], None] = lambda _step: None,
    ) -> tuple[Job, asyncio.Future[Recognition]]:
        """Begin a recording; see `Transcriber.transcribe`.

        Args:
            read: gives the whole file; called once, in another thread, when it is needed.
            model: what the caller wrote.
            options: what the caller asks of the engine.
            on_step: called from another thread.

        Returns:
            The job, to give it up if the caller goes away, and the text to come.

        Raises:
            UnknownModelError: no such model is served.
            InvalidParameterError: the model, which is loaded, cannot do what is asked for.
            OverloadedError: the queue is full.
        """
        job = Job(options, deadline_s=self._deadline_s)
        try:
            name = self._speaking(self.registry.find(model), model, options)
            if (loaded := self.registry.loaded().get(name)) is not None:
                require_able(loaded.engine, options)
            future = self._queue.submit(job, functools.partial(self._work, job, name, read, on_step))
        except GlasError as error:
            self.metrics.failed(error.code)
            raise
        future.add_done_callback(self._count)
        return job, future

    def _work(self, job: Job, name: str, read: Callable[[], bytes], on_step: Callable[[Step], None]) -> Recognition:
        data = read()
        with self.registry.lease(name, job) as engine:
            require_able(engine, job.options)
            attempt = FirstAttempt(on_step, other=functools.partial(self._other, engine))
            try:
                return self._transcriber.transcribe(
                    data, engine, job, on_step=attempt.on_step, on_foreign=attempt.on_foreign
                )
            except AnotherLanguageError as error:
                another = error
            guess = job.options
            job.options = guess.model_copy(update={"language": another.language, "checks_language": False})
            try:
                with self.registry.lease(another.model, job) as other:
                    require_able(other, job.options)
                    return self._transcriber.transcribe(data, other, job, on_step=on_step)
            except (ModelError, OverloadedError) as error:
                _log.warning("the model for another language cannot be used", model=another.model, error=error.message)
            job.options = guess
            return self._transcriber.transcribe(data, engine, job, on_step=on_step)

    def _speaking(self, name: str, asked: str, options: DecodingOptions) -> str:
        """The default model, unless it does not know the language that was named and another one on disk does."""
        loaded = self.registry.loaded().get(name)
        if asked not in DEFAULT_NAMES or options.language is None or loaded is None:
            return name
        return name if options.language in loaded.engine.abilities.languages else self._multilingual() or name

    def _other(self, engine: Engine, language: str) -> str | None:
        """Uniform name of a model that writes a language which `engine` was not asked to write."""
        return engine.name if language in engine.abilities.languages else self._multilingual()

    def _count(self, future: asyncio.Future[Recognition]) -> None:
        if future.cancelled():
            self.metrics.failed("abandoned")
        elif (error := future.exception()) is None:
            self.metrics.succeeded(future.result())
        else:
            self.metrics.failed(error.code if isinstance(error, GlasError) else GlasError.code)


def require_able(engine: Engine, options: DecodingOptions) -> None:
    """Refuse what a model cannot do.

    Raises:
        InvalidParameterError: another language, or a translation by a model that makes none.
    """
    abilities = engine.abilities
    if options.task == "translate" and not abilities.translates:
        raise InvalidParameterError(
            f"expected a model that translates (a multilingual Whisper), got {engine.name}, which only writes down "
            "what is said",
            param="model",
        )
    if options.language is not None and options.language not in abilities.languages:
        known = ", ".join(sorted(abilities.languages))
        raise InvalidParameterError(
            f"expected a language of {engine.name} ({known}), got {options.language!r}", param="language"
        )


@contextmanager
def open_transcriber(settings: Settings) -> Iterator[Transcriber]:
    """Batcher, lanes and decoders, within the limits of the settings; decoders start when first needed."""
    nn, audio = settings.nn_service, settings.audio
    n_long = nn.worker_count
    with contextlib.ExitStack() as stack:
        batcher = Batcher(nn.worker_count)
        stack.callback(batcher.close)
        # Closed first: whatever is still being decoded then ends, and with it what it would hand in.
        decoder = DecoderPool(audio.decode_workers + n_long, make_limits(audio))
        stack.callback(decoder.close)
        decoder.start()
        yield Transcriber(
            decoder,
            VoiceActivityDetector(),
            SegmentationOptions(threshold=nn.vad_threshold),
            batcher,
            messages=Lane(audio.decode_workers),
            long=Lane(n_long),
            style=Style(sentences=nn.sentences, digits=nn.digits),
        )


def make_limits(settings: AudioSettings) -> DecodeLimits:
    """What decoding one file may cost."""
    return DecodeLimits(
        max_duration_s=settings.max_duration_s,
        memory_bytes=settings.decode_memory_mb * MIB,
        cpu_s=settings.decode_cpu_s,
        wall_s=settings.decode_wall_s,
    )


def make_registry(settings: Settings, load: LoadEngine | None = None) -> Registry:
    """A registry of what lies on disk, with nothing loaded yet.

    Raises:
        UnknownModelError: GLAS_MODEL names no model.
    """
    nn, models_dir = settings.nn_service, settings.models_dir

    def from_disk(name: str) -> Engine:
        # One worker more: see the batcher.
        return load_engine(
            name,
            models_dir=models_dir,
            threads=nn.threads,
            workers=nn.worker_count + 1,
            beam_size=nn.beam_size,
            providers=(CUDA, CPU) if nn.device == "cuda" else (CPU,),
            precision=None if nn.precision == "auto" else nn.precision,
        )

    def available() -> list[str]:
        return [model.name for model in known_models() if is_on_disk(models_dir, model.name)]

    return Registry(
        load or from_disk,
        functools.partial(resolve, models_dir=models_dir),
        default=resolve(settings.model, models_dir),
        available=available,
        most=nn.max_models,
        keep_alive_s=nn.keep_alive_s,
    )


@asynccontextmanager
async def open_recogniser(settings: Settings, load: LoadEngine | None = None) -> AsyncIterator[Recogniser]:
    """Load the default model and open the queue; on the way out, finish what runs and free everything."""
    registry = make_registry(settings, load)
    nn = settings.nn_service
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, registry.close)
        await asyncio.to_thread(registry.load, registry.default)
        opened = open_transcriber(settings)
        transcriber = await asyncio.to_thread(opened.__enter__)
        stack.push_async_callback(asyncio.to_thread, opened.__exit__, None, None, None)
        queue = RecognitionQueue(workers=nn.worker_count, waiting_limit=nn.queue_size)
        stack.push_async_callback(asyncio.to_thread, queue.close)
        tidying = asyncio.create_task(_tidy(registry))
        stack.callback(tidying.cancel)
        administration = Administration(settings, registry)
        stack.push_async_callback(asyncio.to_thread, administration.close)
        yield Recogniser(
            registry,
            transcriber,
            queue,
            administration,
            multilingual=functools.partial(multilingual_on_disk, settings.models_dir),
            deadline_s=nn.deadline_s or None,
        )


async def _tidy(registry: Registry) -> None:
    """Unload what nobody uses, again and again."""
    while True:
        await asyncio.sleep(min(_LOOK_AT_IDLE_S, registry.keep_alive_s or _LOOK_AT_IDLE_S))
        await asyncio.to_thread(registry.unload_idle)
