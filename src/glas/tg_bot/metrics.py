"""Metrics of the bot for Prometheus. Each label has a fixed set of values, and none of them is an id or a text."""

from collections.abc import Iterator
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from glas.domain.errors import GlasError

OK, REFUSED, NOT_ANSWERED = "ok", "refused", "not_answered"
"""Outcomes of a recording.

`OK`: the person got a text, or the message that nobody speaks in the recording. `REFUSED`: the person got the
explanation of a limit. `NOT_ANSWERED`: the person got no message.
"""

_OTHER = "other"
_RECORDING = "recording"
# Seconds. People send again after some ten seconds; the bot tries for an hour.
_ANSWER_S = (1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
_HELD_S = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 300)


class Metrics:
    """The metrics of one bot. Each bot has a separate `CollectorRegistry`, so one process can run two bots."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        counter, histogram = partial(Counter, registry=self._registry), partial(Histogram, registry=self._registry)
        self._codes = frozenset(_codes(GlasError))
        self._received = counter(
            "glas_bot_updates_received", "Updates that were stored, by kind: recording or other", ["kind"]
        )
        self._answers = counter(
            "glas_bot_answers",
            "Recordings whose handling ended: ok, refused, not_answered, or an error's code",
            ["outcome"],
        )
        self._answer_s = histogram(
            "glas_bot_answer_seconds",
            "Seconds from the time at which a recording was sent to the end of its answer",
            buckets=_ANSWER_S,
        )
        self._failed = counter(
            "glas_bot_updates_failed", "Commands and presses that could not be handled, by the error's code", ["code"]
        )
        self._calls = counter("glas_bot_telegram_calls", "Calls to Telegram: ok or an error's code", ["outcome"])
        self._held_s = histogram(
            "glas_bot_sends_held_seconds",
            "Seconds for which a call waited for Telegram's rates; calls that did not wait are not counted",
            buckets=_HELD_S,
        )
        self._dropped = counter("glas_bot_status_lines_dropped", "Status lines that would have had to wait")
        self._pauses = counter("glas_bot_pauses_asked", "Pauses that Telegram asked for")
        self._queues = Gauge(
            "glas_bot_queue_works",
            "Works that wait in a durable queue; the queue is common to all processes of the bot",
            ["queue"],
            registry=self._registry,
        )
        self._running = Gauge(
            "glas_bot_queue_running_works",
            "Works of a durable queue that a process has begun; the queue is common to all processes of the bot",
            ["queue"],
            registry=self._registry,
        )
        self._prepare()

    def _prepare(self) -> None:
        """Create the counters of all label values at the start, with the value 0.

        Otherwise a counter would first appear with the value 1, and Prometheus would not count this as an increase.
        """
        for kind in (_RECORDING, _OTHER):
            self._received.labels(kind)
        for outcome in (OK, REFUSED, NOT_ANSWERED, *sorted(self._codes)):
            self._answers.labels(outcome)
        for outcome in (OK, *sorted(self._codes)):
            self._calls.labels(outcome)

    def received(self, *, is_recording: bool) -> None:
        """Count an update that was stored."""
        self._received.labels(_RECORDING if is_recording else _OTHER).inc()

    def answered(self, outcome: str, seconds: float | None) -> None:
        """Count a recording whose processing has ended.

        Args:
            outcome: `OK`, `REFUSED`, `NOT_ANSWERED`, or the code of an error.
            seconds: seconds since the recording was sent. None if the person has not waited since then, for example
                because the person requested the recognition long after the recording was sent.
        """
        self._answers.labels(outcome if outcome in (OK, REFUSED, NOT_ANSWERED) else self._known(outcome)).inc()
        if seconds is not None and outcome != NOT_ANSWERED:
            self._answer_s.observe(max(0.0, seconds))

    def update_failed(self, code: str) -> None:
        """Count a command or a press of a button that failed; each error code has its own count."""
        self._failed.labels(self._known(code)).inc()

    def called(self, outcome: str) -> None:
        """Count a call to Telegram; `outcome` is `OK` or the code of an error."""
        self._calls.labels(outcome if outcome == OK else self._known(outcome)).inc()

    def held(self, seconds: float) -> None:
        """Count a call that waited for some seconds because of Telegram's limits."""
        self._held_s.observe(seconds)

    def dropped(self) -> None:
        """Count a status line that was not sent because it would have had to wait."""
        self._dropped.inc()

    def pause_asked(self) -> None:
        """Count one pause that Telegram has requested."""
        self._pauses.inc()

    def waiting(self, queue: str, n_works: float) -> None:
        """Set the length of a durable queue; `n_works` is NaN if the length is not known now."""
        self._queues.labels(queue).set(n_works)

    def running(self, queue: str, n_works: float) -> None:
        """Set the number of running works of a durable queue; `n_works` is NaN if the number is not known now."""
        self._running.labels(queue).set(n_works)

    def render(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def _known(self, code: str) -> str:
        return code if code in self._codes else _OTHER


def _codes(cls: type[GlasError]) -> Iterator[str]:
    """Yield the codes of a class of errors and of all its subclasses."""
    yield cls.code
    for one in cls.__subclasses__():
        yield from _codes(one)
