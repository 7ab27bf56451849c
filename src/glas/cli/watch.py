"""`glas models watch`: whether people rate the new model worse than the one before, and if so take it back."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from glas.cli.language import say
from glas.cli.session import EXIT_FAILED, open_settings, out, told

if TYPE_CHECKING:
    from glas.domain.model_ref import ModelRef
    from glas.domain.ratings_watch import RatingsWatch
    from glas.settings import Settings

_MOST_BEFORE = 2000


def watch(
    *, roll_back: Annotated[bool, typer.Option("--roll-back", help=say("models-watch-roll-back"))] = False
) -> None:
    """Compare the ratings of the model that serves with those of the model before."""
    settings = open_settings(quiet=True)
    with told():
        from glas.cli.records import last_release, record_roll_back
        from glas.engines.catalogue import choose
        from glas.recognition import journal

        last = last_release(settings)
        if last is None:
            out.print(say("watch-nothing"), markup=False)
            return
        before, after = last
        found = asyncio.run(_watched(settings, before, after))
        _show(found, after)
        if not found.has_alarm:
            return
        if roll_back:
            choose(before.name, settings.models_dir)
            why = f"{found.bad_after} of {found.n_after} ratings bad, before {found.bad_before} of {found.n_before}"
            taken_back = journal.Promotion(champion=after, candidate=before, event="taken_back", reason=why)
            journal.write(settings.models_dir, taken_back)
            record_roll_back(settings, after, why)
            out.print(say("watch-taken-back", model=before.name), markup=False)
        else:
            out.print(say("watch-advice"), markup=False)
    raise typer.Exit(EXIT_FAILED)


async def _watched(settings: "Settings", before: "ModelRef", after: "ModelRef") -> "RatingsWatch":
    """Count the ratings of both models."""
    from glas.domain.messages import Score
    from glas.domain.ratings_watch import MOST_AFTER, RatingsWatch
    from glas.launch.assembly import open_db_assist

    async with open_db_assist(settings) as db_assist:
        old = (await db_assist.ratings_of(before, limit=_MOST_BEFORE)).scores
        new = (await db_assist.ratings_of(after, limit=_MOST_BEFORE)).scores
    found = RatingsWatch(len(old), sum(score is Score.BAD for score in old))
    found.count([score is Score.BAD for score in new[:MOST_AFTER]])
    return found


def _show(found: "RatingsWatch", model: "ModelRef") -> None:
    text = say(
        "watch-counts",
        model=model.name,
        bad=found.bad_after,
        rated=found.n_after,
        bad_before=found.bad_before,
        rated_before=found.n_before,
    )
    out.print(text, markup=False)
    if not found.can_tell:
        out.print(say("watch-too-few"), markup=False)
    else:
        out.print(say("watch-worse" if found.has_alarm else "watch-fine"), markup=False)
