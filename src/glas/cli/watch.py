"""`glas models watch`: compare people's ratings of a new model with those of the previous model.

If the new model is worse and the option `--roll-back` is given, the previous model becomes the champion again.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from glas.cli.db_assist import ask_db_assist
from glas.cli.language import say
from glas.cli.session import EXIT_FAILED, open_settings, out, told

if TYPE_CHECKING:
    from glas.domain.model_ref import ModelRef
    from glas.domain.ratings_watch import RatingsWatch
    from glas.settings import Settings


def watch(
    *, roll_back: Annotated[bool, typer.Option("--roll-back", help=say("models-watch-roll-back"))] = False
) -> None:
    """Compare the ratings of the candidate with those of the champion.

    If there is no candidate, compare the ratings of the champion with those of the previous champion.
    """
    settings = open_settings(quiet=True)
    with told():
        from glas.cli.records import last_release

        tried = _tried(settings)
        compared = tried or last_release(settings)
        if compared is None:
            out.print(say("watch-nothing"), markup=False)
            return
        before, after = compared
        found = ask_db_assist(settings, lambda db_assist: db_assist.compare_ratings(before, after))
        _show(found, after)
        if not found.has_alarm:
            return
        if not roll_back:
            out.print(say("watch-advice"), markup=False)
        elif tried is not None:
            _end(settings, after, found.summary)
        else:
            _roll_back(settings, before, after, found.summary)
    raise typer.Exit(EXIT_FAILED)


def _tried(settings: "Settings") -> "tuple[ModelRef, ModelRef] | None":
    """Return the champion, and the candidate that answers a part of all people; None if there is no candidate."""
    from glas.domain.model_ref import ModelRef
    from glas.engines.candidate import chosen_candidate
    from glas.engines.catalogue import best_on_disk, uniform_on_disk
    from glas.engines.versions import ModelVersions

    choice = chosen_candidate(settings.models_dir)
    candidate = None if choice is None or not choice.share else uniform_on_disk(choice.model, settings.models_dir)
    champion = best_on_disk(settings.models_dir)
    if candidate is None or candidate == champion:
        return None
    versions = ModelVersions(settings.models_dir)
    first, second = (ModelRef(name=one, version=versions.version_of(one)) for one in (champion, candidate))
    return first, second


def _end(settings: "Settings", candidate: "ModelRef", why: str) -> None:
    """End the trial of the candidate, so that the champion answers everybody."""
    from glas.cli.records import record_end
    from glas.domain.model_records import ModelState
    from glas.engines.candidate import end_candidate

    end_candidate(settings.models_dir)
    record_end(settings, candidate, ModelState.REFUSED, why)
    out.print(say("watch-candidate-taken-back", model=candidate.name), markup=False)


def _roll_back(settings: "Settings", before: "ModelRef", after: "ModelRef", why: str) -> None:
    """Make the previous model the champion again."""
    from glas.cli.records import record_end
    from glas.domain.model_records import ModelState
    from glas.engines.catalogue import choose
    from glas.recognition import journal

    choose(before.name, settings.models_dir)
    taken_back = journal.Promotion(champion=after, candidate=before, event="taken_back", reason=why)
    journal.write(settings.models_dir, taken_back)
    record_end(settings, after, ModelState.ROLLED_BACK, why)
    out.print(say("watch-taken-back", model=before.name), markup=False)


def _show(found: "RatingsWatch", model: "ModelRef") -> None:
    from glas.domain.ratings_watch import FEWEST_BEFORE

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
        out.print(say("watch-too-few", least=FEWEST_BEFORE), markup=False)
    else:
        out.print(say("watch-worse" if found.has_alarm else "watch-fine"), markup=False)
