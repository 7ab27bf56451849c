"""`glas evaluate`: how many errors a model makes on recordings whose text is known."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from glas.cli.session import EXIT_FAILED, err, open_settings, out, russian, told
from glas.domain.metrics import Interval

if TYPE_CHECKING:
    from glas.recognition.evaluation import Evaluation

HELP = """
Посчитать ошибки модели на записях, текст которых известен.

Примеры:

    glas evaluate embedded --data test                  каталог с metadata.jsonl или manifest.jsonl
    glas evaluate auto --data manifest.jsonl --json     всё, вместе с текстом каждой записи

Записи распознаются этой же программой и ровно так, как их распознаёт сервер: с теми же настройками, поиском речи,
отсевом выдуманного и записью чисел. Данные: каталог в виде `audiofolder` (metadata.jsonl: file_name, text), манифест
NeMo (audio_filepath, text) или каталог с ним, в том числе то, что пишет `glas export`.

WER и CER считаются по нормализованному тексту (RU-NORM), по всем записям вместе. Интервал — бутстреп по записям
(Bisani, Ney, 2004), всегда с одним и тем же начальным числом.
"""


def evaluate(
    model: Annotated[str, typer.Argument(metavar="МОДЕЛЬ", help="Имя из `glas models` или `onnx:КАТАЛОГ`.")],
    data: Annotated[
        Path, typer.Option("--data", help="Каталог записей или манифест.", metavar="КАТАЛОГ", show_default=False)
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Напечатать всё как JSON.")] = False,
) -> None:
    """Recognise all recordings of a data set and print the error rates."""
    settings = open_settings(quiet=True).model_copy(update={"model": model})
    with told():
        from glas.recognition import open_recogniser
        from glas.recognition.evaluation import evaluate as evaluate_all
        from glas.recognition.references import read_reference_set

        references = read_reference_set(data)
        with _progress() as progress:
            task = progress.add_task("модель загружается", total=None)
            with open_recogniser(settings) as recogniser:
                progress.update(task, description=references.name, total=len(references.utterances))
                found = evaluate_all(
                    recogniser,
                    references,
                    workers=settings.nn_service.worker_count,
                    on_done=lambda done: progress.update(task, completed=done),
                )
        if as_json:
            typer.echo(found.model_dump_json(indent=2))
        else:
            _show(found)
        for failure in found.failures:
            err.print(f"✗ {failure.file}: {failure.message}", style="red", markup=False)
        raise typer.Exit(EXIT_FAILED if found.failures else 0)


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
    out.print(f"Модель  {found.model}", markup=False)
    minutes = russian(found.audio_s / 60)
    out.print(
        f"Данные  {found.data}: записей {rates.n_utterances}, минут {minutes}, слов {rates.n_words}", markup=False
    )
    if found.n_without_reference:
        out.print(f"        без известного текста, не считались: {found.n_without_reference}", markup=False)
    if found.failures:
        out.print(f"        не распознались, не считались: {len(found.failures)}", markup=False)
    words = f"замен {rates.substitutions}, пропусков {rates.deletions}, вставок {rates.insertions}"
    out.print(f"WER     {_percent(rates.wer)} %{_within(found.wer_interval)}   {words}", markup=False)
    out.print(f"CER     {_percent(rates.cer)} %{_within(found.cer_interval)}", markup=False)


def _within(interval: Interval | None) -> str:
    if interval is None:
        return ""
    return f"  ({100 * interval.level:.0f} %: {_percent(interval.low)}…{_percent(interval.high)})"


def _percent(rate: float) -> str:
    return russian(100 * rate, 2)
