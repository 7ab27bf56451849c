"""`glas learn`: one round from corrected messages to a better model, or a round again and again."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glas.cli.export import export_through
from glas.cli.session import err, open_settings, out, russian, told
from glas.cli.train import base_weights, needs_training_packages

if TYPE_CHECKING:
    from glas.settings import Settings
    from glas.training.rounds import Round, RoundPlan

HELP = """
Научить модель на правках: выгрузить, собрать набор данных, дообучить, проверить, выпустить.

Примеры:

    glas learn --guard чтец                  один круг; прошедшая проверку модель ждёт решения
    glas learn --guard чтец --release        и сразу служит
    glas learn --release --every 24          каждые сутки

Если новых исправленных минут меньше --least-minutes, ничего не делается. Прерванный круг продолжается с того места, где
остановился; законченный не повторяется. Как устроено: docs/learning.md.
"""

_S_PER_HOUR = 3600

Folders = list[Path] | None


def learn(
    *,
    guard: Annotated[
        Folders, typer.Option("--guard", help="Записи, на которых нельзя стать хуже; проверка.", metavar="КАТАЛОГ")
    ] = None,
    keep: Annotated[
        Folders, typer.Option("--keep", help="То же при выборе доли; другие записи.", metavar="КАТАЛОГ")
    ] = None,
    replay: Annotated[
        Folders, typer.Option("--replay", help="Записи с текстом, чтобы не забыть старое.", metavar="КАТАЛОГ")
    ] = None,
    speaker: Annotated[str | None, typer.Option(help="Псевдоним: модель для одного человека.")] = None,
    least_minutes: Annotated[float, typer.Option(min=0, help="Сколько новых минут нужно.")] = 10.0,
    epochs: Annotated[int, typer.Option(min=1, help="Сколько раз услышать каждую запись.")] = 6,
    weights: Annotated[
        Path | None, typer.Option(help="Исходные веса; без этого те, что кладёт `glas models get whisper-base`.")
    ] = None,
    release: Annotated[bool, typer.Option("--release", help="Выпустить модель, если она прошла проверку.")] = False,
    every: Annotated[float | None, typer.Option(min=0.01, help="Повторять через столько часов.")] = None,
) -> None:
    """Run a round of learning."""
    settings = open_settings(quiet=True)
    with needs_training_packages():
        from glas.engines.catalogue import embedded_directory
        from glas.launch.assembly import open_data_loader
        from glas.recognition.references import read_reference_set
        from glas.training.datasets.making import Rules
        from glas.training.finetune.base import Base
        from glas.training.finetune.fit import Fit
        from glas.training.finetune.recipe import FinetuneRecipe
        from glas.training.rounds import RoundPlan

        plan = RoundPlan(
            base=Base(embedded_directory(), base_weights(weights)),
            export=settings.export_dir,
            datasets=settings.data_dir / "datasets",
            rounds=settings.data_dir / "rounds",
            rules=Rules(test_share=settings.data_loader.test_share, speaker=speaker, replay=replay or ()),
            guards=[read_reference_set(one) for one in guard or []],
            kept=[read_reference_set(one) for one in keep or []],
            least_minutes=least_minutes,
            recipe=FinetuneRecipe(fit=Fit(epochs=epochs)),
        )
    while True:
        export_through(lambda: open_data_loader(settings), full=False)
        _round(settings, plan, release=release)
        if every is None:
            return
        time.sleep(every * _S_PER_HOUR)


def _round(settings: "Settings", plan: "RoundPlan", *, release: bool) -> None:
    with told():
        from glas.engines.catalogue import choose, named_champion
        from glas.training.rounds import Outcome, run_round

        ended = run_round(settings, plan, lambda line: err.print(line, markup=False, highlight=False))
        _show(ended)
        if ended.outcome is Outcome.PASSED and ended.model:
            name = f"whisper:{ended.model}"
            if named_champion(settings.models_dir) == name:
                return
            if release:
                choose(name, settings.models_dir)
                out.print(f"Теперь служит {name}.", markup=False)
            else:
                out.print(f"Выпустить: glas models use {name}", markup=False)


def _show(ended: "Round") -> None:
    """Print in one or two lines how a round ended."""
    from glas.training.rounds import Outcome

    said = {
        Outcome.TOO_LITTLE: f"новых минут {russian(ended.new_minutes)}: пока мало",
        Outcome.NOT_BETTER: "дообучение не помогло: ни одна доля выученного не лучше прежней модели",
        Outcome.REFUSED: "новая модель не прошла проверку",
        Outcome.PASSED: "новая модель прошла проверку",
    }[ended.outcome]
    out.print(f"Версия набора {ended.version}: {said}.", markup=False)
    if ended.report:
        out.print(f"Отчёт: {ended.report}", markup=False)
