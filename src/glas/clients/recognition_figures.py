"""Counts and times of nn_service since its start, read from its metrics."""

import re
from collections import defaultdict
from typing import Final

from pydantic import Field

from glas.clients.bodies import Value
from glas.domain.errors import ServiceFaultError

_LINE: Final = re.compile(r"(\w+)(?:\{(.*)\})? ([\d.e+-]+|\+Inf|NaN)")
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

_PREFIX: Final = "glas_recognition_"

QUERIES: Final = """\
sum(glas_recognition_requests_in_flight)
histogram_quantile(0.95, sum by (le) (glas_recognition_processing_seconds_bucket))
histogram_quantile(0.95, sum by (le) (glas_recognition_waiting_seconds_bucket))
sum(glas_recognition_processing_seconds_sum) / sum(glas_recognition_audio_seconds_total)
sum by (outcome) (glas_recognition_requests_total)"""
"""Queries with which Prometheus computes the same numbers as this module.

For the 50th and the 99th percentile, replace 0.95 by 0.5 and 0.99.
"""


class Spread(Value):
    """A histogram: for each of several times in seconds, the number of recordings that took at most this time."""

    total_s: float = Field(description="Sum of the times of all recordings, in seconds.")
    buckets: tuple[tuple[float, int], ...] = Field(
        description="Cumulative histogram. Each entry contains an upper bound in seconds and the number of "
        "recordings whose time is at most this bound."
    )

    def percentile(self, share: float) -> float | None:
        """Estimate the time in seconds that is not exceeded by the given share of the recordings.

        Within a bucket of the histogram, the times are assumed to be evenly spread, as in Prometheus'
        `histogram_quantile`. A time above the upper bound of the last bucket counts as this bound. If there was no
        recording yet, return None.
        """
        n_all = self.buckets[-1][1] if self.buckets else 0
        if not n_all:
            return None
        wanted, low, n_below = share * n_all, 0.0, 0
        for bound, n_up_to in self.buckets:
            if n_up_to >= wanted:
                if bound == float("inf"):
                    return low
                return low + (bound - low) * (wanted - n_below) / max(n_up_to - n_below, 1)
            low, n_below = bound, n_up_to
        return low


class RecognitionFigures(Value):
    """Counts and times of nn_service since it started."""

    n_in_flight: int = Field(description="Number of requests that are being recognised or wait for recognition.")
    outcomes: dict[str, int] = Field(
        description="Number of finished requests with each outcome: `ok` or the code of an error."
    )
    audio_s: float = Field(description="Total length of the recognised recordings, in seconds.")
    processing: Spread = Field(description="Processing times of the recordings. Time in the queue does not count.")
    waiting: Spread = Field(description="Times that the recordings waited in the queue.")

    @property
    def real_time_factor(self) -> float | None:
        """Seconds of processing for a second of audio; None before the first recording."""
        return self.processing.total_s / self.audio_s if self.audio_s else None


def read_figures(metrics: str) -> RecognitionFigures:
    """Read the metrics that nn_service returns for Prometheus.

    Raises:
        ServiceFaultError: a metric is missing, because the service has another version.
    """
    found: dict[str, list[tuple[dict[str, str], float]]] = defaultdict(list)
    for line in metrics.splitlines():
        if match := _LINE.fullmatch(line):
            found[match[1]].append((dict(_LABEL.findall(match[2] or "")), float(match[3])))

    def values(name: str) -> list[tuple[dict[str, str], float]]:
        if _PREFIX + name not in found:
            raise ServiceFaultError(f"expected the metric {_PREFIX + name} of nn_service, got none")
        return found[_PREFIX + name]

    def total(name: str) -> float:
        return sum(value for _, value in values(name))

    def spread(name: str) -> Spread:
        buckets = values(f"{name}_bucket")
        return Spread(
            total_s=total(f"{name}_sum"),
            buckets=tuple((float(labels["le"]), int(value)) for labels, value in buckets),
        )

    return RecognitionFigures(
        n_in_flight=int(total("requests_in_flight")),
        outcomes={labels["outcome"]: int(value) for labels, value in values("requests_total")},
        audio_s=total("audio_seconds_total"),
        processing=spread("processing_seconds"),
        waiting=spread("waiting_seconds"),
    )
