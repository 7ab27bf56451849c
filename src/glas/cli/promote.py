"""`glas promote`: compare a candidate with the champion, and make the candidate the champion if it passes the gate."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from glas.cli.language import say
from glas.cli.session import EXIT_FAILED, EXIT_USAGE, err, open_settings, out, told

if TYPE_CHECKING:
    from glas.recognition.trial import TestData, TrialResult
    from glas.settings import Settings

REPORTS = "promotions"


def promote(
    candidate: Annotated[str, typer.Argument(metavar=say("metavar-model"), help=say("promote-candidate"))],
    data: Annotated[
        Path,
        typer.Option("--data", help=say("promote-data"), metavar=say("metavar-directory"), show_default=False),
    ],
    *,
    guard: Annotated[
        list[Path] | None,
        typer.Option("--guard", help=say("promote-guard"), metavar=say("metavar-directory")),
    ] = None,
    personal: Annotated[bool, typer.Option("--personal", help=say("promote-personal"))] = False,
    person: Annotated[int | None, typer.Option("--person", help=say("promote-person"), show_default=False)] = None,
    chat: Annotated[int | None, typer.Option("--chat", help=say("promote-chat"), show_default=False)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=say("promote-dry-run"))] = False,
    force: Annotated[str | None, typer.Option("--force", help=say("promote-force"))] = None,
) -> None:
    """Measure champion and candidate, write the report of the gate, and release a candidate that passed the gate."""
    _check_options(person, chat, force)
    is_own = person is not None or chat is not None
    settings = open_settings(quiet=True)
    with told():
        from glas.cli.own_models import require_ready
        from glas.recognition.references import read_reference_set
        from glas.recognition.trial import TestData, try_candidate

        if is_own:
            require_ready(settings, candidate, person)
        guards = tuple(read_reference_set(one) for one in guard or [])
        sets = TestData(read_reference_set(data), guards, is_personal=personal or is_own)
        found = try_candidate(settings, candidate, sets, report=told_step)
        _show(found)
        _write_report(settings, found, sets)
        released = (found.verdict.passed or force is not None) and not dry_run
        if is_own:
            _decide_own_model(settings, found, person, chat, released=released, force=force)
        else:
            _decide_champion(settings, found, candidate, released=released, force=force, dry_run=dry_run)
    if not released and not found.verdict.passed:
        err.print(say("promote-refused"), style="red", markup=False)
        raise typer.Exit(EXIT_FAILED)


def _check_options(person: int | None, chat: int | None, force: str | None) -> None:
    """End the command `glas promote` with a message if its options are wrong.

    The options are wrong if a release is forced without a reason, or if a person and a chat are given together.
    """
    fault = None
    if force is not None and not force.strip():
        fault = say("promote-no-reason")
    elif person is not None and chat is not None:
        fault = say("promote-either")
    if fault is not None:
        err.print(fault, style="red", markup=False)
        raise typer.Exit(EXIT_USAGE)


def told_step(model: str | None) -> None:
    """Print which model is being measured; None means that the speeds of both models are being compared."""
    text = say("promote-speed") if model is None else say("promote-measure", model=model)
    err.print(text, markup=False, highlight=False)


def _show(found: "TrialResult") -> None:
    from glas.recognition.gate_report import number_of, title_of

    table = Table("", say("gate-condition"), say("gate-limit"), say("gate-value"), box=None)
    for check in found.verdict.checks:
        mark = "✓" if check.passed else "✗"
        limit, value = (number_of(check, one, say) for one in (check.limit, check.value))
        table.add_row(mark, title_of(check, say), limit, value)
    out.print(table)


def _write_report(settings: "Settings", found: "TrialResult", sets: "TestData") -> None:
    from glas.recognition.gate_report import write_report

    folder = settings.models_dir / REPORTS / f"{time.strftime('%Y-%m-%d-%H%M%S')}-{found.verdict.candidate.version}"
    page = write_report(folder, found, sets.test, say, sets.guards)
    out.print(say("promote-report", page=str(page)), markup=False)


def _decide_own_model(
    settings: "Settings",
    found: "TrialResult",
    person: int | None,
    chat: int | None,
    *,
    released: bool,
    force: str | None,
) -> None:
    """Make the candidate an own model if `released` is set; in any case, add the verdict to the journal."""
    from glas.cli.own_models import give

    if released:
        give(settings, found.verdict, tg_id=person, chat_id=chat)
    _note(settings, found, released=False, force=force)


def _decide_champion(
    settings: "Settings",
    found: "TrialResult",
    candidate: str,
    *,
    released: bool,
    force: str | None,
    dry_run: bool,
) -> None:
    """Make the candidate the champion if `released` is set; in any case, add the decision to the journal."""
    from glas.cli.records import record_promotion
    from glas.cli.stored_models import store
    from glas.engines.catalogue import choose

    if released:
        store(settings, found.verdict.candidate)
        choose(candidate, settings.models_dir)
    _note(settings, found, released=released, force=force)
    if not dry_run:
        record_promotion(settings, found.verdict, released=released, force=force)
    if released:
        former = found.verdict.champion.name
        out.print(say("promote-serves", model=str(found.verdict.candidate), former=former), markup=False)


def _note(settings: "Settings", found: "TrialResult", *, released: bool, force: str | None) -> None:
    """Add the decision about the candidate to the journal of promotions (`glas.recognition.journal`)."""
    from glas.recognition import journal

    verdict = found.verdict
    promotion = journal.Promotion(
        champion=verdict.champion,
        candidate=verdict.candidate,
        event="judged" if not released else "released" if verdict.passed else "forced",
        failed=tuple(check.condition.value for check in verdict.checks if not check.passed),
        reason=force,
    )
    journal.write(settings.models_dir, promotion)
