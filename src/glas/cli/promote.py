"""`glas promote`: let a new model serve if it is better, and say in a table why or why not."""

import getpass
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from glas.cli.session import EXIT_FAILED, EXIT_USAGE, err, open_settings, out, told

if TYPE_CHECKING:
    from glas.recognition.trial import TrialResult
    from glas.settings import Settings

HELP = """
Проверить новую модель и, если она лучше, выпустить её.

Примеры:

    glas promote whisper:data/models/second --data test --guard чтец       проверить и выпустить
    glas promote whisper:data/models/second --data test --dry-run          только проверить

Обе модели — та, что служит сейчас, и новая — распознают одни и те же записи так, как их распознаёт сервер. Новая
проходит, только если выполнены все условия: ошибок на проверочных записях меньше хотя бы на 5 % и это не случайность
(интервал бутстрепа выше нуля), на каждом наборе --guard хуже не больше чем на 0,3 пункта, выдуманных текстов не больше,
работает не медленнее, нигде не провалилась, ничего из проверочного не слышала при обучении.

Сервер, который работает с `GLAS_MODEL=auto`, возьмёт её сам через секунду или две, не отказав ни одному запросу.
Вернуть прежнюю: `glas models use ПРЕЖНЯЯ`.
"""

JOURNAL = "promotions.jsonl"
REPORTS = "promotions"


def promote(
    candidate: Annotated[str, typer.Argument(metavar="МОДЕЛЬ", help="Имя из `glas models` или `whisper:КАТАЛОГ`.")],
    data: Annotated[Path, typer.Option("--data", help="Проверочные записи с верным текстом.", metavar="КАТАЛОГ")],
    *,
    guard: Annotated[
        list[Path] | None,
        typer.Option("--guard", help="Записи, на которых нельзя стать хуже.", metavar="КАТАЛОГ"),
    ] = None,
    personal: Annotated[
        bool, typer.Option("--personal", help="Модель для тех же людей: проверочное отделено по текстам.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Проверить и ничего не менять.")] = False,
    force: Annotated[
        str | None, typer.Option("--force", help="Выпустить и не прошедшую; почему — останется в журнале.")
    ] = None,
) -> None:
    """Measure, judge, write the report down, and choose the candidate if it passed."""
    if force is not None and not force.strip():
        err.print("✗ --force: напишите, почему.", style="red", markup=False)
        raise typer.Exit(EXIT_USAGE)
    settings = open_settings(quiet=True)
    with told():
        from glas.engines.catalogue import choose
        from glas.recognition.gate_report import write_report
        from glas.recognition.references import read_reference_set
        from glas.recognition.trial import TestData, try_candidate

        sets = TestData(read_reference_set(data), tuple(read_reference_set(one) for one in guard or []), personal)
        found = try_candidate(
            settings, candidate, sets, report=lambda line: err.print(line, markup=False, highlight=False)
        )
        _show(found)
        folder = settings.models_dir / REPORTS / f"{time.strftime('%Y-%m-%d-%H%M%S')}-{found.verdict.candidate.version}"
        page = write_report(folder, found, sets.test)
        out.print(f"Отчёт: {page}", markup=False)
        released = (found.verdict.passed or force is not None) and not dry_run
        if released:
            choose(candidate, settings.models_dir)
        _note(settings, found, released=released, force=force)
    if released:
        out.print(f"Теперь служит {found.verdict.candidate}. Вернуть прежнюю: glas models use {_previous(found)}")
    elif not found.verdict.passed:
        err.print("✗ Модель не выпущена: выполнены не все условия.", style="red")
        raise typer.Exit(EXIT_FAILED)


def _show(found: "TrialResult") -> None:
    from glas.recognition.gate_report import number_of, title_of

    table = Table("", "Условие", "Граница", "Измерено", box=None)
    for check in found.verdict.checks:
        mark = "✓" if check.passed else "✗"
        table.add_row(mark, title_of(check), number_of(check, check.limit), number_of(check, check.value))
    out.print(table)


def _previous(found: "TrialResult") -> str:
    return found.verdict.champion.name


def _note(settings: "Settings", found: "TrialResult", *, released: bool, force: str | None) -> None:
    """Add a line to the journal of promotions."""
    line = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "by": getpass.getuser(),
        "champion": str(found.verdict.champion),
        "candidate": str(found.verdict.candidate),
        "passed": found.verdict.passed,
        "released": released,
        "forced_because": force,
        "failed": [check.condition for check in found.verdict.checks if not check.passed],
    }
    with (settings.models_dir / JOURNAL).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
