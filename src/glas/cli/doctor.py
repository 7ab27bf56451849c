"""`glas doctor`: check the installation, and print how to repair each fault."""

import json
from typing import TYPE_CHECKING, Annotated, Final

import typer

from glas.cli.language import say
from glas.cli.run import parts_that_can
from glas.cli.session import EXIT_FAILED, open_settings, out, told
from glas.launch import PARTS
from glas.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from glas.cli.doctor_here import Finding

_MARKS: Final = {"ok": "[green]✓[/]", "warn": "[yellow]•[/]", "fail": "[red]✗[/]"}
_LEVELS: Final = {"ok": "ok", "warn": "warning", "fail": "fault"}


def doctor(
    parts: Annotated[
        list[str] | None,
        typer.Argument(metavar=say("metavar-part"), help=say("doctor-parts-argument"), show_default=False),
    ] = None,
    *,
    deep: Annotated[bool, typer.Option("--deep", help=say("doctor-deep-option"))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=say("doctor-json-option"))] = False,
) -> None:
    """Run all checks of the installation, and print the findings.

    Only one check changes data, and it runs only with `--deep`: it writes an object to the object store, and deletes
    this object.
    """
    settings = open_settings(quiet=True)
    from glas.cli import doctor_deep, doctor_here, doctor_network
    from glas.launch.listeners import require_known

    chosen = list(dict.fromkeys(parts or parts_here(settings)))
    with told():
        require_known(chosen)
    looks = (*doctor_here.LOOKS, *doctor_network.LOOKS, *(doctor_deep.LOOKS if deep else ()))
    found = ((look.__name__.strip("_"), finding) for look in looks for finding in look(settings, chosen))
    has_failed = _as_json(found) if as_json else _as_text(found)
    raise typer.Exit(EXIT_FAILED if has_failed else 0)


def parts_here(settings: Settings) -> list[str]:
    """Return the parts that this machine runs, according to the settings.

    A service needs an API token only if other processes call the service. So the parts of this machine are the services
    for which the settings contain an API token and no address. If all services or no services are of this kind, the
    parts are those that `glas run` starts. There is one exception: if all services have an address, and the settings
    contain the token of the bot, the bot is the only part of this machine.
    """
    able = parts_that_can(settings)
    services = [part for part in PARTS if hasattr(settings, f"{part}_url")]
    here = [part for part in services if part in able]
    alone = [part for part in here if getattr(settings, f"{part}_token") is not None]
    if alone and alone != services:
        return alone
    return ["tg_bot"] if not here and "tg_bot" in able else able


def _as_text(found: "Iterator[tuple[str, Finding]]") -> bool:
    """Print each finding as soon as its check ends; return whether any finding is a fault."""
    has_failed = False
    for _, finding in found:
        has_failed |= finding.level == "fail"
        out.print(_MARKS[finding.level], end=" ", markup=True)
        out.print(finding.what, markup=False)
        if finding.advice:
            out.print(f"    → {finding.advice}", markup=False)
    return has_failed


def _as_json(found: "Iterator[tuple[str, Finding]]") -> bool:
    """Print all findings as one JSON document; return whether any finding is a fault."""
    rows = [
        {"check": check, "level": _LEVELS[finding.level], "what": finding.what, "advice": finding.advice}
        for check, finding in found
    ]
    has_failed = any(row["level"] == "fault" for row in rows)
    typer.echo(json.dumps({"is_well": not has_failed, "findings": rows}, ensure_ascii=False, indent=2))
    return has_failed
