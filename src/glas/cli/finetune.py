"""`glas finetune`: train a model on corrected recordings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glas.cli.language import say
from glas.cli.recipes import chosen_recipe, open_base
from glas.cli.session import EXIT_FAILED, err, open_settings, out
from glas.cli.train import needs_training_packages
from glas.localisation import Value, rounded

if TYPE_CHECKING:
    from glas.training.finetune.data import FinetuneData
    from glas.training.finetune.share import MeasuredShare

Folders = list[Path] | None


def finetune(
    to: Annotated[Path, typer.Argument(metavar=say("metavar-model"), help=say("finetune-to"))],
    data: Annotated[
        list[Path],
        typer.Option("--data", help=say("finetune-data"), metavar=say("metavar-directory"), show_default=False),
    ],
    *,
    replay: Annotated[
        Folders, typer.Option("--replay", help=say("finetune-replay"), metavar=say("metavar-directory"))
    ] = None,
    keep: Annotated[
        Folders, typer.Option("--keep", help=say("finetune-keep"), metavar=say("metavar-directory"))
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option("--recipe", help=say("finetune-recipe"), metavar=say("metavar-file"))
    ] = None,
    base: Annotated[str | None, typer.Option("--base", help=say("finetune-base"), metavar=say("metavar-model"))] = None,
    weights: Annotated[Path | None, typer.Option(help=say("finetune-weights"))] = None,
    work: Annotated[Path | None, typer.Option(help=say("finetune-work"))] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help=say("finetune-epochs"))] = None,
    share: Annotated[list[float] | None, typer.Option(min=0.01, max=1, help=say("finetune-share"))] = None,
    threads: Annotated[int | None, typer.Option(min=1, help=say("finetune-threads"))] = None,
    personal: Annotated[bool, typer.Option("--personal", help=say("finetune-personal"))] = False,
) -> None:
    """Fine-tune a model, and print the error rates for different shares of the learnt change of weights."""
    with needs_training_packages():
        from glas.training.finetune.steps import finetune as finetune_model

        chosen = chosen_recipe(recipe, base=base, epochs=epochs, shares=share, threads=threads)
        found = finetune_model(
            open_base(open_settings(quiet=True), chosen.base, weights),
            _data(data, replay or [], keep or [], is_personal=personal),
            work or to.with_name(f".{to.name}.work"),
            to,
            recipe=chosen,
            report=told_step,
        )
    if found.chosen is None:
        err.print(say("finetune-nothing"), style="yellow")
        raise typer.Exit(EXIT_FAILED)
    _show(found.before, found.chosen, to)


def _data(corrected: list[Path], replayed: list[Path], kept: list[Path], *, is_personal: bool) -> "FinetuneData":
    from glas.recognition.references import read_reference_set
    from glas.training.finetune.data import FinetuneData

    return FinetuneData(
        [one for folder in corrected for one in read_reference_set(folder).utterances],
        [one for folder in replayed for one in read_reference_set(folder).utterances],
        [read_reference_set(folder) for folder in kept],
        is_personal=is_personal,
    )


def _show(before: "MeasuredShare", chosen: "MeasuredShare", to: Path) -> None:
    done = say(
        "finetune-done",
        place=str(to),
        share=rounded(100 * chosen.share, 0),
        before=rounded(100 * before.dev.wer),
        after=rounded(100 * chosen.dev.wer),
    )
    out.print(done, markup=False)


def told_step(name: str, /, **values: Value) -> None:
    """Print the text `name` of the catalogue, which is about a step; `values` are the variables of the text."""
    err.print(say(name, **values), markup=False, highlight=False)
