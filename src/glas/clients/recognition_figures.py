"""What nn_service says of its own work since it started, read from its metrics."""

import re
from collections import defaultdict
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

_LINE: Final = re.compile(r"(\w+)(?:\{(.*)\})? ([\d.e+-]+|\+Inf|NaN)")
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class RecognitionFigures(BaseModel):
    """Counts since the service started."""

    model_config = ConfigDict(frozen=True)

    n_in_flight: int = Field(description="Requests that run or wait now.")
    outcomes: dict[str, int] = Field(description="Finished requests by outcome: ok or an error's code.")
    audio_s: float = Field(description="Seconds of audio recognised.")
    processing_s: float = Field(description="Seconds of work that they took, without waiting.")
    buckets: tuple[tuple[float, int], ...] = Field(
        description="Upper bounds of processing times, seconds, with the number of recordings up to each."
    )

    @property
    def real_time_factor(self) -> float | None:
        """Seconds of work for a second of audio; None before the first recording."""
        return self.processing_s / self.audio_s if self.audio_s else None

    def processing_percentile(self, share: float) -> float | None:
        """Estimate the processing time that a share of the recordings does not exceed, seconds.

        Within a bucket the times are taken as evenly spread, as Prometheus' `histogram_quantile` does it; what is
        longer than the last bound counts as that bound. None before the first recording.
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


def read_figures(metrics: str) -> RecognitionFigures:
    """Read what nn_service gives to Prometheus; what is not there counts as none."""
    found: dict[str, list[tuple[dict[str, str], float]]] = defaultdict(list)
    for line in metrics.splitlines():
        if match := _LINE.fullmatch(line):
            found[match[1]].append((dict(_LABEL.findall(match[2] or "")), float(match[3])))

    def total(name: str) -> float:
        return sum(value for _, value in found[name])

    return RecognitionFigures(
        n_in_flight=int(total("glas_recognitions_in_flight")),
        outcomes={labels["outcome"]: int(value) for labels, value in found["glas_recognitions_total"]},
        audio_s=total("glas_audio_seconds_total"),
        processing_s=total("glas_processing_seconds_sum"),
        buckets=tuple((float(labels["le"]), int(value)) for labels, value in found["glas_processing_seconds_bucket"]),
    )
