"""The settings of traces, see `glas.tracing`."""

from pydantic import BaseModel, ConfigDict, Field


class TracingSettings(BaseModel):
    """Settings of traces."""

    model_config = ConfigDict(frozen=True)

    endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="URL of an OpenTelemetry collector (OTLP over HTTP) to which Glas sends traces, such as "
        "`http://127.0.0.1:4318`. If empty, Glas records no traces.",
    )
    ratio: float = Field(default=1.0, ge=0, le=1, description="Share (0..1) of all traces that Glas records.")
