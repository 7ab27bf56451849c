"""`glas models list`, `history` and `retire`: the models that the gate has judged, and the decisions about them."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from glas.cli.language import say
from glas.cli.records import all_records, decide
from glas.cli.session import EXIT_FAILED, err, open_settings, out, told, written
from glas.domain.model_records import ModelState
from glas.engines.catalogue import AUTO, choose, named_champion
from glas.localisation import rounded

if TYPE_CHECKING:
    from glas.clients.model_record_bodies import CheckRecord, DecisionRecord, ModelRecord, VerdictRecord


def list_models() -> None:
    """List the models that the gate has judged, the newest first."""
    settings = open_settings(quiet=True)
    with told():
        records = all_records(settings)
        if not records:
            out.print(say("records-none"), markup=False)
            return
        for one in records:
            facts = [_date(one.creation_datetime), say(f"records-state-{one.state.value.replace('_', '-')}")]
            if one.verdict is not None:
                facts.append(say("records-rates", rates=_rates(one.verdict)))
            if one.n_people:
                facts.append(say("records-taught", people=_people(one)))
            out.print(f"{one.id:>3}  {one.ref}", style="bold", markup=False)
            out.print(f"     {', '.join(facts)}", markup=False)


def history(
    model: Annotated[str | None, typer.Argument(metavar=say("metavar-model"), help=say("models-history-model"))] = None,
) -> None:
    """Show every decision about all models or one model, the oldest decision first, and the origin of each model."""
    settings = open_settings(quiet=True)
    with told():
        records = all_records(settings)
        shown = [one for one in reversed(records) if model is None or _is_meant(one, model)]
        if not shown:
            err.print(say("records-none"), markup=False)
            raise typer.Exit(EXIT_FAILED)
        for one in shown:
            _show(one)


def retire(
    model: Annotated[str, typer.Argument(metavar=say("metavar-model"), help=say("models-history-model"))],
    *,
    reason: Annotated[str | None, typer.Option(help=say("models-retire-reason"))] = None,
) -> None:
    """Retire a model, so that it never answers any more; if it is the champion, the previous champion replaces it."""
    settings = open_settings(quiet=True)
    with told():
        found = [one for one in all_records(settings) if _is_meant(one, model)]
        if len(found) != 1:
            err.print(say("records-not-one", model=model, count=len(found)), style="red", markup=False)
            raise typer.Exit(EXIT_FAILED)
        (record,) = found
        result = decide(settings, record.id, ModelState.RETIRED, reason)
        out.print(say("records-retired", model=str(record.ref)), markup=False)
        if named_champion(settings.models_dir) == record.name:
            before = AUTO if result.champion is None else result.champion.name
            choose(before, settings.models_dir)
            out.print(say("records-serves", model=before), markup=False)


def _is_meant(record: "ModelRecord", wanted: str) -> bool:
    """Return whether the text `wanted` is the number, the name, the end of the name, or the version of a model."""
    return wanted in (str(record.id), record.name, record.version, record.name.rpartition("/")[2])


def _show(record: "ModelRecord") -> None:
    out.print(f"{record.id}  {record.name}  {record.version}", style="bold", markup=False)
    base, data = record.base or "—", record.dataset_version or "—"
    out.print(f"  {say('records-made-of', base=base, data=data, people=_people(record))}", markup=False)
    for one in record.decisions:
        _show_decision(one)
    out.print()


def _show_decision(decision: "DecisionRecord") -> None:
    name = "forced" if decision.is_forced else decision.state.value.replace("_", "-")
    who = decision.operator or say("records-administrator", number=decision.user_id or 0)
    reason = "" if decision.reason is None else f": {decision.reason}"
    moment = f"{decision.creation_datetime.astimezone():%Y-%m-%d %H:%M}"
    out.print(f"  {moment}  {say(f'records-state-{name}')} ({who}){reason}", markup=False)
    if decision.verdict is not None:
        for check in decision.verdict.checks:
            out.print(f"      {_row(check)}", style="dim", markup=False)


def _row(check: "CheckRecord") -> str:
    """Format one check of the gate as a row of a table."""
    from glas.recognition.gate import Check
    from glas.recognition.gate_report import number_of, title_of

    whole = Check.model_validate(check.model_dump())
    limit, value = (number_of(whole, one, say) for one in (whole.limit, whole.value))
    return f"{'✓' if whole.passed else '✗'} {title_of(whole, say)}: {value} ({say('gate-limit')}: {limit})"


def _date(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d}"


def _rates(verdict: "VerdictRecord") -> str:
    before, after = (written(rounded(100 * one)) for one in (verdict.wer_before, verdict.wer_after))
    return f"{before} → {after}"


def _people(record: "ModelRecord") -> str:
    """Return a text that says from how many people a model learnt, and how many of them withdrew their consent."""
    if not record.n_people:
        return "—"
    withdrawn = say("records-withdrawn", count=record.n_withdrawn) if record.n_withdrawn else ""
    return f"{record.n_people} {withdrawn}".strip()
