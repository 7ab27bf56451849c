"""`glas doctor`: check the installation, and say how to repair what does not work."""

import typer

from glas.cli.session import EXIT_FAILED, open_settings, out

_MARKS = {"ok": "[green]✓[/]", "warn": "[yellow]•[/]", "fail": "[red]✗[/]"}


def doctor() -> None:
    """Run all checks; they change nothing."""
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
