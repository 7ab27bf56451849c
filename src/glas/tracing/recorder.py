"""Record spans with OpenTelemetry's SDK, and send them with its exporter for OTLP over HTTP.

Glas sets the endpoint, the share of traces that are recorded, and the names of the parts. The SDK itself reads all
other options from its standard environment variables, such as OTEL_EXPORTER_OTLP_HEADERS.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, Final, get_args

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode, Tracer, TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes

from glas.tracing import Part

_SCOPE: Final = "glas"
_TRACEPARENT: Final = "traceparent"
_QUEUE: Final = "queue"
_SINCE: Final = "since_s"
_NS_PER_S: Final = 1e9
# FastAPI also adds the path and the query of a request to a span, but they contain ids of people.
_KEPT: Final = frozenset({"http.request.method"})
_PROPAGATOR: Final = TraceContextTextMapPropagator()

_given_ids: ContextVar[SpanContext | None] = ContextVar("glas_given_ids", default=None)


class Recorder:
    """Records spans with OpenTelemetry's SDK, for all parts of Glas in this process.

    `glas.tracing.exporting` makes the only object of this class.
    """

    def __init__(self, endpoint: str, *, ratio: float, version: str) -> None:
        self._processor = BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces"))
        self._providers: dict[Part, TracerProvider] = {}
        for part in get_args(Part):
            resource = Resource.create({"service.name": part, "service.version": version})
            provider = TracerProvider(_Sampler(ratio), resource, shutdown_on_exit=False, id_generator=_Ids())
            provider.add_span_processor(self._processor)
            self._providers[part] = provider

    def close(self) -> None:
        """Send all ended spans to the collector; wait for this at most some seconds."""
        self._processor.shutdown()  # type: ignore[no-untyped-call]  # it has no types

    def provider_of(self, part: Part) -> TracerProvider:
        """Return the tracer provider of a part."""
        return self._providers[part]

    @contextmanager
    def begin(self, part: Part, name: str, traceparent: str | None) -> Iterator[None]:
        """See `glas.tracing.begin`."""
        if traceparent is None:
            with self._running(part, name):
                yield
            return
        token = _given_ids.set(_context_of(traceparent))
        try:
            span = self._tracer(part).start_span(name, Context())
        finally:
            _given_ids.reset(token)
        with _entered(span):
            yield

    def span(
        self, part: Part, name: str, linked: str | None, attributes: Mapping[str, str | float]
    ) -> AbstractContextManager[object]:
        """See `glas.tracing.span`."""
        if not _current().is_valid:
            return nullcontext()
        links = () if linked is None else (Link(_context_of(linked)),)
        return self._running(part, name, links=links, attributes=_named(attributes))

    def waited(self, part: Part, name: str, seconds: float) -> None:
        """See `glas.tracing.waited`."""
        if _current().is_valid:
            began_ns = time.time_ns() - int(seconds * _NS_PER_S)
            self._tracer(part).start_span(name, start_time=began_ns).end()

    def note(self, name: str, attributes: Mapping[str, str | float]) -> None:
        """See `glas.tracing.note`."""
        trace.get_current_span().add_event(name, _named(attributes))

    def fail(self, code: str) -> None:
        """See `glas.tracing.fail`."""
        _mark(trace.get_current_span(), code)

    def headers(self) -> Mapping[str, str]:
        """See `glas.tracing.headers`."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        return carrier

    def to_queue(self, queue: str, traceparent: str | None) -> dict[str, Any] | None:
        """See `glas.tracing.to_queue`."""
        traceparent = traceparent or self.headers().get(_TRACEPARENT)
        return None if traceparent is None else {_TRACEPARENT: traceparent, _QUEUE: queue, _SINCE: time.time()}

    @contextmanager
    def from_queue(self, part: Part, name: str, recorded: Mapping[str, Any]) -> Iterator[None]:
        """See `glas.tracing.from_queue`."""
        parent = trace.NonRecordingSpan(_context_of(recorded[_TRACEPARENT]))
        with trace.use_span(parent, record_exception=False, set_status_on_exception=False):
            # The clock of another machine may be ahead.
            self.waited(part, f"wait in {recorded[_QUEUE]}", max(0.0, time.time() - recorded[_SINCE]))
            with self._running(part, name):
                yield

    def trace_id(self) -> str | None:
        """Return the id of the caller's trace, 32 hexadecimal digits; None if the caller has no trace."""
        context = _current()
        return trace.format_trace_id(context.trace_id) if context.is_valid else None

    @contextmanager
    def _running(
        self, part: Part, name: str, *, links: Sequence[Link] = (), attributes: Attributes = None
    ) -> Iterator[None]:
        with _entered(self._tracer(part).start_span(name, links=links, attributes=attributes)):
            yield

    def _tracer(self, part: Part) -> Tracer:
        return self._providers[part].get_tracer(_SCOPE)


@contextmanager
def _entered(span: Span) -> Iterator[None]:
    """Make `span` the current span while the context is open.

    If an exception occurs, only the class of the exception is recorded. The text of the exception is never recorded,
    because this text may contain words or ids of people.
    """
    with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield
        except BaseException as error:
            _mark(span, type(error).__name__)
            raise


def _mark(span: Span, error: str) -> None:
    span.set_attribute("error.type", error)
    span.set_status(StatusCode.ERROR)


def _current() -> SpanContext:
    return trace.get_current_span().get_span_context()


def _context_of(traceparent: str) -> SpanContext:
    return trace.get_current_span(_PROPAGATOR.extract({_TRACEPARENT: traceparent}, Context())).get_span_context()


def _named(attributes: Mapping[str, str | float]) -> Attributes:
    return {f"glas.{name}": value for name, value in attributes.items()}


class _Ids(RandomIdGenerator):
    """Makes ids for traces and spans.

    If `begin` was called with `traceparent`, the first span gets the ids in `traceparent`. All other spans get random
    ids.
    """

    def generate_trace_id(self) -> int:
        given = _given_ids.get()
        return super().generate_trace_id() if given is None else given.trace_id

    def generate_span_id(self) -> int:
        given = _given_ids.get()
        return super().generate_span_id() if given is None else given.span_id


class _Sampler(TraceIdRatioBased):
    """Decides whether a trace is recorded; the decision depends only on the id of the trace.

    So all parts make the same decision about a trace, and a client cannot demand that its traces are recorded.

    This sampler also removes attributes that libraries set at the beginning of a request, except those in `_KEPT` and
    those whose names begin with `glas.`.
    """

    def should_sample(  # noqa: PLR0917 - the SDK's signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        kept = {key: value for key, value in (attributes or {}).items() if key in _KEPT or key.startswith("glas.")}
        return super().should_sample(parent_context, trace_id, name, kind, kept, links, trace_state)
