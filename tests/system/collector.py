"""A collector of traces: OTLP over HTTP on a port of loopback, in a thread of the test."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status


class Span(NamedTuple):
    """One span; ids are hexadecimal, and a span without a parent has an empty one."""

    part: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    seconds: float
    links: tuple[str, ...]
    events: tuple[str, ...]
    attributes: dict[str, str]
    has_failed: bool


class Collector:
    """The received traces.

    Attributes:
        url: what GLAS_TRACING__ENDPOINT is to be.
        bodies: every request, as it came but unpacked.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.bodies: list[bytes] = []

    @property
    def spans(self) -> list[Span]:
        """All spans so far."""
        return [span for body in self.bodies for span in _read(body)]

    def trace(self, trace_id: str) -> list[Span]:
        """The spans of one trace."""
        return [span for span in self.spans if span.trace_id == trace_id]


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector within the context."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_right = self.path == "/v1/traces" and self.headers["Content-Type"] == "application/x-protobuf"
            if is_right:
                packed = self.headers.get("Content-Encoding") == "gzip"
                collector.bodies.append(gzip.decompress(body) if packed else body)
            self.send_response(200 if is_right else 400)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the standard library
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, name="collector", daemon=True)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()


def _read(body: bytes) -> Iterator[Span]:
    for of_part in ExportTraceServiceRequest.FromString(body).resource_spans:
        told = {one.key: one.value.string_value for one in of_part.resource.attributes}
        for of_scope in of_part.scope_spans:
            for span in of_scope.spans:
                yield Span(
                    part=told["service.name"],
                    name=span.name,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    seconds=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                    links=tuple(link.trace_id.hex() for link in span.links),
                    events=tuple(event.name for event in span.events),
                    attributes={one.key: str(one.value) for one in span.attributes},
                    has_failed=span.status.code == Status.STATUS_CODE_ERROR,
                )
