"""`glas dataset`: which recordings of the export a model is trained and measured with."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glas.cli.session import open_settings, out, russian, told
from glas.domain.numerals import count_form

if TYPE_CHECKING:
    from glas.training.datasets import Dataset, Version

HELP = """
Наборы данных для обучения: какие записи выгрузки учить, на каких проверять.

Примеры:

    glas export                              сначала выгрузить
    glas dataset make                        сделать версию набора
    glas dataset show                        какие версии есть
    glas dataset show ИМЯ                    что в ней: минуты, говорящие, чьи слова, что с тех пор ушло
    glas dataset show --speaker ПСЕВДОНИМ    какие версии учили или проверяли на этом человеке

Версия — файл, в котором нет ни текстов, ни звука: только номера записей и контрольные суммы. Имя файла — хеш его
содержимого. Кого удалили или кто отозвал согласие, пропадает и из старых версий. Подробно: docs/datasets.md.
"""

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")

Export = Annotated[Path | None, typer.Option("--export", help="Каталог выгрузки; без этого тот, куда пишет glas.")]
Folder = Annotated[Path | None, typer.Option("--folder", help="Каталог версий; без этого datasets в GLAS_DATA_DIR.")]
Places = Annotated[
    list[Path] | None, typer.Option(help="Ещё записи с верными текстами, только учить; можно много раз.")
]
Sounds = Annotated[list[Path] | None, typer.Option(help="Каталог звуков без речи, учить молчать; можно много раз.")]
Share = Annotated[float, typer.Option(min=0, max=1, help="Доля говорящих, по которым следят за обучением.")]
Sure = Annotated[
    float,
    typer.Option(
        min=0, max=1, help="Уверенность, с которой распознанный текст с оценкой ✅ идёт в обучение без правки."
    ),
]
OneSpeaker = Annotated[str | None, typer.Option("--speaker", help="Псевдоним: набор для одного человека.")]
Whose = Annotated[str | None, typer.Option("--speaker", help="Псевдоним: в каких версиях он есть.")]
Name = Annotated[str | None, typer.Argument(metavar="[ИМЯ]", help="Версия.", show_default=False)]

_REASONS = {
    "no_target": "без верных слов",
    "not_for_tests": "для проверки не годятся: слова не человека",
    "both_sides": "те же слова уже на другой стороне",
    "moved": "перенесены выгрузкой прямо сейчас",
}
_RANKS = {"agreed": "сошлись двое", "reviewer": "проверяющий", "author": "автор", "hypothesis": "модель"}


@app.command()
def make(
    *,
    export: Export = None,
    folder: Folder = None,
    replay: Places = None,
    non_speech: Sounds = None,
    speaker: OneSpeaker = None,
    dev_share: Share = 0.05,
    min_confidence: Sure = 0.9,
) -> None:
    """Сделать версию из выгрузки; доля проверочных говорящих — GLAS_DATA_LOADER__TEST_SHARE."""
    settings = open_settings(quiet=True)
    from glas.training.datasets.making import Rules, make_version

    rules = Rules(
        test_share=settings.data_loader.test_share,
        dev_share=dev_share,
        min_confidence=min_confidence,
        speaker=speaker,
        replay=replay or (),
        non_speech=non_speech or (),
    )
    with told():
        made = make_version(export or settings.export_dir, folder or settings.data_dir / "datasets", rules)
        out.print(f"✓ {made.path}", markup=False)
        _show_counts(made.version)
        for reason, count in sorted(made.left_out.items()):
            out.print(f"  не вошло: {_REASONS[reason]} — {count}", markup=False)


@app.command()
def show(name: Name = None, *, export: Export = None, folder: Folder = None, speaker: Whose = None) -> None:
    """Показать версии; с именем — что в ней и что с тех пор ушло из выгрузки."""
    settings = open_settings(quiet=True)
    from glas.training.datasets import open_dataset, read_version
    from glas.training.datasets.exported import speakers_in
    from glas.training.datasets.version import versions_in

    place = folder or settings.data_dir / "datasets"
    with told():
        if name is None:
            found = [one for one in versions_in(place) if speaker is None or speaker in one.speakers]
            here = speakers_in(export or settings.export_dir) if found else frozenset()
            for version in found:
                _show_line(version, speaker, n_gone=len(version.speakers - here))
            if not found:
                out.print("Таких версий нет. Сделать: glas dataset make", markup=False)
            return
        version = read_version(place, name)
        _show_line(version, speaker)
        _show_counts(version)
        _show_gone(open_dataset(export or settings.export_dir, version))


def _show_line(version: "Version", speaker: str | None, *, n_gone: int = 0) -> None:
    """Print a version in one line; of a speaker, on which side their recordings are.

    Args:
        version: to be shown.
        speaker: a pseudonym; None counts everybody.
        n_gone: speakers of whom the export has nothing any more.
    """
    sides = Counter(one.split.value for one in version.entries if speaker in (None, one.speaker))
    counts = ", ".join(f"{side} {sides[side]}" for side in ("train", "dev", "test"))
    whose = "для всех" if version.speaker is None else f"для {version.speaker}"
    gone = f"; говорящих больше нет в выгрузке: {n_gone}" if n_gone else ""
    out.print(f"{version.name}  {whose}: {counts}{gone}", markup=False)


def _show_counts(version: "Version") -> None:
    for side in ("train", "dev", "test"):
        mine = [one for one in version.entries if one.split == side]
        minutes = russian(sum(one.duration_s for one in mine) / 60)
        ranks = Counter(one.rank for one in mine)
        told_ranks = ", ".join(f"{text} {ranks[rank]}" for rank, text in _RANKS.items() if ranks[rank])
        n_speakers = len({one.speaker for one in mine})
        line = f"  {side}: {_records(len(mine))}, {minutes} мин, говорящих {n_speakers}"
        out.print(line + (f"; чьи слова: {told_ranks}" if told_ranks else ""), markup=False)
    for one in version.replay:
        what = "без речи" if one.kind == "non_speech" else "с текстами"
        out.print(f"  ещё учить: {one.place} ({what}), {_records(one.n_recordings)}", markup=False)


def _show_gone(dataset: "Dataset") -> None:
    out.print(
        f"  ушло из выгрузки: {_records(dataset.n_gone)}; изменилось: {_records(dataset.n_changed)}", markup=False
    )
    for speaker in sorted(dataset.gone_speakers):
        out.print(f"  • говорящего {speaker} в выгрузке больше нет, а модели этой версии его слышали", markup=False)


def _records(number: int) -> str:
    return f"{number} {count_form(number, 'запись', 'записи', 'записей')}"
