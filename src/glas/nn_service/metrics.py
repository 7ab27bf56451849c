"""Metrics of nn_service for Prometheus.

Each app has a separate `CollectorRegistry`, so two apps in one process can use the same names.
"""

from collections.abc import Callable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from glas.domain.own_models import OwnModel
from glas.domain.transcription import Recognition

# Seconds: from a short message on a graphics card to two hours of sound on a small processor.
_SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 1200)

_OWN = "own"


class Metrics:
    """The metrics of nn_service: counters, times of work and of waiting, and the present load.

    Args:
        n_in_flight: returns the number of recordings that are being recognised or wait.
        n_loaded: returns the number of models in memory, without own models.
        n_own_loaded: returns the number of own models in memory.
        is_choice_served: returns whether the model that an administrator chose is the default model.
    """

    def __init__(
        self,
        *,
        n_in_flight: Callable[[], int],
        n_loaded: Callable[[], int],
        n_own_loaded: Callable[[], int],
        is_choice_served: Callable[[], bool],
    ) -> None:
        self._registry = CollectorRegistry()
        counter, histogram = partial(Counter, registry=self._registry), partial(Histogram, registry=self._registry)
        self._requests = counter(
            "glas_recognition_requests", "Finished requests by outcome: ok or an error's code", ["outcome"]
        )
        self._requests.labels("ok")
        self._recordings = counter(
            "glas_recognition_recordings",
            "Recordings recognised, by model and version of its weights; all own models count as `own`",
            ["model", "version"],
        )
        self._missed = counter(
            "glas_recognition_own_models_missed",
            "Recordings of people and chats with an own model that another model answered",
        )
        self._audio = counter("glas_recognition_audio_seconds", "Seconds of audio recognised")
        self._waiting = histogram(
            "glas_recognition_waiting_seconds",
            "Seconds that a recording waited: for a slot, a model or other recordings",
            buckets=_SECONDS,
        )
        self._processing = histogram(
            "glas_recognition_processing_seconds",
            "Seconds of work from bytes to text, without waiting",
            buckets=_SECONDS,
        )
        for name, text, value in (
            ("glas_recognition_requests_in_flight", "Requests that run or wait", n_in_flight),
            ("glas_recognition_models_loaded", "Models in memory, without own ones", n_loaded),
            ("glas_recognition_own_models_loaded", "Own models in memory", n_own_loaded),
            ("glas_recognition_choice_served", "1 if the model that was chosen serves, 0 if not", is_choice_served),
        ):
            Gauge(name, text, registry=self._registry).set_function(value)

    def succeeded(self, recognition: Recognition, own: OwnModel | None, *, elapsed_s: float) -> None:
        """Count a recording that was recognised.

        Args:
            recognition: the recognition of the recording.
            own: the own model that was requested. All own models are counted under one label, because there may be
                thousands of own models.
            elapsed_s: seconds since the recording was accepted.
        """
        self._requests.labels("ok").inc()
        heard = recognition.hypothesis
        if own is not None and heard.model_version == own.model.version:
            self._recordings.labels(_OWN, "").inc()
        else:
            self._recordings.labels(heard.model, heard.model_version or "").inc()
            if own is not None:
                self._missed.inc()
        self._audio.inc(heard.duration_s)
        self._waiting.observe(max(0.0, elapsed_s - recognition.processing_s))
        self._processing.observe(recognition.processing_s)

    def failed(self, code: str) -> None:
        """Count a request that was refused or has failed; each code of an error is counted separately."""
        self._requests.labels(code).inc()

    def render(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self._registry)
