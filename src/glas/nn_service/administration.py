"""Change the default model and download models while the service runs.

A fetch is the download of a model. A fetch runs in a separate thread. So callers start a fetch without waiting for its
end, and read its progress later.
"""

import threading
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from glas.clients.nn_service_model_bodies import FetchState
from glas.domain.errors import ConflictError, GlasError, ModelError, NotFoundError
from glas.engines.catalogue import (
    AUTO,
    best_on_disk,
    champion,
    choose,
    is_on_disk,
    known_model,
    made_here,
    named_champion,
)
from glas.engines.fetch import fetch_model
from glas.recognition import Registry
from glas.settings import Settings

_log = structlog.stdlib.get_logger("glas.nn_service")

_END_WITHIN_S = 5.0


_RUNNING = frozenset({FetchState.FETCHING, FetchState.LOADING})


class _StoppedError(Exception):
    """A download was stopped by an administrator."""


@dataclass
class Fetch:
    """The progress of the download of one model; only the thread that downloads the model changes the attributes.

    Attributes:
        name: uniform name of the model.
        serve: whether the model becomes the default model after the download.
        state: whether the fetch runs, or how it has ended.
        sizes: for each file, the number of bytes that have arrived, and the size of the whole file in bytes.
        error: the reason why the fetch failed; None if it has not failed.
        is_kept: whether the model will also be the default model after a restart. None if it has not become the default
            model.
    """

    name: str
    serve: bool
    state: FetchState = FetchState.FETCHING
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    error: GlasError | None = None
    is_kept: bool | None = None
    wants_end: threading.Event = field(default_factory=threading.Event)

    @property
    def is_running(self) -> bool:
        """Whether the fetch has not ended: the model is being downloaded, or is being loaded afterwards."""
        return self.state in _RUNNING

    @property
    def done_bytes(self) -> int:
        """Number of bytes that have arrived, summed over all files."""
        return sum(done for done, _ in tuple(self.sizes.values()))

    @property
    def total_bytes(self) -> int:
        """Size of all files in bytes; 0 until the server that sends the files has reported their sizes."""
        return sum(total for _, total in tuple(self.sizes.values()))

    def note(self, file: str, done: int, total: int) -> None:
        """Store that `done` of the `total` bytes of a file have arrived.

        Raises:
            _StoppedError: an administrator has stopped the download.
        """
        self.sizes = {**self.sizes, file: (done, total)}
        if self.wants_end.is_set():
            raise _StoppedError


class Administration:
    """Downloads models and changes the default model. Every method may be called from any thread.

    Args:
        settings: the settings; they contain the directory of models and the name of the default model.
        registry: the loaded models.
    """

    def __init__(self, settings: Settings, registry: Registry) -> None:
        self._settings = settings
        self._registry = registry
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._fetch: Fetch | None = None
        self._choice = named_champion(settings.models_dir)  # the choice that was read last

    @property
    def models_dir(self) -> Path:
        """Directory that contains the models."""
        return self._settings.models_dir

    @property
    def fetch(self) -> Fetch | None:
        """Return the fetch that was started last, even if it has ended; None if none was started."""
        return self._fetch

    def find(self, name: str) -> str:
        """Return the uniform name of a model that may become the default model.

        Such a model is one that callers may name, or one that was trained on this machine.

        Raises:
            UnknownModelError: there is no such model.
        """
        return made_here(name, self._settings.models_dir) or self._registry.find(name)

    def is_choice_served(self) -> bool:
        """Return whether the model that an administrator chose (the champion) is the default model now.

        The result is also True if no model was chosen, and if GLAS_MODEL names a model, because then a choice has no
        effect.
        """
        directory = self._settings.models_dir
        if self._settings.model != AUTO or (named_champion(directory) or AUTO) == AUTO:
            return True
        return champion(directory) == self._registry.default

    def serve(self, name: str) -> bool:
        """Load a model and make it the default model; running requests keep the model with which they have begun.

        Returns:
            Whether the model will also be the default model after a restart. The result is True if GLAS_MODEL is `auto`
            and the choice could be stored.

        Raises:
            ModelError: the model cannot be loaded; the default model has not changed.
        """
        self._registry.swap(AUTO, name)
        try:
            choose(name, self._settings.models_dir)
        except ModelError as error:
            _log.warning("the choice of a model could not be stored", model=name, error=error.message)
            return False
        self._choice = named_champion(self._settings.models_dir)
        return self._settings.model == AUTO

    def follow(self) -> str | None:
        """Load the model that was chosen in another process, and make this model the default model.

        Do nothing if GLAS_MODEL names a model, or if the choice has not changed since the last call.

        If the chosen model cannot be loaded, the present default model stays. Later calls do not try to load the same
        model again.

        Returns:
            Uniform name of the new default model; None if the default model has not changed.
        """
        directory = self._settings.models_dir
        if self._settings.model != AUTO or (named := named_champion(directory)) == self._choice:
            return None
        self._choice = named
        try:
            chosen = best_on_disk(directory)
            if chosen == self._registry.default:
                return None
            _log.info("another model was chosen", model=chosen)
            self._registry.swap(AUTO, chosen)
        except GlasError as error:
            _log.error("the chosen model cannot be served", model=named, error=error.message)
            return None
        except Exception:  # noqa: BLE001 - logged; an error of one choice must not end the following of others
            # After a bug in the loading of this model, the model that is chosen next must still be loaded.
            _log.exception("the chosen model cannot be served", model=named)
            return None
        return chosen

    def start(self, name: str, *, serve: bool) -> Fetch:
        """Start the download of a model that Glas knows by name, and return the fetch.

        If a fetch of this model is running already, return that fetch.

        Raises:
            UnknownModelError: there is no model of that name.
            ConflictError: another model is being downloaded.
        """
        uniform = known_model(name).name
        with self._lock:
            running = self._fetch
            if running is not None and running.is_running:
                if running.name != uniform:
                    raise ConflictError(f"expected the download of {running.name} to end first")
                running.serve = running.serve or serve
                return running
            self._fetch = fetch = Fetch(uniform, serve)
            # A daemon: a source that does not answer must not keep the service from ending.
            self._thread = threading.Thread(target=self._download, args=(fetch,), name="fetch", daemon=True)
            self._thread.start()
            return fetch

    def stop(self, name: str) -> None:
        """Stop a download; the bytes that have arrived are kept for the next download.

        Raises:
            NotFoundError: no model of this name is being downloaded.
        """
        fetch = self._fetch
        if fetch is None or not fetch.is_running or fetch.name != known_model(name).name:
            raise NotFoundError(f"expected a model that is being downloaded, got {name!r}", param="name")
        fetch.wants_end.set()

    def close(self) -> None:
        """Stop the running download, if there is one."""
        if self._fetch is not None and self._thread is not None:
            self._fetch.wants_end.set()
            self._thread.join(_END_WITHIN_S)

    def _download(self, fetch: Fetch) -> None:
        try:
            if not is_on_disk(self._settings.models_dir, fetch.name):
                fetch_model(fetch.name, self._settings.models_dir, fetch.note)
            with self._lock:  # a request to serve the model comes either before this, or starts a new fetch
                fetch.state = FetchState.LOADING if fetch.serve else FetchState.DONE
            if fetch.serve:
                fetch.is_kept = self.serve(fetch.name)
                fetch.state = FetchState.DONE
        except _StoppedError:
            fetch.state = FetchState.STOPPED
        except GlasError as error:
            fetch.error = error
            fetch.state = FetchState.FAILED
        except Exception as error:
            # A bug. Without this state, callers would believe that the fetch still runs.
            fetch.error = ModelError(f"{fetch.name}: {type(error).__name__}")
            fetch.state = FetchState.FAILED
            raise
        _log.info("model fetched", model=fetch.name, state=fetch.state, error=fetch.error and fetch.error.message)
