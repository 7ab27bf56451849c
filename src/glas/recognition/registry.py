"""The registry: which models are loaded, which can be, and which one a name means.

A model is loaded when it is first asked for and unloaded when nobody has asked for it for a while. Whoever uses one
holds a lease; a model that was unloaded or replaced meanwhile keeps working for those who hold it and is closed after
the last of them, so that no request is refused or fails because of it.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from typing import TypeAlias

import structlog

from glas.domain.errors import OverloadedError, UnknownModelError
from glas.engines import Engine
from glas.recognition.job import Job
from glas.recognition.loaded import LoadedModel, resident_bytes

_log = structlog.stdlib.get_logger("glas.recognition")

LoadEngine: TypeAlias = Callable[[str], Engine]

# The default model's names. Clients written for OpenAI must name a model of OpenAI's.
DEFAULT_NAMES = ("auto", "", "whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe")
_RETRY_S = 5.0


class Registry:
    """Loaded models by name. Every method may be called from any thread; what loads blocks.

    Args:
        load: makes an engine out of a uniform name.
        resolve: makes a uniform name out of what callers write.
        default: uniform name of the model that `DEFAULT_NAMES` mean.
        available: uniform names of what lies on disk.
        most: models loaded at once; the one that was not used for longest makes room.
        keep_alive_s: seconds after which an unused model is unloaded, save the default one; 0: never.
    """

    def __init__(
        self,
        load: LoadEngine,
        resolve: Callable[[str], str],
        *,
        default: str,
        available: Callable[[], Collection[str]],
        most: int = 3,
        keep_alive_s: float = 0,
    ) -> None:
        self._load = load
        self._resolve = resolve
        self._available = available
        self._most = most
        self._keep_alive_s = keep_alive_s
        self._lock = threading.Lock()
        self._aliases = dict.fromkeys(DEFAULT_NAMES, default)
        self._loaded: dict[str, LoadedModel] = {}
        self._loading: dict[str, Future[None]] = {}

    @property
    def default(self) -> str:
        """Uniform name of the model that is served unless another is named."""
        return self._aliases[DEFAULT_NAMES[0]]

    @property
    def keep_alive_s(self) -> float:
        """Seconds after which an unused model is unloaded; 0: never."""
        return self._keep_alive_s

    def names(self) -> list[str]:
        """Uniform names of all that can be asked for, the default first."""
        return list(dict.fromkeys([self.default, *self._loaded, *self._available()]))

    def loaded(self) -> dict[str, LoadedModel]:
        """What is in memory, by uniform name."""
        with self._lock:
            return dict(self._loaded)

    def find(self, name: str) -> str:
        """The uniform name of what a caller asks for.

        Raises:
            UnknownModelError: it is not served: no such model, or it is not on disk.
        """
        if name in self._aliases:
            return self._aliases[name]
        names = self.names()
        with contextlib.suppress(UnknownModelError):
            if (uniform := self._resolve(name)) in names:
                return uniform
        raise UnknownModelError(
            f"expected a model that is served here ({', '.join(names)}, or 'auto'), got {name!r}; "
            "more of them: `glas models`, `glas models get NAME`",
            param="model",
        )

    @contextlib.contextmanager
    def lease(self, name: str, job: Job) -> Iterator[Engine]:
        """The engine of a uniform name, for as long as it is needed; it is loaded first if it must be.

        Raises:
            ModelError: it cannot be loaded.
            OverloadedError: there is no room for another model.
            GlasError: what `Job.wait` raises.
        """
        model = self._acquire(name, job)
        try:
            yield model.engine
        finally:
            self._release(model)

    def load(self, name: str, job: Job | None = None) -> None:
        """Bring a model, by its uniform name, into memory, if it is not there. Raises what `lease` raises."""
        self._release(self._acquire(name, job or Job()))

    def swap(self, name: str, target: str | None = None) -> LoadedModel:
        """Load weights anew, and only then let them serve a name; requests that run keep what they began with.

        Args:
            name: one of `DEFAULT_NAMES`, to change the default; or a uniform name, to read its files again.
            target: uniform name of the new weights; None: those that the name means now.

        Raises:
            ModelError: the new weights cannot be loaded; everything stays as it was.
        """
        target = target or self._aliases.get(name, name)
        fresh = self._measured(target)
        with self._lock:
            old = self._loaded.get(target)
            self._loaded[target] = fresh
            if name in DEFAULT_NAMES:
                self._aliases |= dict.fromkeys(DEFAULT_NAMES, target)
        _log.info("model swapped", model=target, name=name)
        if old is not None:
            self._retire(old)
        return fresh

    def put(self, engine: Engine) -> None:
        """Serve an engine, which the caller has loaded, under its name."""
        with self._lock:
            old = self._loaded.get(engine.name)
            self._loaded[engine.name] = LoadedModel(engine)
        if old is not None:
            self._retire(old)

    def unload(self, name: str) -> bool:
        """Let a model go, by its uniform name, as soon as nobody uses it.

        Returns:
            Whether it was loaded.
        """
        with self._lock:
            model = self._loaded.pop(name, None)
        if model is not None:
            _log.info("model unloaded", model=name)
            self._retire(model)
        return model is not None

    def unload_idle(self) -> list[str]:
        """Let go what nobody has asked for in a while.

        Returns:
            The uniform names of what went.
        """
        if not self._keep_alive_s:
            return []
        limit = time.monotonic() - self._keep_alive_s
        idle = [
            name
            for name, model in self.loaded().items()
            if name != self.default and not model.n_leases and model.used_at < limit
        ]
        return [name for name in idle if self.unload(name)]

    def close(self) -> None:
        """Close everything."""
        for name in list(self._loaded):
            self.unload(name)

    def _acquire(self, name: str, job: Job) -> LoadedModel:
        while True:
            with self._lock:
                if (model := self._loaded.get(name)) is not None:
                    model.n_leases += 1
                    return model
                someone = self._loading.get(name)
                if someone is None:
                    ours = self._loading[name] = Future()
                    break
            # Cancelling the one future for which all wait would be noticed by the others: each waits for its own.
            job.wait(_following(someone))
        try:
            self._make_room(name)
            fresh = self._measured(name)
        except BaseException as error:
            with self._lock:
                del self._loading[name]
            ours.set_exception(error)
            raise
        with self._lock:
            del self._loading[name]
            fresh.n_leases += 1
            self._loaded[name] = fresh
        ours.set_result(None)
        return fresh

    def _release(self, model: LoadedModel) -> None:
        with self._lock:
            model.n_leases -= 1
            model.used_at = time.monotonic()
            is_last = model.is_retired and not model.n_leases
        if is_last:
            model.free()

    def _retire(self, model: LoadedModel) -> None:
        with self._lock:
            model.is_retired = True
            is_last = not model.n_leases
        if is_last:
            model.free()

    def _make_room(self, name: str) -> None:
        loaded = self.loaded()
        if len(loaded) < self._most:
            return
        idle = [one for one, model in loaded.items() if not model.n_leases and one != self.default]
        if not idle:
            raise OverloadedError(
                f"{len(loaded)} models are loaded and in use, and {self._most} is the limit; {name} must wait",
                retry_after_s=_RETRY_S,
            )
        self.unload(min(idle, key=lambda one: loaded[one].used_at))

    def _measured(self, name: str) -> LoadedModel:
        before = resident_bytes()
        began = time.monotonic()
        engine = self._load(name)
        after = resident_bytes()
        grown = None if before is None or after is None else max(0, after - before)
        _log.info("model loaded", model=name, seconds=round(time.monotonic() - began, 3))
        return LoadedModel(engine, grown)


def _following(other: Future[None]) -> Future[None]:
    mine: Future[None] = Future()

    def follow(done: Future[None]) -> None:
        if not mine.set_running_or_notify_cancel():
            return
        if (error := done.exception()) is not None:
            mine.set_exception(error)
        else:
            mine.set_result(None)

    other.add_done_callback(follow)
    return mine
