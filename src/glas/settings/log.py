"""The settings of the log."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class LogSettings(BaseModel):
    """Settings of the log."""

    model_config = ConfigDict(frozen=True)

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="Lowest level of log entries that Glas writes: `debug`, `info`, `warning` or `error`.",
    )
    format: Literal["console", "json"] = Field(
        default="console",
        description="Format of the log: `console` is easy to read for people, `json` is for programs.",
    )
