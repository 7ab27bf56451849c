"""`glas models`: what is known, what is on disk, and how to get more."""

from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from glas.cli.session import err, open_settings, out, russian, told
from glas.domain.errors import GlasError
from glas.engines.catalogue import AUTO, is_on_disk, known_models, resolve
from glas.engines.fetch import fetch_model
from glas.engines.known import KnownModel
from glas.settings import Settings

HELP = """
Какие модели бывают, какие есть на диске; `glas models get ИМЯ` скачивает.

Служит та, что названа в GLAS_MODEL; `auto` — лучшая из тех, что на диске. Сама по себе ни одна модель не скачивается.
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
        out.print(f"✓ {name} — в {directory}\n  Служить ею: GLAS_MODEL={name} glas run", markup=False)


def _show(settings: Settings) -> None:
    served = _served(settings)
    for model in known_models():
        figures, is_served = _figures(model), model.name == served
        out.print(f"{'→' if is_served else ' '} {model.name:<34}", _state(model, settings), figures, markup=True)
        out.print(f"    {model.summary_ru}", style="dim", markup=False)
    out.print(
        "\n→ служит сейчас (GLAS_MODEL). WER — доля ошибок в словах на тесте Russian LibriSpeech, если не назван "
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
