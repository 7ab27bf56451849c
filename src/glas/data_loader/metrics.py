"""Metrics for Prometheus. Each app has its own registry, so that two apps in one process do not collide."""

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from glas.clients.data_loader import ExportReport


class Metrics:
    """Counters of stored objects, of lost ones, and of exports."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        stored, exports = "glas_objects_stored", "glas_exports"
        self._objects = Counter(stored, "Objects that were stored and read back", ["kind"], registry=self._registry)
        self._bytes = Counter("glas_object_bytes_stored", "Bytes of these", ["kind"], registry=self._registry)
        self._lost = Counter("glas_objects_lost", "Objects found missing or damaged", registry=self._registry)
        self._exports = Counter(
            exports, "Exports by outcome: ok or an error's code", ["outcome"], registry=self._registry
        )
        self._exported = {
            name: Gauge(f"glas_export_{name}", text, registry=self._registry)
            for name, text in (
                ("messages", "Messages in the export since its last run"),
                ("references", "Those of them with a person's own words"),
                ("audio_seconds", "Seconds of exported audio"),
                ("failed", "Messages whose original is missing, damaged or does not decode"),
                ("last_success_seconds", "Unix time at which an export last succeeded"),
            )
        }

    def stored(self, kind: str, size_bytes: int) -> None:
        """Count a stored object; `kind` is `audio`, `transcription` or `recognition`."""
        self._objects.labels(kind).inc()
        self._bytes.labels(kind).inc(size_bytes)

    def lost(self, n_objects: int) -> None:
        """Count the objects that a search has found lost."""
        self._lost.inc(n_objects)

    def exported(self, report: ExportReport) -> None:
        """Record the result of an export."""
        self._exports.labels("ok").inc()
        for name, value in (
            ("messages", report.n_messages),
            ("references", report.n_references),
            ("audio_seconds", report.audio_s),
            ("failed", report.n_failed),
        ):
            self._exported[name].set(value)
        self._exported["last_success_seconds"].set_to_current_time()

    def export_failed(self, code: str) -> None:
        """Count an export that failed, by its stable error code."""
        self._exports.labels(code).inc()

    def render(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self._registry)
