"""`glas models`: what is known, what is on disk, and how to get more."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from glas.cli.session import err, open_settings, out, russian, told
from glas.domain.errors import GlasError
from glas.engines.catalogue import (
    AUTO,
    best_on_disk,
    champion,
    choose,
    is_on_disk,
    known_model,
    known_models,
    resolve,
    title_of,
)
from glas.engines.descriptions import KnownModel
from glas.engines.fetch import fetch_model
from glas.settings import Settings

HELP = """
Какие модели бывают, какие есть на диске; `glas models get ИМЯ` скачивает, `glas models use ИМЯ` выбирает.

Служит та, что названа в GLAS_MODEL; `auto` — выбранная, а если не выбрано — лучшая из тех, что на диске. Сама по себе
ни одна модель не скачивается.
"""

app = typer.Typer(invoke_without_command=True, rich_markup_mode="markdown")


@app.callback()
def models(context: typer.Context) -> None:
    """List models unless a subcommand says otherwise."""
    if context.invoked_subcommand is None:
        _show(open_settings(quiet=True))


@app.command("get")
def get(
    name: Annotated[str, typer.Argument(metavar="ИМЯ", help="Имя из `glas models`, например `onnx:gigaam-v3-ctc`.")],
) -> None:
    """Скачать модель в каталог данных; прерванное продолжается той же командой."""
    settings = open_settings(quiet=True)
    if name == AUTO:
        with told():
            served = resolve(name, settings.models_dir)
        out.print(f"✓ {name} — лучшая из тех, что на диске, сейчас {served}; скачивать нечего", markup=False)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with told():
        with Progress(*columns, console=err, disable=not err.is_terminal) as progress:
            tasks = {}

            def on_progress(file: str, done_bytes: int, total_bytes: int | None) -> None:
                if file not in tasks:
                    tasks[file] = progress.add_task(file, total=total_bytes)
                progress.update(tasks[file], completed=done_bytes, total=total_bytes)

            directory = fetch_model(name, settings.models_dir, on_progress)
        model = known_model(name)
        out.print(f"✓ {name} ({model.title_ru}) — в {directory}", markup=False)
        if resolve(settings.model, settings.models_dir) == model.name:
            out.print("  Теперь служит она: glas run", markup=False)
        else:
            out.print(f"  Служить ею: glas models use {name}, или GLAS_MODEL={name} glas run", markup=False)


@app.command("use")
def use(
    name: Annotated[str, typer.Argument(metavar="ИМЯ", help="Имя из `glas models`, каталог или `auto`: лучшая.")],
) -> None:
    """Выбрать, какой моделью служить при GLAS_MODEL=auto; `auto` отменяет выбор."""
    settings = open_settings(quiet=True)
    with told():
        choose(name, settings.models_dir)
        taken = best_on_disk(settings.models_dir)
    why = "лучшая из тех, что на диске" if name == AUTO else "выбрана"
    out.print(f"✓ {title_of(taken).ru} ({taken}): {why}", markup=False)
    if settings.model != AUTO:
        out.print(f"  Но GLAS_MODEL={settings.model}: пока так задано, служит она.", markup=False)


def _show(settings: Settings) -> None:
    served, best = _served(settings), best_on_disk(settings.models_dir)
    for model in known_models():
        mark = "→" if model.name == served else "•" if model.name == best else " "
        out.print(f"{mark} {model.name:<36}", _state(model, settings), _figures(model), markup=True)
        out.print(f"    {model.summary_ru}", style="dim", markup=False)
    for name in dict.fromkeys((served, best)):
        if Path(name.partition(":")[2]).is_absolute():
            out.print(f"{'→' if name == served else '•'} {name}", f"({title_of(name).ru})", markup=False)
    chosen = " (выбрана: glas models use)" if champion(settings.models_dir) else ""
    out.print(
        f"\n→ служит сейчас (GLAS_MODEL={settings.model}). Для auto — {title_of(best).ru}{chosen}"
        + ("" if served == best else ", она отмечена точкой")
        + ".\nWER — доля ошибок в словах на тесте Russian LibriSpeech, если не назван "
        "другой;\n× — во сколько раз быстрее речи. Это чужие опубликованные цифры, источники: docs/models.md.\n"
        "Скачать: glas models get ИМЯ. Своя модель: GLAS_MODEL=onnx:КАТАЛОГ или whisper:КАТАЛОГ;\n"
        "любая Whisper с Hugging Face: glas models get whisper:ВЛАДЕЛЕЦ/ИМЯ.",
        style="dim",
        markup=False,
    )


def _served(settings: Settings) -> str:
    try:
        return resolve(settings.model, settings.models_dir)
    except GlasError:
        return settings.model


def _state(model: KnownModel, settings: Settings) -> str:
    if is_on_disk(settings.models_dir, model.name):
        return "[green]на диске[/]"
    return "        "


def _figures(model: KnownModel) -> str:
    parts = [] if model.size_mb is None else [f"{model.size_mb:.0f} МБ"]
    if model.wer:
        # The test that nearly all of them were measured on comes last in each list.
        best = model.wer[-1]
        where = "" if "LibriSpeech" in best.test_set else f" ({best.test_set})"
        parts.append(f"WER {russian(100 * best.wer)} %{where}")
    if model.speed:
        parts.append(f"{model.speed.rtfx:.0f}×")
    return ", ".join([*parts, model.licence])
