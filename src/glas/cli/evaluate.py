"""`glas evaluate`: measure the error rate of a model on recordings with reference texts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from glas.cli.language import say
from glas.cli.session import EXIT_FAILED, err, open_settings, out, told, written
from glas.domain.metrics import Interval
from glas.localisation import rounded

if TYPE_CHECKING:
    from glas.recognition import Recogniser
    from glas.recognition.evaluation import Evaluation
    from glas.recognition.references import ReferenceSet


def evaluate(
    model: Annotated[str, typer.Argument(metavar=say("metavar-model"), help=say("evaluate-model"))],
    data: Annotated[
        Path,
        typer.Option("--data", help=say("evaluate-data"), metavar=say("metavar-directory"), show_default=False),
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help=say("evaluate-json"))] = False,
    page: Annotated[
        Path | None, typer.Option("--page", help=say("evaluate-page"), metavar=say("metavar-file"), show_default=False)
    ] = None,
) -> None:
    """Recognise all recordings of a directory or manifest with a model, and print the error rates."""
    settings = open_settings(quiet=True).model_copy(update={"model": model})
    with told():
        from glas.recognition import open_recogniser
        from glas.recognition.evaluation import evaluate as evaluate_all
        from glas.recognition.references import read_reference_set

        references = read_reference_set(data)
        with _progress() as progress:
            task = progress.add_task(say("evaluate-loading"), total=None)
            with open_recogniser(settings) as recogniser:
                progress.update(task, description=references.name, total=len(references.utterances))
                found = evaluate_all(
                    recogniser,
                    references,
                    workers=settings.nn_service.worker_count,
                    on_done=lambda done: progress.update(task, completed=done),
                )
                if page is not None:
                    progress.update(task, description=say("gate-nonspeech"), total=None)
                    _write_page(page, recogniser, found, references, settings.nn_service.worker_count)
        if as_json:
            typer.echo(found.model_dump_json(indent=2))
        else:
            _show(found)
        for failure in found.failures:
            err.print(say("failed-file", file=failure.file, reason=failure.message), style="red", markup=False)
        raise typer.Exit(EXIT_FAILED if found.failures else 0)


def _write_page(
    page: Path, recogniser: "Recogniser", found: "Evaluation", references: "ReferenceSet", workers: int
) -> None:
    """Write the HTML page: error rates, for how many sounds without speech the model writes a text, and used memory."""
    from glas.recognition.evaluation_page import Besides, page_of
    from glas.recognition.loaded import resident_bytes
    from glas.recognition.trial import count_invented, nonspeech

    sounds = list(nonspeech())
    besides = Besides(len(sounds), count_invented(recogniser, sounds, workers), resident_bytes())
    page.write_text(page_of(found, besides, references, say), encoding="utf-8")


def _progress() -> Progress:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


def _show(found: "Evaluation") -> None:
    rates = found.rates
    out.print(say("evaluate-summary-model", model=str(found.model)), markup=False)
    data = say(
        "evaluate-summary-data",
        data=str(found.data),
        recordings=rates.n_utterances,
        minutes=rounded(found.audio_s / 60),
        words=rates.n_words,
    )
    out.print(data, markup=False)
    if found.n_without_reference:
        out.print(f"        {say('evaluate-without-text', count=found.n_without_reference)}", markup=False)
    if found.failures:
        out.print(f"        {say('evaluate-failures', count=len(found.failures))}", markup=False)
    words = say(
        "evaluate-words",
        substitutions=rates.substitutions,
        deletions=rates.deletions,
        insertions=rates.insertions,
    )
    out.print(f"WER     {_percent(rates.wer)} %{_within(found.wer_interval)}   {words}", markup=False)
    out.print(f"CER     {_percent(rates.cer)} %{_within(found.cer_interval)}", markup=False)


def _within(interval: Interval | None) -> str:
    if interval is None:
        return ""
    return f"  ({100 * interval.level:.0f} %: {_percent(interval.low)}…{_percent(interval.high)})"


def _percent(rate: float) -> str:
    return written(rounded(100 * rate, 2))
