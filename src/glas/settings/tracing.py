"""The settings of traces."""

from pydantic import BaseModel, ConfigDict, Field


class TracingSettings(BaseModel):
    """Settings of traces."""

    model_config = ConfigDict(frozen=True)

    endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="URL of a collector of OpenTelemetry (OTLP over HTTP), e.g. `http://127.0.0.1:4318`. If empty, no "
        "traces are recorded.",
    )
    ratio: float = Field(default=1.0, ge=0, le=1, description="Share of the traces that are recorded, from 0 to 1.")
