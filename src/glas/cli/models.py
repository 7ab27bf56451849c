"""`glas models`: what is known, what is on disk, and how to get more."""

from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from glas.cli.session import err, open_settings, out, russian, told
from glas.domain.errors import GlasError
from glas.engines.catalogue import KnownModel, is_on_disk, known_models, resolve
from glas.engines.fetch import fetch_model
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
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Модель", "На диске", "МБ", "WER", "Скорость", "Лицензия", "Что это"):
        table.add_column(title, justify="right" if title in {"МБ", "WER", "Скорость"} else "left", overflow="fold")
    served = _served(settings)
    for model in known_models():
        table.add_row(*_row(model, settings, served))
    out.print(table, soft_wrap=False)
    out.print(
        "\n→ служит сейчас (GLAS_MODEL). WER — доля ошибок в словах на открытом чтении (Russian LibriSpeech), "
        "скорость — во сколько раз быстрее речи; то и другое опубликовано авторами, источники: docs/models.md.\n"
        "Скачать: glas models get ИМЯ. Своя модель: GLAS_MODEL=onnx:КАТАЛОГ.",
        style="dim",
        markup=False,
    )


def _served(settings: Settings) -> str:
    try:
        return resolve(settings.model, settings.models_dir)
    except GlasError:
        return settings.model


def _row(model: KnownModel, settings: Settings, served: str) -> tuple[str, ...]:
    on_disk = is_on_disk(settings.models_dir, model.name)
    # The test that nearly all of them were measured on comes last in each list.
    wer = f"{russian(100 * model.wer[-1].wer)} %" if model.wer else "—"
    speed = f"{model.speed.rtfx:.0f}×" if model.speed else "—"
    return (
        ("→ " if model.name == served else "  ") + model.name,
        "да" if on_disk else "нет" if model.has_engine else "позже",
        f"{model.size_mb:.0f}" if model.size_mb else "—",
        wer,
        speed,
        model.licence,
        model.summary_ru,
    )
