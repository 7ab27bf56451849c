"""What every command does first and last: read the settings, set up logs, tell errors to a person."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Literal
from urllib.parse import unquote, urlsplit

import typer
from pydantic import BaseModel, SecretStr, ValidationError
from rich.console import Console

from glas import logs
from glas.domain.errors import GlasError
from glas.domain.explain import explain
from glas.settings import Settings, rows

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def open_settings(*, quiet: bool) -> Settings:
    """Read the settings and set up logs; `quiet` shows warnings only, for commands whose output is the point."""
    try:
        settings = Settings()
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            name = variable_of(*map(str, fault["loc"]))
            err.print(f"[red]✗[/] Неверная настройка [b]{name}[/]: {fault['msg']}", markup=True)
        err.print("Все настройки описаны в docs/settings.md.")
        raise typer.Exit(EXIT_USAGE) from None
    level: Literal["debug", "info", "warning", "error"] = settings.log.level
    if quiet and level == "info":
        level = "warning"
    logs.configure(level=level, fmt=settings.log.format, secrets=secrets_of(settings))
    return settings


def variable_of(*path: str) -> str:
    """The environment variable of a setting; those of the original system have no prefix."""
    joined = "__".join(path).upper()
    return joined if joined in {row.variable for row in rows()} else f"GLAS_{joined}"


def secrets_of(settings: BaseModel) -> Iterator[str]:
    """Every secret of the settings, wherever it stands; of a URL also its password alone."""
    for name in type(settings).model_fields:
        match getattr(settings, name):
            case SecretStr() as secret:
                text = secret.get_secret_value()
                yield text
                if "://" in text:
                    yield unquote(urlsplit(text).password or "")
            case BaseModel() as group:
                yield from secrets_of(group)


def tell(error: GlasError, subject: str = "") -> None:
    """Show an error: in Russian what happened, then the exact message."""
    start = f"{subject}: " if subject else ""
    err.print(f"✗ {start}{explain(error)}", style="red", markup=False)
    err.print(f"  {error}", style="dim", markup=False)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turn an error of ours into a message and an exit code; any other stays a traceback, since it is a bug."""
    try:
        yield
    except GlasError as error:
        tell(error)
        raise typer.Exit(EXIT_FAILED) from None
    except KeyboardInterrupt:
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except BrokenPipeError:
        # What is still in the buffer must not fail again when the interpreter flushes it on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(EXIT_FAILED) from None


def russian(value: float, digits: int = 1) -> str:
    """A number with a decimal comma."""
    return f"{value:.{digits}f}".replace(".", ",")
