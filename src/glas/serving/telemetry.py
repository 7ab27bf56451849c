"""Configure FastAPI's instrumentation: a request gets a span if it belongs to a trace or asks for a recognition."""

from collections.abc import MutableMapping
from typing import Any, Final

from fastapi.telemetry import TelemetryConfig
from starlette.datastructures import Headers

from glas import tracing

_RECOGNITION: Final = "/v1/audio/"


def telemetry(part: tracing.Part) -> TelemetryConfig:
    """Return the value of FastAPI's argument `telemetry` for the app of a part.

    If no spans are recorded, this value turns FastAPI's instrumentation off.
    """
    provider = tracing.provider_of(part)
    return {
        "tracer_provider": provider,
        "tracing": provider is not None,
        "metrics": False,
        "logs": False,
        "operation_spans": False,
        "auto_configure": False,
        "exclude": _begins_nothing,
    }


def _begins_nothing(scope: MutableMapping[str, Any]) -> bool:
    """Return True if a request gets no span; only requests in a trace and requests for a recognition get a span.

    If all requests got spans, each request of Prometheus, of health checks and of the bot's background tasks would make
    a trace.
    """
    return "traceparent" not in Headers(scope=scope) and not scope["path"].startswith(_RECOGNITION)
