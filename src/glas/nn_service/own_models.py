"""Own models in memory: models that answer one person or one chat instead of the default model.

The caller names the own model for a recording; nn_service does not store to whom an own model belongs. A recording
never waits for an own model. If the own model is not in memory, another thread loads it, and the default model answers
until the own model is loaded. An own model is used only while the default model has the version with which the own
model was compared.
"""

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

import structlog

from glas.domain.decoding import DecodingOptions
from glas.domain.errors import GlasError, InvalidParameterError, ModelFileMissingError
from glas.domain.own_models import OwnModel
from glas.engines.catalogue import AUTO, made_here
from glas.recognition import LoadedModel, Registry, require_able
from glas.settings import Settings

STAY_S = 30.0
"""Seconds after its last use for which an own model is not unloaded to make room for another own model.

Otherwise, models would be loaded and unloaded all the time when several people send recordings in turn.
"""

_TRY_AGAIN_S: Final = 60.0  # until another attempt to load a model that could not be loaded

_log = structlog.stdlib.get_logger("glas.nn_service")


class OwnModels:
    """The own models in memory; every method may be called from any thread.

    Args:
        settings: the settings; they contain the directory of models, and the largest number of own models in memory.
            Own models answer only if GLAS_MODEL is `auto`, because an administrator who names a model wants only this
            model to answer.
        registry: loads the own models. The default model of the registry answers if an own model is not available.
    """

    def __init__(self, settings: Settings, registry: Registry) -> None:
        self._models_dir = settings.models_dir
        self._most = settings.nn_service.max_own_models if settings.model == AUTO else 0
        self._keep_alive_s = settings.nn_service.keep_alive_s
        self._registry = registry
        self._lock = threading.Lock()
        self._loaded: OrderedDict[OwnModel, LoadedModel] = OrderedDict()  # in the order of their last use
        self._wanted: OwnModel | None = None
        self._unusable: dict[str, float] = {}  # version: monotonic time before which it is not loaded

    @property
    def n_loaded(self) -> int:
        """Number of own models in memory."""
        return len(self._loaded)

    @contextlib.contextmanager
    def lease(self, own: OwnModel | None, options: DecodingOptions) -> Iterator[LoadedModel | None]:
        """Yield an own model, and keep it loaded while the context is open.

        If the own model cannot answer now, yield None. If the only reason is that the own model is not loaded, `follow`
        is requested to load the own model, which can then answer later requests.
        """
        model = self._take(own, options)
        try:
            yield model
        finally:
            if model is not None:
                with self._lock:
                    model.n_leases -= 1
                    model.used_at = time.monotonic()

    def answering(self, own: OwnModel | None) -> LoadedModel | None:
        """Return an own model if it can answer now; otherwise return None.

        If the own model is not loaded, `follow` is requested to load it.
        """
        with self._lock:
            return self._find(own)

    def follow(self) -> None:
        """Unload own models that are no longer needed, and load the own model that was requested last.

        Only one thread may call this method.
        """
        self._unload_stale()
        with self._lock:
            wanted, self._wanted = self._wanted, None
        if wanted is None or wanted in self._loaded:  # a model that was requested again while it was being loaded
            return
        if self._unusable.get(wanted.model.version, 0) > time.monotonic() or not self._make_room():
            return
        try:
            model = self._read(wanted)
        except GlasError as error:
            _log.error("an own model cannot be loaded", version=wanted.model.version, error=error.message)
        except Exception:  # noqa: BLE001 - logged; an error of one model must not end the loading of others
            _log.exception("an own model cannot be loaded", version=wanted.model.version)
        else:
            with self._lock:
                self._loaded[wanted] = model
            return
        now = time.monotonic()
        self._unusable = {version: until for version, until in self._unusable.items() if until > now}
        self._unusable[wanted.model.version] = now + _TRY_AGAIN_S

    def close(self) -> None:
        """Unload all own models."""
        with self._lock:
            models = list(self._loaded.values())
            self._loaded.clear()
        for model in models:
            model.free()

    def _take(self, own: OwnModel | None, options: DecodingOptions) -> LoadedModel | None:
        with self._lock, contextlib.suppress(InvalidParameterError):
            model = self._find(own)
            if own is None or model is None:
                return None
            require_able(model.engine, options)
            self._loaded.move_to_end(own)
            model.n_leases += 1
            return model
        return None  # the model does not support an option

    def _find(self, own: OwnModel | None) -> LoadedModel | None:
        """Return an own model if it can answer now; otherwise return None.

        If the only reason is that the own model is not loaded, request that `follow` loads it.

        The caller must hold the lock.
        """
        if own is None or own.instead_of != self._default_version():
            return None
        if own not in self._loaded:
            self._wanted = own
        return self._loaded.get(own)

    def _default_version(self) -> str | None:
        model = self._registry.loaded().get(self._registry.default)
        return None if model is None else model.version

    def _unload_stale(self) -> None:
        """Unload own models that were not used for a long time, or whose files were deleted.

        Own models that were compared with a former champion are also unloaded. A model in use is not unloaded.
        """
        default, now = self._default_version(), time.monotonic()
        with self._lock:
            stale = [
                own
                for own, model in self._loaded.items()
                if not model.n_leases
                and (
                    own.instead_of != default
                    or 0 < self._keep_alive_s < now - model.used_at
                    or made_here(own.model.name, self._models_dir) is None
                )
            ]
            models = [self._loaded.pop(own) for own in stale]
        for model in models:
            model.free()

    def _make_room(self) -> bool:
        """Make room for another own model; return whether there is room.

        If too many own models are loaded, the own model that was not used for the longest time is unloaded.

        A model that is in use, or was used within the last `STAY_S` seconds, is not unloaded. If no model can be
        unloaded, there is no room, and the default model answers.
        """
        with self._lock:
            if len(self._loaded) < self._most:
                return True
            idle = [own for own, model in self._loaded.items() if not model.n_leases]
            if not idle or time.monotonic() - self._loaded[idle[0]].used_at < STAY_S:
                return False
            model = self._loaded.pop(idle[0])
        model.free()
        return True

    def _read(self, own: OwnModel) -> LoadedModel:
        """Load an own model.

        Raises:
            ModelError: the model does not exist, has another version, or is damaged.
        """
        name = made_here(own.model.name, self._models_dir)
        if name is None:
            raise ModelFileMissingError("expected a model in the directory of models, got none of this name")
        return self._registry.loader.load(name, own.model.version)
