"""`glas run`: start parts of Glas in this process."""

import asyncio
import contextlib
import shutil
import signal
import sys
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

if TYPE_CHECKING:
    from glas.launch.serve import Ready

from glas.cli.language import say, times, title
from glas.cli.session import EXIT_FAILED, err, open_settings, out, told
from glas.domain.errors import ConfigurationError, GlasError
from glas.engines.catalogue import title_of
from glas.launch import PARTS
from glas.localisation import rounded
from glas.settings import Settings

_log = structlog.stdlib.get_logger("glas.cli")


def run(
    parts: Annotated[list[str] | None, typer.Argument(metavar=say("metavar-part"), show_default=False)] = None,
) -> None:
    """Start parts of Glas, and serve requests until the process receives a signal to stop."""
    # While the program starts, there is no event loop that handles signals. So SIGTERM simply ends the program.
    signal.signal(signal.SIGTERM, _leave)
    settings = open_settings(quiet=False)
    chosen = tuple(parts or parts_that_can(settings))
    from glas.launch.serve import serve

    is_read_by_programs = settings.log.format == "json"
    with told(), _logged(is_read_by_programs=is_read_by_programs), _no_group():
        # A signal must not interrupt the creation of the event loop. Until the loop runs, the signal is only stored.
        wishes: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, _frame: wishes.append(number))
        if "nn_service" in chosen and not is_read_by_programs:
            err.print(say("run-loading"), style="dim")
        asyncio.run(_listening(serve(settings, chosen, _log_start if is_read_by_programs else _greet), wishes))


async def _listening(served: Coroutine[object, object, None], wishes: list[int]) -> None:
    """Run the coroutine `served` until the process receives a signal to stop.

    If `wishes` is not empty, the process received a signal before the event loop ran. In this case, the program ends
    immediately.
    """
    task = asyncio.ensure_future(served)  # so the coroutine is never left unawaited
    signal.signal(signal.SIGTERM, _leave)
    if wishes:
        sys.exit(0)
    await task


def _leave(_number: int, _frame: object) -> None:
    sys.exit(0)


def parts_that_can(settings: Settings) -> list[str]:
    """Return the names of the parts that can run in this process.

    Parts for which the settings contain an address run in other processes. The bot cannot run if the settings contain
    no token for it.
    """
    elsewhere = {part for part in PARTS if getattr(settings, f"{part}_url", None) is not None}
    without_token = {"tg_bot"} if settings.telegram_token is None else set()
    return [part for part in PARTS if part not in elsewhere | without_token]


@contextlib.contextmanager
def _no_group() -> Iterator[None]:
    """Open a context that raises a `ConfigurationError` itself, and not the exception group that contains it."""
    try:
        yield
    except BaseExceptionGroup as group:
        (known, _rest) = group.split(ConfigurationError)
        if known is not None:
            raise known.exceptions[0] from None
        raise


@contextlib.contextmanager
def _logged(*, is_read_by_programs: bool) -> Iterator[None]:
    """Open a context that writes an error of Glas into the log, if programs read the log, instead of printing it."""
    try:
        yield
    except GlasError as error:
        if not is_read_by_programs:
            raise
        _log.error("Glas has failed", code=error.code, error=str(error))
        raise typer.Exit(EXIT_FAILED) from None


def _log_start(ready: "Ready") -> None:
    """Write the started parts, their addresses and the model into the log."""
    reached = {"is_telegram_reached": ready.is_bot_heard} if "tg_bot" in ready.parts else {}
    _log.info("Glas has started", parts=list(ready.parts), addresses=ready.urls, model=ready.model, **reached)
    if ready.problem is not None:
        _log.error("the sample recording was not recognised", error=ready.problem)


def _greet(ready: "Ready") -> None:
    """Print the addresses of the started parts, the text of the sample recording, and the next steps."""
    out.print("\n" + (say("run-hears") if ready.check else say("run-started")), style="bold", markup=False)
    rows: list[tuple[str, str]] = []
    if ready.model is not None:
        rows.append((say("run-model"), title(title_of(ready.model))))
    if ready.check is not None:
        heard = ready.check.heard
        cost = say(
            "run-cost",
            duration=rounded(heard.hypothesis.duration_s),
            seconds=rounded(heard.processing_s, 2),
            times=times(heard.speed),
        )
        rows.append((say("run-check"), f"{ready.check.sample.name} → «{heard.hypothesis.text}»"))
        rows.append(("", cost))
    if ready.problem is not None:
        rows.append((say("run-check"), say("run-check-failed", problem=str(ready.problem))))
    rows += _addresses(ready)
    if ready.is_bot_heard:
        rows.append((say("run-bot"), say("run-bot-heard")))
    elif "tg_bot" in ready.parts:
        rows.append((say("run-bot"), say("run-bot-away")))
    elif "web" in ready.parts:
        rows.append((say("run-bot"), say("run-bot-missing")))
    if ready.model == "embedded":
        rows.append((say("run-better"), say("run-better-why")))
        rows.append(("", f"{_glas()} models get onnx:gigaam-v3-ctc"))
        rows.append(("", f"GLAS_MODEL=onnx:gigaam-v3-ctc {_glas()} run"))
    for name, value in rows:
        out.print(f"  {name:<10}{value}", markup=False)
    out.print("\n" + say("run-stop") + "\n", style="dim", markup=False)


def _glas() -> str:
    """Return the command that starts this program: its name if a directory of PATH contains it, otherwise its path."""
    installed = Path(sys.executable).with_name("glas")
    if shutil.which("glas") == str(installed) or not installed.exists():
        return "glas"
    here = Path.cwd()
    return str(installed.relative_to(here) if installed.is_relative_to(here) else installed)


def _addresses(ready: "Ready") -> list[tuple[str, str]]:
    rows = [(say("run-page"), url) for part, url in ready.urls.items() if part == "web"]
    for part, url in ready.urls.items():
        if part in {"web", "nn_service"}:
            rows.append(("API", say("run-api", url=url)))
        elif not part.startswith("tg_bot"):
            rows.append(("API", url))
    return rows
