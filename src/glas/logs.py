"""Configure logging with structlog: all parts log the same id for a request, and secrets are redacted.

`cli` calls `configure` once. structlog's processors (functions that change log entries) also get the log entries of
libraries that use `logging`, such as uvicorn and httpx. So secrets are also redacted in these entries. The processors
also redact secrets in tracebacks.
"""

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping, Sequence
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

REQUEST_ID_HEADER = "X-Request-ID"

# Ids of durable work contain Telegram ids of people and chats ("v:BOT:CHAT:MESSAGE:ATTEMPT"), and DBOS logs them.
_WORK_NAME = re.compile(r"\b[a-z]:\d{6,}(?::-?\w+)+")
# The path of every call to Telegram and of every file link contains the bot's token; Authorization headers have keys.
_PATTERNS = (
    re.compile(r"\b(?:bot)?\d{6,12}:[A-Za-z0-9_-]{30,}"),
    re.compile(r"(?i)(?<=bearer )[^\s'\",]+"),
    re.compile(r"(?i)(?<=[?&])(?:api_key|token|secret|signature)=[^&\s'\"]+"),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
)
_MASK = "***"


class Redactor:
    """Replaces secrets in log entries: the given secrets, strings that look like a secret, and ids of durable work."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._literals = sorted({s for s in secrets if s}, key=len, reverse=True)

    def text(self, value: str) -> str:
        """Return `value` without secrets."""
        for literal in self._literals:
            value = value.replace(literal, _MASK)
        for pattern in _PATTERNS:
            value = pattern.sub(_MASK, value)
        return _WORK_NAME.sub(lambda name: f"{name[0][0]}:{_MASK}", value)

    def value(self, value: Any) -> Any:
        """Return `value` with `***` in place of the secrets in all its strings.

        In a container, every item is redacted. An object of any other type than string, number, None or container is
        replaced by its redacted `repr`.
        """
        match value:
            case str():
                return self.text(value)
            case bool() | int() | float() | None:
                return value
            case dict():
                return {self.value(key): self.value(item) for key, item in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self.value(item) for item in value]
            case _:
                return self.text(repr(value))

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Replace the secrets in a log entry; structlog calls this method with each entry (`event`).

        In structlog's list of processors, this object must come after the processor that formats tracebacks. Otherwise,
        secrets in tracebacks would be logged.
        """
        return {key: item if key.startswith("_") else self.value(item) for key, item in event.items()}


def configure(
    *, level: str, fmt: Literal["console", "json"], secrets: Iterable[str] = (), more: Sequence[Processor] = ()
) -> None:
    """Make the whole process write its log to standard error.

    Args:
        level: lowest level of entries that are written.
        fmt: `console` for people, `json` for programs.
        secrets: exact values that must never appear, such as keys from the settings.
        more: functions (processors of structlog) that add values to each entry.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        *more,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        Redactor(secrets),
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if fmt == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # At level INFO, httpx logs whole URLs, and URLs of the Bot API contain the token. uvicorn logs addresses that Glas
    # itself prints.
    for name in ("httpx", "httpcore", "asyncio", "urllib3", "python_multipart", "uvicorn.error", "alembic"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def bind(**values: str) -> MutableMapping[str, Any]:
    """Add values, such as `request_id`, to all further log lines of the current asyncio task.

    Return the tokens that `unbind` needs to remove the values.
    """
    return dict(structlog.contextvars.bind_contextvars(**values))


def unbind(tokens: MutableMapping[str, Any]) -> None:
    """Remove the values that a call of `bind` added; `tokens` is the result of that call."""
    structlog.contextvars.reset_contextvars(**tokens)
