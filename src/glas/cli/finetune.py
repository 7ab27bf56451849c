"""`glas finetune`: train a model on corrected recordings."""

from pathlib import Path
from typing import Annotated

import typer

from glas.cli.session import EXIT_FAILED, err, out, russian
from glas.cli.train import base_weights, needs_training_packages

HELP = """
Дообучить модель на исправленных записях.

Примеры:

    glas finetune data/models/second --data downloads              на том, что выгрузил `glas export`
    glas finetune data/models/ivan --data ivan --keep чтец         и так, чтобы чтеца распознавать не хуже

Записи: каталог с metadata.jsonl или manifest.jsonl (см. `glas evaluate`). Часть их модель не слышит: по ним
выбирается, сколько выученного оставить. Прерванное продолжается той же командой. Нужны пакеты обучения
(`make train-setup`) и исходные веса (`glas models get whisper-base`).

Новая модель ещё не служит: её проверяет и выпускает `glas promote`.
"""

Folders = list[Path] | None


def finetune(
    to: Annotated[Path, typer.Argument(metavar="МОДЕЛЬ", help="Каталог новой модели.")],
    data: Annotated[
        list[Path], typer.Option("--data", help="Записи с верным текстом: каталог или манифест.", metavar="КАТАЛОГ")
    ],
    *,
    replay: Annotated[
        Folders, typer.Option("--replay", help="Другие записи с текстом, чтобы не забыть старое.", metavar="КАТАЛОГ")
    ] = None,
    keep: Annotated[
        Folders,
        typer.Option("--keep", help="Записи, на которых новая модель не должна стать хуже.", metavar="КАТАЛОГ"),
    ] = None,
    base: Annotated[
        Path | None, typer.Option(help="Каталог модели, от которой учиться; без этого — встроенная.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Её исходные веса; без этого те, что кладёт `glas models get whisper-base`.")
    ] = None,
    work: Annotated[Path | None, typer.Option(help="Каталог для промежуточного; без этого рядом с моделью.")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Сколько раз услышать каждую запись.")] = 6,
    share: Annotated[
        list[float] | None,
        typer.Option(min=0.01, max=1, help="Какую долю выученного пробовать; можно несколько раз."),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Сколько ядер занять.")] = 1,
) -> None:
    """Fine-tune a model and print what each share of the change does."""
    with needs_training_packages():
        from glas.engines.catalogue import embedded_directory
        from glas.engines.whisper.checkpoint import CONVERTED_WEIGHTS
        from glas.recognition.references import read_reference_set
        from glas.training.finetune.base import Base
        from glas.training.finetune.fit import Fit
        from glas.training.finetune.recipe import FinetuneData, FinetuneRecipe
        from glas.training.finetune.recipe import finetune as finetune_model
        from glas.training.finetune.share import SHARES

        directory = base or embedded_directory()
        is_whole = weights is None and base is not None and not (base / CONVERTED_WEIGHTS).is_file()
        start = Base(directory, directory if is_whole else base_weights(weights))
        corrected = [one for folder in data for one in read_reference_set(folder).utterances]
        replayed = [one for folder in replay or [] for one in read_reference_set(folder).utterances]
        found = finetune_model(
            start,
            FinetuneData(corrected, replayed, [read_reference_set(folder) for folder in keep or []]),
            work or to.with_name(f".{to.name}.work"),
            to,
            recipe=FinetuneRecipe(fit=Fit(epochs=epochs), shares=tuple(share or SHARES), threads=threads),
            report=lambda line: err.print(line, markup=False, highlight=False),
        )
    if found.chosen is None:
        err.print("Ни одна доля выученного не лучше прежней модели: новая не записана.", style="yellow")
        raise typer.Exit(EXIT_FAILED)
    before, after = found.before.dev.wer, found.chosen.dev.wer
    out.print(
        f"Готово: {to}. Оставлено {russian(100 * found.chosen.share)} % выученного; WER на отложенных записях "
        f"{russian(100 * before, 1)} → {russian(100 * after, 1)} %.",
        markup=False,
    )
