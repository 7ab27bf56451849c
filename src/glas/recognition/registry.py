"""The registry of loaded models: loads, replaces and unloads models, and keeps a model loaded while it is used.

A model is loaded when it is first requested, and unloaded when it was not used for some time. Before code uses a
model, it gets a lease: the right to use the model until the lease ends. A model that is unloaded or replaced is closed
only after its last lease has ended, so no request fails.

The number of loaded models is limited (`most`). If a request needs a model beyond this limit, an unused one is unloaded
first. The default model is never unloaded for this purpose. If all other models are in use or still being loaded, the
request is refused. The method `swap` first loads the new model, and then unloads the old model, because the old model
is used for requests until the new model is loaded. So during a swap there may be one more model in memory.

The former default model is unloaded later than other models, so that an administrator can return to it without waiting
until it is loaded.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import structlog

from glas import tracing
from glas.domain.errors import OverloadedError
from glas.engines.catalogue import AUTO
from glas.recognition.job import Job, following
from glas.recognition.loaded import LoadedModel
from glas.recognition.loading import LoadEngine, ModelLoader
from glas.recognition.names import ModelNames

_log = structlog.stdlib.get_logger("glas.recognition")

_RETRY_S = 5.0


class Registry:
    """The loaded models. Every method may be called from any thread.

    Methods that load a model return only when the model is loaded.

    Args:
        names: finds the model that a name or an alias means.
        load: makes an engine from a uniform name.
        version_of: returns the version of the files on disk for a uniform name.
        most: largest number of loaded models.
        keep_alive_s: seconds after which an unused model without an alias is unloaded; 0 means never.
        keep_former_s: seconds after which the former default model is unloaded if it is not used. If `keep_alive_s` is
            longer, `keep_alive_s` applies instead.
    """

    def __init__(
        self,
        names: ModelNames,
        load: LoadEngine,
        *,
        version_of: Callable[[str], str],
        most: int = 3,
        keep_alive_s: float = 0,
        keep_former_s: float = 0,
    ) -> None:
        self._names = names
        self.loader = ModelLoader(load, version_of)
        self._most = most
        self._keep_alive_s = keep_alive_s
        self._keep_former_s = keep_former_s
        self._former: str | None = None
        self._lock = threading.Lock()
        # Only one swap runs at a time. So a slow swap cannot overwrite the result of a swap that was requested later.
        self._swapping = threading.Lock()
        self._loaded: dict[str, LoadedModel] = {}
        self._loading: dict[str, Future[None]] = {}

    @property
    def default(self) -> str:
        """Uniform name of the default model."""
        return self._names.default

    @property
    def keep_alive_s(self) -> float:
        """Seconds after which an unused model is unloaded; 0 means never."""
        return self._keep_alive_s

    def names(self) -> list[str]:
        """Return the uniform names of all models that callers may name, the default model first."""
        return self._names.known(self.loaded())

    def aliases_of(self, name: str) -> list[str]:
        """Return the aliases of the model with the uniform name `name`."""
        return self._names.aliases_of(name)

    def canonical(self, name: str) -> str:
        """Return the canonical name of the model that a caller means; see `ModelNames.canonical`."""
        return self._names.canonical(name, self.loaded())

    def find(self, name: str) -> str:
        """Return the uniform name of the model that a caller means; the errors are the same as those of `canonical`."""
        return self._names.target(self.canonical(name))

    def loaded(self) -> dict[str, LoadedModel]:
        """Return the loaded models by their uniform names."""
        with self._lock:
            return dict(self._loaded)

    @contextlib.contextmanager
    def lease(self, name: str, job: Job) -> Iterator[LoadedModel]:
        """Yield a model, and keep it loaded while the context is open. If the model is not in memory, load it first.

        Args:
            name: a canonical name; an alias is resolved now.
            job: the job that needs the model.

        Raises:
            ModelError: the model cannot be loaded.
            OverloadedError: the largest number of models is reached; all of them except the default model are in use or
                still being loaded.
            GlasError: the errors of `Job.wait`.
        """
        with tracing.span("nn_service", "lease a model"):
            model = self._acquire(name, job)
        try:
            yield model
        finally:
            self._release(model)

    def load(self, name: str, job: Job | None = None) -> None:
        """Load the model with a canonical name, if it is not loaded; the errors are the same as those of `lease`."""
        self._release(self._acquire(name, job or Job()))

    def swap(self, name: str, target: str | None = None) -> LoadedModel:
        """Load the weights of a model, then use them for requests with `name`.

        Requests that are running keep the old weights.

        If `name` is an alias, and the model is already in memory with the version that is on disk, the model is not
        loaded again.

        Args:
            name: an alias, which may be new and will stand for `target`; or the name of a model, whose files are then
                read again.
            target: uniform name of the model to load; None for the model that `name` means now.

        Raises:
            ConflictError: `name` is the name of a model, and `target` is another model.
            UnknownModelError: `name` is neither a model nor an alias, and cannot become an alias.
            ModelError: the new weights cannot be loaded; nothing has changed.
            OverloadedError: the limit of loaded models is too low to keep this model and the default model in memory.
        """
        with self._swapping:
            alias = self._names.alias(name, target)
            target = target or self._names.target(alias or self.canonical(name))
            if self._most < len({target, target if alias == AUTO else self.default}):
                raise OverloadedError(
                    f"expected room for {target} beside {self.default}; GLAS_NN_SERVICE__MAX_MODELS is {self._most}",
                    retry_after_s=_RETRY_S,
                )
            fresh = (self._current(target) if alias is not None else None) or self.loader.load(target)
            with self._lock:
                if alias == AUTO and target != self.default:
                    self._former = self.default
                if alias is not None:
                    self._names.set(alias, target)
                replaced = self._put(target, fresh)
        _log.info("model swapped", model=target, version=fresh.version, name=name)
        self._retire(*replaced)
        return fresh

    def forget(self, alias: str) -> None:
        """Remove an alias. Its model may then be unloaded, like other models, when it is not used for some time."""
        with self._lock:
            self._names.remove(alias)

    def unload(self, name: str) -> bool:
        """Unload the model with a uniform name, as soon as its last lease has ended.

        Returns:
            Whether the model was loaded.
        """
        with self._lock:
            model = self._loaded.pop(name, None)
        if model is not None:
            _log.info("model unloaded", model=name)
            self._retire(model)
        return model is not None

    def expires_in_s(self, name: str, model: LoadedModel) -> float | None:
        """Return the number of seconds after which a loaded model is unloaded, unless it is used before then.

        The result is None for a model that stays loaded: if it has an alias, if it is used, or if `keep_alive_s` is 0.
        """
        if not self._keep_alive_s or model.n_leases or self._names.aliases_of(name):
            return None
        least_s = self._keep_former_s if name == self._former else 0
        return model.used_at + max(self._keep_alive_s, least_s) - time.monotonic()

    def unload_idle(self) -> list[str]:
        """Unload the models that were not used for a certain time; see `expires_in_s`.

        Returns:
            The uniform names of the unloaded models.
        """
        left_s = {name: self.expires_in_s(name, model) for name, model in self.loaded().items()}
        return [name for name, left in left_s.items() if left is not None and left < 0 and self.unload(name)]

    def close(self) -> None:
        """Unload all models."""
        for name in list(self._loaded):
            self.unload(name)

    def _put(self, name: str, fresh: LoadedModel) -> list[LoadedModel]:
        """Put a model into the table of loaded models; return the models that this method removes from the table.

        The removed models are the model that had the same name, and further models if the table would contain too many.
        The caller must hold the lock, and must call `_retire` with the returned models.
        """
        old = [model for one, model in self._loaded.items() if one == name and model is not fresh]
        self._loaded[name] = fresh
        others = sorted((one for one in self._loaded if one not in (name, self.default)), key=self._worth)
        n_too_many = max(0, len(self._loaded) - self._most)
        return old + [self._loaded.pop(one) for one in others[:n_too_many]]

    def _acquire(self, name: str, job: Job) -> LoadedModel:
        while True:
            with self._lock:
                target = self._names.target(name)
                if (model := self._loaded.get(target)) is not None:
                    model.n_leases += 1
                    return model
                someone = self._loading.get(target)
                if someone is None:
                    replaced = self._make_room(target)
                    ours = self._loading[target] = Future()
                    break
            # Several jobs wait for the future of the same load. Each job waits for its own copy of this future, because
            # a job that ends cancels the future for which it waits.
            job.wait(following(someone))
        try:
            self._retire(*replaced)
            fresh = self.loader.load(target)
        except BaseException as error:
            with self._lock:
                del self._loading[target]
            ours.set_exception(error)
            raise
        with self._lock:
            del self._loading[target]
            # If a swap has loaded the model meanwhile, keep the model of the swap, because it read the files later.
            model = self._loaded.setdefault(target, fresh)
            model.n_leases += 1
        ours.set_result(None)
        if model is not fresh:
            fresh.free()
        return model

    def _release(self, model: LoadedModel) -> None:
        with self._lock:
            model.n_leases -= 1
            model.used_at = time.monotonic()
            is_last = model.is_retired and not model.n_leases
        if is_last:
            model.free()

    def _retire(self, *models: LoadedModel) -> None:
        """Close models that were removed from the table of loaded models, each as soon as its last lease has ended."""
        for model in models:
            with self._lock:
                model.is_retired = True
                is_last = not model.n_leases
            if is_last:
                model.free()

    def _make_room(self, name: str) -> list[LoadedModel]:
        """Remove unused models from the table, so that another model can be loaded; return the removed models.

        The caller must hold the lock.
        """
        n_too_many = len(self._loaded) + len(self._loading) + 1 - self._most
        if n_too_many <= 0:
            return []
        idle = [one for one, model in self._loaded.items() if not model.n_leases and one != self.default]
        if len(idle) < n_too_many:
            raise OverloadedError(
                f"{len(self._loaded)} models are loaded and in use, and {self._most} is the limit; {name} must wait",
                retry_after_s=_RETRY_S,
            )
        idle.sort(key=self._worth)
        return [self._loaded.pop(one) for one in idle[:n_too_many]]

    def _worth(self, name: str) -> tuple[bool, bool, bool, float]:
        """Return a key for sorting the loaded models; the models with the smallest keys are unloaded first."""
        model = self._loaded[name]
        return model.n_leases > 0, bool(self._names.aliases_of(name)), name == self._former, model.used_at

    def _current(self, name: str) -> LoadedModel | None:
        """Return the loaded model with the uniform name `name`.

        Return None if no such model is loaded, or if its files on disk have another version.
        """
        model = self.loaded().get(name)
        return model if model is not None and self.loader.is_current(model, name) else None
