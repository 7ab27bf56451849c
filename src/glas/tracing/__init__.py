"""Record OpenTelemetry traces: which parts of Glas a message passed, and how long each queue and step took.

Spans are recorded only while a context of `exporting` is open. At other times the functions of this module do nothing,
and OpenTelemetry's SDK is not imported. A span contains only names of steps and routes, codes of errors, and the id of
a message in the database. It contains no recognised text, no Telegram id and no name of a person.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from glas.tracing.recorder import Recorder

Part: TypeAlias = Literal["tg_bot", "nn_service", "db_assist", "data_loader", "s3"]
"""The part to which a span belongs.

In the collector (the server that stores traces), each part appears as a separate service, even if several parts run in
one process.
"""

_NOTHING: Final = nullcontext()
_NO_HEADERS: Final[Mapping[str, str]] = {}

_recorder: "Recorder | None" = None


def exporting(endpoint: str | None, *, ratio: float, version: str) -> AbstractContextManager[None]:
    """Record spans while the context is open, and send them to a collector (a server that stores traces).

    The last spans are sent at the end of the context.

    Args:
        endpoint: URL of a collector that accepts OTLP over HTTP, without the path `/v1/traces`; None records nothing.
        ratio: share of the traces that are recorded, 0..1.
        version: version of this program.

    Raises:
        ImportError: the packages of the extra `tracing` are not installed.
    """
    if endpoint is None:
        return _NOTHING
    from glas.tracing.recorder import Recorder  # noqa: PLC0415 - its packages take memory, and may be missing

    return _recording(Recorder(endpoint, ratio=ratio, version=version))


@contextmanager
def _recording(recorder: "Recorder") -> Iterator[None]:
    global _recorder  # noqa: PLW0603 - a process has one recorder
    _recorder = recorder
    try:
        yield
    finally:
        _recorder = None
        recorder.close()


def begin(part: Part, name: str, traceparent: str | None = None) -> AbstractContextManager[object]:
    """Add a span that lasts as long as the context; the span begins a trace, or continues the trace of the caller.

    Args:
        part: the part to which the span belongs.
        name: name of the action.
        traceparent: ids for the trace and its first span, in the format of W3C Trace Context. If `traceparent` is None,
            the trace of the caller is continued; if the caller has no trace, a trace with new ids begins.
    """
    return _NOTHING if _recorder is None else _recorder.begin(part, name, traceparent)


def span(
    part: Part, name: str, *, linked: str | None = None, **attributes: str | float
) -> AbstractContextManager[object]:
    """Add a span to the trace of the caller; do nothing if the caller has no trace.

    Args:
        part: the part to which the span belongs.
        name: name of the action.
        linked: `traceparent` of a span in another trace, to which the new span gets a link.
        attributes: attributes of the span; they must contain no recognised text and no id of a person.
    """
    return _NOTHING if _recorder is None else _recorder.span(part, name, linked, attributes)


def waited(part: Part, name: str, seconds: float) -> None:
    """Add a span to the trace of the caller, for a time of waiting that ends now.

    Args:
        part: the part to which the span belongs.
        name: name of the span.
        seconds: for how long the caller has waited until now.
    """
    if _recorder is not None:
        _recorder.waited(part, name, seconds)


def note(name: str, **attributes: str | float) -> None:
    """Add an event with a name and attributes to the current span of the caller."""
    if _recorder is not None:
        _recorder.note(name, attributes)


def fail(code: str) -> None:
    """Mark the current span of the caller as failed, with the code of an error."""
    if _recorder is not None:
        _recorder.fail(code)


def headers() -> Mapping[str, str]:
    """Return HTTP headers with the ids of the caller's trace; a part that receives the headers continues the trace."""
    return _NO_HEADERS if _recorder is None else _recorder.headers()


def to_queue(queue: str, traceparent: str | None) -> dict[str, Any] | None:
    """Return the ids of a trace as data that is stored with a work; the process that runs the work continues the trace.

    Args:
        queue: name of the queue.
        traceparent: the span to which the work belongs; None means the span of the caller.

    Returns:
        Data for `from_queue`, which can be stored as JSON; None if there is no trace.
    """
    return None if _recorder is None else _recorder.to_queue(queue, traceparent)


def from_queue(part: Part, name: str, recorded: Mapping[str, Any] | None) -> AbstractContextManager[object]:
    """Continue the trace of a work from a queue: add a span for the time in the queue, and a span for the work.

    Args:
        part: the part to which the spans belong.
        name: name of the work.
        recorded: the result of `to_queue` that was stored with the work.
    """
    return _NOTHING if _recorder is None or recorded is None else _recorder.from_queue(part, name, recorded)


def provider_of(part: Part) -> Any:
    """Return OpenTelemetry's tracer provider of a part, for a library that makes spans itself.

    Return None if no spans are recorded.
    """
    return None if _recorder is None else _recorder.provider_of(part)


def add_trace_id(_logger: Any, _method: str, event: Any) -> Any:
    """Add the id of the trace to a log entry; this is a processor of structlog."""
    if _recorder is not None and (trace_id := _recorder.trace_id()) is not None:
        event["trace_id"] = trace_id
    return event
