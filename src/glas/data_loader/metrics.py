"""Count and measure what data_loader does, as metrics for Prometheus.

Each app has a separate registry of the library prometheus_client, because two apps in one process cannot register the
same metric in one registry.
"""

import shutil
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from glas.clients.data_loader_bodies import ExportReport

_KINDS = ("audio", "transcription", "recognition")


class Metrics:
    """Counters of stored objects, of lost objects and of exports, and the free space of disks.

    Args:
        directories: directories whose disks are measured. Each key is the value of the label `directory` in the
            metrics.
        interval_s: seconds between two exports; 0 if no exports are scheduled.
        exported_before_s: Unix time at which an export last succeeded before the program started; None if this time is
            not known.
    """

    def __init__(
        self, directories: Mapping[str, Path], *, interval_s: float = 0, exported_before_s: float | None = None
    ) -> None:
        self._registry = registry = CollectorRegistry()
        self._objects = Counter(
            "glas_store_written_objects", "Objects that were stored and read back", ["kind"], registry=registry
        )
        self._bytes = Counter("glas_store_written_bytes", "Bytes of these", ["kind"], registry=registry)
        self._lost = Counter("glas_store_lost_objects", "Objects found missing or damaged", registry=registry)
        self._exports = Counter(
            "glas_export_runs", "Exports by outcome: ok or an error's code", ["outcome"], registry=registry
        )
        for kind in _KINDS:
            self._objects.labels(kind)
            self._bytes.labels(kind)
        self._exports.labels("ok")
        self._exported = {
            name: Gauge(f"glas_export_{name}", text, registry=registry)
            for name, text in (
                ("messages", "Messages in the export since its last run"),
                ("referenced_messages", "Those of them with a person's own words"),
                ("audio_seconds", "Seconds of exported audio"),
                ("failed_messages", "Messages whose original is missing, damaged or does not decode"),
                (
                    "last_success_timestamp_seconds",
                    "Unix time at which an export last succeeded; without any export, that of the start",
                ),
                ("interval_seconds", "Seconds between two scheduled exports; 0 if none is scheduled"),
            )
        }
        before_s = time.time() if exported_before_s is None else exported_before_s
        self._exported["last_success_timestamp_seconds"].set(before_s)
        self._exported["interval_seconds"].set(interval_s)
        self._watch(directories)

    def _watch(self, directories: Mapping[str, Path]) -> None:
        """Add metrics for the free space and the size of disks, which are measured at each request for metrics."""
        free = Gauge("glas_disk_free_bytes", "Free space of a directory's disk", ["directory"], registry=self._registry)
        size = Gauge("glas_disk_size_bytes", "Size of a directory's disk", ["directory"], registry=self._registry)
        for name, directory in directories.items():
            free.labels(name).set_function(partial(_usage, directory, "free"))
            size.labels(name).set_function(partial(_usage, directory, "total"))

    def stored(self, kind: str, size_bytes: int) -> None:
        """Count a stored object; `kind` is `audio`, `transcription` or `recognition`."""
        self._objects.labels(kind).inc()
        self._bytes.labels(kind).inc(size_bytes)

    def lost(self, n_objects: int) -> None:
        """Count `n_objects` lost objects that a check has found."""
        self._lost.inc(n_objects)

    def exported(self, report: ExportReport) -> None:
        """Record the result of an export."""
        self._exports.labels("ok").inc()
        for name, value in (
            ("messages", report.n_messages),
            ("referenced_messages", report.n_references),
            ("audio_seconds", report.audio_s),
            ("failed_messages", report.n_failed),
        ):
            self._exported[name].set(value)
        self._exported["last_success_timestamp_seconds"].set_to_current_time()

    def export_failed(self, code: str) -> None:
        """Count an export that failed with the error `code`."""
        self._exports.labels(code).inc()

    def render(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self._registry)


def _usage(directory: Path, figure: str) -> float:
    """Return the field `figure` of `shutil.disk_usage` for a directory that may not exist; NaN if the disk fails."""
    existing = next((one for one in (directory, *directory.parents) if one.exists()), directory)
    try:
        return float(getattr(shutil.disk_usage(existing), figure))
    except OSError:
        return float("nan")
