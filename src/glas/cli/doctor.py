"""`glas doctor`: check the installation, and print how to repair each fault."""

import json
from typing import TYPE_CHECKING, Annotated, Final

import typer

from glas.cli.language import say
from glas.cli.session import EXIT_FAILED, open_settings, out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from glas.cli.doctor_here import Finding

_MARKS: Final = {"ok": "[green]✓[/]", "warn": "[yellow]•[/]", "fail": "[red]✗[/]"}
_LEVELS: Final = {"ok": "ok", "warn": "warning", "fail": "fault"}


def doctor(
    *,
    deep: Annotated[bool, typer.Option("--deep", help=say("doctor-deep-option"))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=say("doctor-json-option"))] = False,
) -> None:
    """Run all checks.

    Only one check writes, and only with `--deep`: it writes an object and deletes the object again.
    """
    settings = open_settings(quiet=True)
    from glas.cli import doctor_deep, doctor_here, doctor_network

    looks = (*doctor_here.LOOKS, *doctor_network.LOOKS, *(doctor_deep.LOOKS if deep else ()))
    found = ((look.__name__.strip("_"), finding) for look in looks for finding in look(settings))
    has_failed = _as_json(found) if as_json else _as_text(found)
    raise typer.Exit(EXIT_FAILED if has_failed else 0)


def _as_text(found: "Iterator[tuple[str, Finding]]") -> bool:
    """Print each finding when its check ends; return whether one of the findings is a fault."""
    has_failed = False
    for _, finding in found:
        has_failed |= finding.level == "fail"
        out.print(_MARKS[finding.level], end=" ", markup=True)
        out.print(finding.what, markup=False)
        if finding.advice:
            out.print(f"    → {finding.advice}", markup=False)
    return has_failed


def _as_json(found: "Iterator[tuple[str, Finding]]") -> bool:
    """Print all findings as one JSON document; return whether one of the findings is a fault."""
    rows = [
        {"check": check, "level": _LEVELS[finding.level], "what": finding.what, "advice": finding.advice}
        for check, finding in found
    ]
    has_failed = any(row["level"] == "fault" for row in rows)
    typer.echo(json.dumps({"is_well": not has_failed, "findings": rows}, ensure_ascii=False, indent=2))
    return has_failed
