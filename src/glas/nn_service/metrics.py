"""Metrics for Prometheus. Each app has its own registry, so that two apps in one process do not collide."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from glas.domain.transcription import Recognition
from glas.nn_service.queue import RecognitionQueue
from glas.recognition import Registry


class Metrics:
    """Counters of recognition."""

    def __init__(self, queue: RecognitionQueue, models: Registry) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "glas_recognitions",
            "Finished requests by outcome: ok or an error's code",
            ["outcome"],
            registry=self._registry,
        )
        self._recordings = Counter(
            "glas_recordings",
            "Recordings recognised, by model and version of its weights",
            ["model", "version"],
            registry=self._registry,
        )
        self._audio = Counter("glas_audio_seconds", "Seconds of audio recognised", registry=self._registry)
        self._processing = Histogram(
            "glas_processing_seconds",
            "Seconds of work from bytes to text, without waiting",
            buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300),
            registry=self._registry,
        )
        in_flight = Gauge("glas_recognitions_in_flight", "Requests that run or wait", registry=self._registry)
        in_flight.set_function(lambda: queue.in_flight)
        loaded = Gauge("glas_models_loaded", "Models in memory", registry=self._registry)
        loaded.set_function(lambda: len(models.loaded()))

    def succeeded(self, recognition: Recognition) -> None:
        """Count a finished recording."""
        self._requests.labels("ok").inc()
        heard = recognition.hypothesis
        self._recordings.labels(heard.model, heard.model_version or "").inc()
        self._audio.inc(heard.duration_s)
        self._processing.observe(recognition.processing_s)

    def failed(self, code: str) -> None:
        """Count a refusal or failure by its stable error code."""
        self._requests.labels(code).inc()

    def render(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self._registry)
