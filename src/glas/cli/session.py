"""Do what every command needs at its beginning and end: read the settings, configure logs, show errors."""

import contextlib
import os
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import unquote, urlsplit

import typer
from pydantic import BaseModel, SecretStr, ValidationError
from rich.console import Console

from glas import logs, tracing
from glas.cli.language import say
from glas.domain.errors import GlasError
from glas.localisation import plurals
from glas.settings import Settings, rows
from glas.settings.files import SecretFileError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

# Types of pydantic's errors. For errors about a limit, also the name of the limit in the error.
_KINDS: Final = {
    "int_parsing": "setting-integer",
    "float_parsing": "setting-number",
    "bool_parsing": "setting-boolean",
    "string_pattern_mismatch": "setting-pattern",
}
_LIMITS: Final = {
    "greater_than_equal": ("setting-at-least", "ge"),
    "less_than_equal": ("setting-at-most", "le"),
    "greater_than": ("setting-more-than", "gt"),
    "string_too_short": ("setting-too-short", "min_length"),
}

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def open_settings(*, quiet: bool) -> Settings:
    """Read the settings and configure logs.

    If `quiet` is set, only warnings and errors are logged, so that the output of the command stays readable.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            name = variable_of(*map(str, fault["loc"]))
            err.print("[red]✗[/] ", end="", markup=True)
            err.print(say("setting-wrong", name=name, reason=_reason(fault)), markup=False)
        err.print(say("setting-see"))
        raise typer.Exit(EXIT_USAGE) from None
    except SecretFileError as error:
        err.print(f"✗ {say('setting-other', detail=str(error))}", style="red", markup=False)
        raise typer.Exit(EXIT_USAGE) from None
    level: Literal["debug", "info", "warning", "error"] = settings.log.level
    if quiet and level == "info":
        level = "warning"
    more = [] if settings.tracing.endpoint is None else [tracing.add_trace_id]
    logs.configure(level=level, fmt=settings.log.format, secrets=secrets_of(settings), more=more)
    return settings


def variable_of(*path: str) -> str:
    """Return the environment variable of a setting.

    Most variables begin with `GLAS_`. Some variables, such as `TELEGRAM_TOKEN`, have no prefix.
    """
    joined = "__".join(path).upper()
    return joined if joined in {row.variable for row in rows()} else f"GLAS_{joined}"


def secrets_of(settings: BaseModel) -> Iterator[str]:
    """Yield all secrets in the settings. If a secret is a URL, also yield the password in the URL."""
    for name in type(settings).model_fields:
        match getattr(settings, name):
            case SecretStr() as secret:
                text = secret.get_secret_value()
                yield text
                if "://" in text:
                    yield unquote(urlsplit(text).password or "")
            case BaseModel() as group:
                yield from secrets_of(group)


def _reason(fault: "ErrorDetails") -> str:
    """Return the expected format of a setting in the user's language; pydantic's own message is English."""
    values = fault.get("ctx", {})
    if fault["type"] in _LIMITS:
        message, name = _LIMITS[fault["type"]]
        return say(message, limit=Decimal(str(values[name])).normalize())
    if fault["type"] in _KINDS:
        return say(_KINDS[fault["type"]])
    if fault["type"] == "literal_error":
        return say("setting-choice", choices=values["expected"].replace(" or ", ", "))
    return say("setting-other", detail=fault["msg"])


def tell(error: GlasError, subject: str = "", *, limit: int | None = None) -> None:
    """Print an error: what happened and what to do, and then the error's own English message.

    Args:
        error: the error; its code determines the text of the catalogue that is printed.
        subject: name of the file that caused the error; empty if there is none.
        limit: the limit that was exceeded, in the unit that the text of the catalogue names; None if there is none.
    """
    start = f"{subject}: " if subject else ""
    err.print(f"✗ {start}{say.error(error.code, limit)}", style="red", markup=False)
    err.print(f"  {say('failed-detail', detail=str(error))}", style="dim", markup=False)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Open a context that converts an error of Glas to a message and an exit code.

    Any other exception is a bug and is shown with its traceback.
    """
    try:
        yield
    except GlasError as error:
        tell(error)
        raise typer.Exit(EXIT_FAILED) from None
    except KeyboardInterrupt:
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except BrokenPipeError:
        # When the interpreter ends, it flushes the buffer again. This must not fail a second time.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(EXIT_FAILED) from None


def written(number: Decimal) -> str:
    """Format a number in the language of the command line: with a decimal comma or point."""
    return plurals.written(say.language, number)
