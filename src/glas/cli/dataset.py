"""`glas dataset`: make and show dataset versions, the lists of recordings for training and measuring models."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glas.cli.language import say
from glas.cli.session import open_settings, out, told
from glas.cli.usage import Command, make_app
from glas.localisation import rounded

if TYPE_CHECKING:
    from glas.training.datasets import Dataset, Version

app = make_app(no_args_is_help=True)

Export = Annotated[Path | None, typer.Option("--export", help=say("dataset-export"))]
Folder = Annotated[Path | None, typer.Option("--folder", help=say("dataset-folder"))]
Places = Annotated[list[Path] | None, typer.Option(help=say("dataset-replay"))]
Sounds = Annotated[list[Path] | None, typer.Option(help=say("dataset-non-speech"))]
Share = Annotated[float, typer.Option(min=0, max=1, help=say("dataset-dev-share"))]
Sure = Annotated[float, typer.Option(min=0, max=1, help=say("dataset-min-confidence"))]
OneSpeaker = Annotated[str | None, typer.Option("--speaker", help=say("dataset-speaker"))]
Whose = Annotated[str | None, typer.Option("--speaker", help=say("dataset-whose"))]
Name = Annotated[str | None, typer.Argument(metavar=say("metavar-name"), help=say("dataset-name"), show_default=False)]

_RANKS = ("agreed", "reviewer", "author", "hypothesis")


@app.command(cls=Command, help=say("dataset-make-help"))
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
    """Make a dataset version from the recordings of the export."""
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
            why = say(f"dataset-reason-{reason.replace('_', '-')}")
            out.print(say("dataset-left-out", reason=why, count=count), markup=False)


@app.command(cls=Command, help=say("dataset-show-help"))
def show(name: Name = None, *, export: Export = None, folder: Folder = None, speaker: Whose = None) -> None:
    """List the versions of the dataset, or show one version.

    If `name` is given, show how many recordings this version has, and how many of them are now missing or changed in
    the export.
    """
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
                out.print(say("dataset-none"), markup=False)
            return
        version = read_version(place, name)
        _show_line(version, speaker)
        _show_counts(version)
        _show_gone(open_dataset(export or settings.export_dir, version))


def _show_line(version: "Version", speaker: str | None, *, n_gone: int = 0) -> None:
    """Print a line about a version: for whom the version was made, and how many recordings each split has.

    Args:
        version: the version of the dataset.
        speaker: a speaker's pseudonym, to count only the recordings of this speaker; None counts all recordings.
        n_gone: number of speakers in the version whose recordings are no longer in the export.
    """
    sides = Counter(one.split.value for one in version.entries if speaker in (None, one.speaker))
    counts = ", ".join(f"{side} {sides[side]}" for side in ("train", "dev", "test"))
    whose = say("dataset-for-all") if version.speaker is None else say("dataset-for-one", speaker=version.speaker)
    gone = say("dataset-speakers-gone", count=n_gone) if n_gone else ""
    out.print(f"{version.name}  {whose}: {counts}{gone}", markup=False)


def _show_counts(version: "Version") -> None:
    for side in ("train", "dev", "test"):
        mine = [one for one in version.entries if one.split == side]
        ranks = Counter(one.rank for one in mine)
        told_ranks = ", ".join(f"{say(f'dataset-rank-{rank}')} {ranks[rank]}" for rank in _RANKS if ranks[rank])
        line = say(
            "dataset-side",
            side=side,
            recordings=len(mine),
            minutes=rounded(sum(one.duration_s for one in mine) / 60),
            speakers=len({one.speaker for one in mine}),
        )
        out.print(line + (say("dataset-ranks", ranks=told_ranks) if told_ranks else ""), markup=False)
    for one in version.replay:
        name = "dataset-more-silent" if one.kind == "non_speech" else "dataset-more"
        out.print(say(name, place=one.place, recordings=one.n_recordings), markup=False)


def _show_gone(dataset: "Dataset") -> None:
    out.print(say("dataset-gone", gone=dataset.n_gone, changed=dataset.n_changed), markup=False)
    for speaker in sorted(dataset.gone_speakers):
        out.print(say("dataset-speaker-gone", speaker=speaker), markup=False)
