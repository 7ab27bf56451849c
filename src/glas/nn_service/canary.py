"""Try a candidate on a share of people while the champion answers all others."""

import threading
from dataclasses import dataclass

import structlog

from glas.domain.canary import chosen_buckets
from glas.domain.errors import GlasError, InvalidParameterError, ModelError, ModelFileMissingError, OverloadedError
from glas.engines.candidate import CANDIDATE, CandidateChoice, chosen_candidate, end_candidate
from glas.engines.catalogue import AUTO, uniform_on_disk
from glas.recognition import Job, Registry, require_able
from glas.settings import Settings

_log = structlog.stdlib.get_logger("glas.nn_service")


@dataclass(frozen=True)
class Tried:
    """A loaded candidate, and the people whose recordings it recognises.

    Attributes:
        model: uniform name of the candidate.
        version: version of the candidate's weights.
        choice: the administrator's choice: the candidate, the share of people whom it answers, and the share of
            messages for which it makes second hypotheses.
        buckets: the candidate answers people with these buckets, see `glas.domain.canary`.
    """

    model: str
    version: str
    choice: CandidateChoice
    buckets: frozenset[int]


class Canary:
    """Loads the chosen candidate, and decides which people it answers. Every method may be called from any thread.

    Args:
        settings: the settings; they contain the directory of models. A candidate is used only if GLAS_MODEL is `auto`.
        registry: the loaded models.
    """

    def __init__(self, settings: Settings, registry: Registry) -> None:
        self._settings = settings
        self._registry = registry
        self._lock = threading.Lock()
        self._seen: tuple[CandidateChoice | None, str] = (None, registry.default)
        self.tried: Tried | None = None

    def follow(self) -> None:
        """Load the chosen candidate, so that it answers its share of people.

        If the candidate cannot be loaded, the champion answers everybody. Later calls do not try to load the same
        candidate again.
        """
        with self._lock:
            self._follow()

    def take_back(self) -> None:
        """End the trial of the candidate on all servers that use the same directory of models.

        Running requests keep the candidate until they end.

        Raises:
            ModelError: the directory of models cannot be written.
        """
        end_candidate(self._settings.models_dir)
        self.follow()

    def _follow(self) -> None:
        is_auto = self._settings.model == AUTO
        choice = chosen_candidate(self._settings.models_dir) if is_auto else None
        seen = choice, self._registry.default
        if seen == self._seen:
            return
        self._seen, tried = seen, None
        try:
            tried = None if choice is None else self._loaded(choice)
        except GlasError as error:
            _log.error("the candidate cannot be tried", model=choice and choice.model, error=error.message)
        except Exception:  # noqa: BLE001 - logged; an error of one candidate must not end the following of others
            _log.exception("the candidate cannot be tried", model=choice and choice.model)
        _log.info("another candidate is tried" if tried else "no candidate is tried", model=tried and tried.model)
        self.tried = tried
        if tried is None:
            self._registry.forget(CANDIDATE)

    def _loaded(self, choice: CandidateChoice) -> Tried | None:
        """Load a candidate.

        If the candidate has become the champion, end the trial and return None.

        Raises:
            ModelError: the candidate is not on disk, or cannot be loaded.
            OverloadedError: the largest number of loaded models is reached.
        """
        name = uniform_on_disk(choice.model, self._settings.models_dir)
        if name is None:
            raise ModelFileMissingError(f"{choice.model} is not on disk")
        if name == self._registry.default:
            end_candidate(self._settings.models_dir)  # or a roll-back would start the trial again
            return None
        loaded = self._registry.swap(CANDIDATE, name)
        return Tried(name, loaded.version, choice, chosen_buckets(name, choice.share))

    def model_for(self, bucket: int | None) -> str | None:
        """Return the uniform name of the candidate if it answers people with this bucket; None if it does not."""
        tried = self.tried
        return tried.model if tried is not None and bucket in tried.buckets else None

    def usable(self, name: str, job: Job) -> str:
        """Return the candidate's name (`name`), or `auto` if the candidate cannot recognise the recording of a job.

        `auto` means that the default model recognises the recording. So a request succeeds even if there is no room in
        memory for the candidate, or if the candidate does not support an option of the request.

        Raises:
            GlasError: the errors of `Job.wait`.
        """
        try:
            with self._registry.lease(name, job) as model:
                require_able(model.engine, job.options)
        except (ModelError, OverloadedError, InvalidParameterError) as error:
            _log.warning("the candidate cannot answer, so the default model does", model=name, error=error.message)
            return AUTO
        return name
