"""The recogniser as a service with a limited queue, a time limit for each recording, metrics, and changes of models."""

import asyncio
import contextlib
import functools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from glas.domain.decoding import DecodingOptions
from glas.domain.errors import GlasError, ModelError
from glas.domain.own_models import OwnModel
from glas.domain.transcription import Recognition
from glas.engines.catalogue import AUTO
from glas.nn_service.administration import Administration
from glas.nn_service.canary import Canary
from glas.nn_service.following import ChoiceFollower
from glas.nn_service.idle import IdleWork
from glas.nn_service.metrics import Metrics
from glas.nn_service.own_models import OwnModels
from glas.nn_service.queue import RecognitionQueue
from glas.nn_service.stored_models import StoredModels
from glas.recognition import Job, LoadEngine, Progress, Recogniser, Registry, open_recogniser
from glas.settings import Settings

_LOOK_AT_IDLE_S = 5.0


class RecognitionService:
    """The functions that the routes call; `open_service` makes the object.

    Args:
        recogniser: turns recordings into text.
        queue: limits the number of recordings in the service.
        administration: downloads models and changes the default model.
        canary: lets a candidate answer a share of people.
        own_models: models that answer single persons and chats.
        deadline_s: seconds after the call of `submit` at which a recognition is stopped if it has not ended. None means
            that there is no limit.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        queue: RecognitionQueue,
        administration: Administration,
        canary: Canary,
        own_models: OwnModels,
        *,
        deadline_s: float | None = None,
    ) -> None:
        self._recogniser = recogniser
        self._queue = queue
        self._deadline_s = deadline_s
        self._idle_work = IdleWork()
        self.registry: Registry = recogniser.registry
        self.administration = administration
        self.canary = canary
        self.own_models = own_models
        self.metrics = Metrics(
            n_in_flight=lambda: queue.in_flight,
            n_loaded=lambda: len(recogniser.registry.loaded()),
            n_own_loaded=lambda: own_models.n_loaded,
            is_choice_served=administration.is_choice_served,
        )

    @property
    def in_flight(self) -> int:
        """Number of recordings that are being recognised or wait; the recording of `IdleWork` is not counted."""
        return self._queue.in_flight

    def require_ready(self) -> None:
        """Raise an error if a recording that arrives now would be refused.

        Raises:
            ServiceStoppingError: the service is stopping.
            OverloadedError: the queue is full.
            ModelError: the default model is not in memory.
        """
        # Check the queue first. A service that is stopping unloads its models, but its error must be that it stops.
        self._queue.require_place()
        if self.registry.default not in self.registry.loaded():
            raise ModelError(f"{self.registry.default} is not in memory")

    def submit(
        self,
        read: Callable[[], bytes],
        model: str,
        options: DecodingOptions,
        *,
        bucket: int | None = None,
        own: OwnModel | None = None,
        when_idle: bool = False,
        on_progress: Callable[[Progress], None] = lambda _progress: None,
    ) -> tuple[Job, asyncio.Future[Recognition]]:
        """Start the recognition of a recording; see `Recogniser.transcribe`.

        Args:
            read: function that reads the whole file; it is called once, in another thread.
            model: name of the model, as the caller wrote it.
            options: options of recognition.
            bucket: the bucket (0 to 99) of the person who sent the recording, see `glas.domain.canary`. For some
                buckets, the candidate answers instead of the default model.
            own: the own model of the person or chat from which the recording comes. If this model is available, it
                answers instead of the default model. None if there is no own model.
            when_idle: whether to recognise the recording only while no other request waits for a text.
            on_progress: function that is called with the progress, in another thread.

        Returns:
            The job, with which the caller can end the recognition early, and a future for the recognition.

        Raises:
            UnknownModelError: there is no such model.
            InvalidParameterError: the model is loaded and does not support the options.
            OverloadedError: the queue is full; or `when_idle` is set, and the service has other work.
        """
        job = Job(options, deadline_s=self._deadline_s)
        try:
            name = self._recogniser.choose(model, options)
            own = own if name == AUTO else None
            tried = self.canary.model_for(bucket) if name == AUTO else None
            work = functools.partial(self._recognise, job, name, own, tried, read, on_progress=on_progress)
            future = self._submit_idle(job, work) if when_idle else self._submit(job, work)
        except GlasError as error:
            if not when_idle:
                self.metrics.failed(error.code)
            raise
        future.add_done_callback(functools.partial(self._count, time.monotonic(), own, when_idle))
        return job, future

    def _submit(self, job: Job, work: Callable[[], Recognition]) -> asyncio.Future[Recognition]:
        self._idle_work.make_way()
        return self._queue.submit(job, work)

    def _submit_idle(self, job: Job, work: Callable[[], Recognition]) -> asyncio.Future[Recognition]:
        """Start a recognition that is stopped when any other request arrives (idle work)."""
        self._idle_work.begin(job, self._queue.in_flight)
        try:
            future = self._queue.submit(job, work, is_idle_work=True)
        except GlasError:
            self._idle_work.end(job)
            raise
        future.add_done_callback(lambda _future: self._idle_work.end(job))
        return future

    def _recognise(
        self,
        job: Job,
        name: str,
        own: OwnModel | None,
        tried: str | None,
        read: Callable[[], bytes],
        *,
        on_progress: Callable[[Progress], None],
    ) -> Recognition:
        """Recognise a recording with the own model, with the candidate, or with the named model.

        The own model is used if it can answer now. Otherwise, the candidate `tried` is used, if it is given and can
        answer. Otherwise, the model `name` is used.
        """
        data = read()
        with self.own_models.lease(own, job.options) as model:
            if model is not None:
                return self._recogniser.run_with(job, model, data, on_progress=on_progress)
        name = name if tried is None else self.canary.usable(tried, job)
        return self._recogniser.run(job, name, data, on_progress=on_progress)

    def _count(
        self,
        accepted_s: float,
        own: OwnModel | None,
        when_idle: bool,  # noqa: FBT001
        future: asyncio.Future[Recognition],
    ) -> None:
        if when_idle and (future.cancelled() or future.exception() is not None):
            return  # the idle work was stopped for another request, which is not a failure
        if future.cancelled():
            self.metrics.failed("abandoned")
        elif (error := future.exception()) is None:
            self.metrics.succeeded(future.result(), own, elapsed_s=time.monotonic() - accepted_s)
        else:
            self.metrics.failed(error.code if isinstance(error, GlasError) else GlasError.code)


@asynccontextmanager
async def open_service(settings: Settings, load: LoadEngine | None = None) -> AsyncIterator[RecognitionService]:
    """Load the default model and open the queue.

    At the end of the context, the accepted recordings are finished, and the models are unloaded.

    Args:
        settings: the whole configuration.
        load: function that makes an engine from a model's uniform name; with None, engines are made from the files on
            disk.
    """
    nn = settings.nn_service
    async with contextlib.AsyncExitStack() as stack:
        opened = open_recogniser(settings, load)
        recogniser = await asyncio.to_thread(opened.__enter__)
        stack.push_async_callback(asyncio.to_thread, opened.__exit__, None, None, None)
        queue = RecognitionQueue(workers=nn.worker_count, waiting_limit=nn.queue_size)
        stack.push_async_callback(asyncio.to_thread, queue.close)
        unloading = asyncio.create_task(_unload_idle(recogniser.registry))
        stack.callback(unloading.cancel)
        administration = Administration(settings, recogniser.registry)
        stack.push_async_callback(asyncio.to_thread, administration.close)
        canary = Canary(settings, recogniser.registry)
        own_models = OwnModels(settings, recogniser.registry)
        stack.push_async_callback(asyncio.to_thread, own_models.close)
        follower = ChoiceFollower(administration, canary, own_models, StoredModels(settings))
        stack.push_async_callback(asyncio.to_thread, follower.close)
        yield RecognitionService(
            recogniser, queue, administration, canary, own_models, deadline_s=nn.deadline_s or None
        )


async def _unload_idle(registry: Registry) -> None:
    """Unload models that were not used for some time. Repeat this at intervals, until the task is cancelled."""
    while True:
        await asyncio.sleep(min(_LOOK_AT_IDLE_S, registry.keep_alive_s or _LOOK_AT_IDLE_S))
        await asyncio.to_thread(registry.unload_idle)
