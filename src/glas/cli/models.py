"""`glas models`: list known models and models on disk, download models, and choose the champion."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from glas.cli.canary import canary
from glas.cli.language import say, title
from glas.cli.model_history import history, list_models, retire
from glas.cli.own_models import own
from glas.cli.session import err, open_settings, out, told, written
from glas.cli.usage import Command, make_app
from glas.cli.watch import watch
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
    resolve_chosen,
    title_of,
)
from glas.engines.descriptions import KnownModel
from glas.engines.fetch import fetch_model
from glas.localisation import rounded
from glas.settings import Settings

app = make_app(invoke_without_command=True)


@app.callback()
def models(context: typer.Context) -> None:
    """List the models, if no subcommand is given."""
    if context.invoked_subcommand is None:
        _show(open_settings(quiet=True))


@app.command("get", cls=Command, help=say("models-get-help"))
def get(
    name: Annotated[str, typer.Argument(metavar=say("metavar-name"), help=say("models-get-name"))],
) -> None:
    """Download a model, and show the progress."""
    settings = open_settings(quiet=True)
    if name == AUTO:
        with told():
            served = resolve(name, settings.models_dir)
        out.print(say("models-nothing-to-fetch", name=name, served=served), markup=False)
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
        fetched = say("models-fetched", name=name, title=title(title_of(model.name)), directory=str(directory))
        serves = resolve(settings.model, settings.models_dir) == model.name
        next_step = say("models-serves-now") if serves else say("models-to-serve", name=name)
        out.print(f"{fetched}\n  {next_step}", markup=False)


@app.command("use", cls=Command, help=say("models-use-help"))
def use(
    name: Annotated[str, typer.Argument(metavar=say("metavar-name"), help=say("models-use-name"))],
) -> None:
    """Choose the champion, for which the name `auto` stands, or cancel this choice."""
    settings = open_settings(quiet=True)
    with told():
        from glas.cli.records import record_choice

        former = best_on_disk(settings.models_dir)
        chosen = resolve_chosen(name, settings.models_dir)
        if chosen != former:
            record_choice(settings, former, chosen)
        choose(name, settings.models_dir)
        taken = best_on_disk(settings.models_dir)
    told_as = "models-used-best" if name == AUTO else "models-used"
    out.print(say(told_as, title=title(title_of(taken)), name=taken), markup=False)
    if settings.model != AUTO:
        out.print(f"  {say('models-setting-wins', model=settings.model)}", markup=False)


app.command("list", cls=Command, help=say("models-list-help"))(list_models)
app.command("history", cls=Command, help=say("models-history-help"))(history)
app.command("retire", cls=Command, help=say("models-retire-help"))(retire)
app.command("canary", cls=Command, help=say("models-canary-help"))(canary)
app.command("own", cls=Command, help=say("models-own-help"))(own)
app.command("watch", cls=Command, help=say("models-watch-help"))(watch)


def _show(settings: Settings) -> None:
    served, best = _served(settings), best_on_disk(settings.models_dir)
    for model in known_models():
        mark = "→" if model.name == served else "•" if model.name == best else " "
        out.print(f"{mark} {model.name:<36}", _state(model, settings), _figures(model), markup=True)
        summary = model.summary_en if say.language == "en" else model.summary_ru
        out.print(f"    {summary}", style="dim", markup=False)
    for name in dict.fromkeys((served, best)):
        if Path(name.partition(":")[2]).is_absolute():
            out.print(f"{'→' if name == served else '•'} {name}", f"({title(title_of(name))})", markup=False)
    chosen = "-chosen" if champion(settings.models_dir) else ""
    marked = "" if served == best else "-marked"
    legend = (
        say("models-served", model=settings.model),
        say(f"models-auto{chosen}{marked}", title=title(title_of(best))),
    )
    out.print("\n" + " ".join(legend) + "\n" + say("models-legend"), style="dim", markup=False)


def _served(settings: Settings) -> str:
    try:
        return resolve(settings.model, settings.models_dir)
    except GlasError:
        return settings.model


def _state(model: KnownModel, settings: Settings) -> str:
    if is_on_disk(settings.models_dir, model.name):
        return f"[green]{say('models-on-disk')}[/]"
    return " " * len(say("models-on-disk"))


def _figures(model: KnownModel) -> str:
    parts = [] if model.size_mb is None else [say("models-size", megabytes=round(model.size_mb))]
    if model.wer:
        # In each list, the last rate is that for the test set with which nearly all models were measured.
        best = model.wer[-1]
        where = "" if "LibriSpeech" in best.test_set else f" ({best.test_set})"
        parts.append(f"WER {written(rounded(100 * best.wer))} %{where}")
    if model.speed:
        parts.append(f"{model.speed.rtfx:.0f}×")
    return ", ".join([*parts, model.licence])
