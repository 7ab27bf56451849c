"""`glas doctor`: what works, what does not, and what to do about it."""

import typer

from glas.cli.session import EXIT_FAILED, open_settings, out

_MARKS = {"ok": "[green]✓[/]", "warn": "[yellow]•[/]", "fail": "[red]✗[/]"}


def doctor() -> None:
    """Look at everything; nothing is changed."""
    settings = open_settings(quiet=True)
    from glas.cli import doctor_here, doctor_network

    failed = False
    for look in (*doctor_here.LOOKS, *doctor_network.LOOKS):
        for finding in look(settings):
            failed |= finding.level == "fail"
            out.print(_MARKS[finding.level], end=" ", markup=True)
            out.print(finding.what, markup=False)
            if finding.advice:
                out.print(f"    → {finding.advice}", markup=False)
    raise typer.Exit(EXIT_FAILED if failed else 0)
