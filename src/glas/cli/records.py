"""Record the models that the gate has judged, and the decisions about them, in db_assist."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from glas.cli.db_assist import ask_db_assist
from glas.cli.language import say
from glas.cli.session import err
from glas.cli.stored_models import store
from glas.domain.errors import ConflictError, GlasError
from glas.domain.model_records import FirstState, ModelState

if TYPE_CHECKING:
    from glas.clients.model_record_bodies import DecisionResult, ModelEntry, ModelRecord
    from glas.domain.model_ref import ModelRef
    from glas.recognition.gate import Verdict
    from glas.settings import Settings
    from glas.training.rounds import Round, RoundPlan


class Recorded(NamedTuple):
    """The state of a model in db_assist, and whether this call of `record_round` recorded this state."""

    state: ModelState
    is_new: bool


def record_round(
    settings: "Settings",
    plan: "RoundPlan",
    ended: "Round",
    *,
    release: bool,
    share: float = 0.0,
    shadow_share: float = 0.0,
) -> Recorded:
    """Record the candidate of a round in db_assist, unless it was recorded before.

    If `release` is set, a candidate that passed the gate becomes the champion. This also happens if the candidate was
    recorded earlier and no decision was made about it. If there is an earlier decision, the decision is not changed.
    For example, a model that was rolled back is not released a second time.

    Args:
        settings: the whole configuration.
        plan: the directories and options of the round.
        ended: the result of the round, with the verdict of the gate.
        release: whether a candidate that passed the gate becomes the champion.
        share: part of all people, 0..1, whom the candidate answers until there is a decision about the candidate.
        shadow_share: part of all messages, 0..1, that the candidate also recognises after another model has answered;
            see `glas.engines.candidate`.

    Raises:
        GlasError: db_assist does not answer or refuses the decision, or the new champion cannot be stored on this
            machine.
    """
    from glas.engines.candidate import CandidateChoice, choose_candidate
    from glas.recognition import journal
    from glas.training.rounds import Outcome

    candidate, champion = ended.candidate, ended.champion
    assert candidate is not None, "expected a round that was judged"  # noqa: S101
    assert champion is not None, "expected a round that was judged"  # noqa: S101
    known = ask_db_assist(settings, lambda db_assist: db_assist.model(candidate))
    if known is not None and known.verdict is not None:
        if known.state is not ModelState.CANDIDATE or not release:
            return Recorded(known.state, is_new=False)
        _release(settings, champion, candidate)
        decide(settings, known.id, ModelState.CHAMPION, None)
        return Recorded(ModelState.CHAMPION, is_new=True)
    state: FirstState = ModelState.REFUSED
    if ended.outcome is Outcome.PASSED:
        state = ModelState.CHAMPION if release else ModelState.CANDIDATE
        if journal.was_released(settings.models_dir, candidate):
            # The candidate was released before without a record in db_assist: by a run that was killed, or by an older
            # version of Glas. It may have been taken back since then.
            state = ModelState.CHAMPION if _is_chosen(settings, candidate) else ModelState.REFUSED
    entry = _entry_of(settings, plan, ended, state)
    if state is not ModelState.REFUSED:
        store(settings, candidate)
    if state is ModelState.CHAMPION:
        _release(settings, champion, candidate)
    elif state is ModelState.CANDIDATE and (share or shadow_share):
        choice = CandidateChoice(model=candidate.name, share=share, shadow_share=shadow_share)
        choose_candidate(choice, settings.models_dir)
    recorded = ask_db_assist(settings, lambda db_assist: db_assist.record_model(entry))
    return Recorded(recorded.state, is_new=True)


def _entry_of(settings: "Settings", plan: "RoundPlan", ended: "Round", state: FirstState) -> "ModelEntry":
    """Return the model record of a round's candidate; it contains news for people if the candidate passed the gate."""
    from glas.training.datasets import read_version
    from glas.training.news import news_of
    from glas.training.records import entry_of

    verdict = verdict_of(ended)
    entry = entry_of(verdict, state, plan.datasets)
    if state is ModelState.REFUSED:
        return entry
    version, former = read_version(plan.datasets, ended.version), verdict.champion.name
    news = news_of(settings, plan.export, version, former=former, model=verdict.candidate.name)
    return entry.model_copy(update={"news": news})


def verdict_of(ended: "Round") -> "Verdict":
    """Return the verdict of the gate about the candidate of a round."""
    from glas.recognition.gate import Verdict
    from glas.recognition.gate_report import FIGURES

    assert ended.report is not None, "expected a round that was judged"  # noqa: S101
    return Verdict.model_validate_json((Path(ended.report).parent / FIGURES).read_bytes())


def _release(settings: "Settings", champion: "ModelRef", candidate: "ModelRef") -> None:
    """Make a model the champion, and add this to the journal of promotions (`glas.recognition.journal`).

    If the journal already contains the release of this model, do nothing.
    """
    from glas.engines.catalogue import choose
    from glas.recognition import journal

    if not journal.was_released(settings.models_dir, candidate):
        choose(candidate.name, settings.models_dir)
        released = journal.Promotion(champion=champion, candidate=candidate, event="released")
        journal.write(settings.models_dir, released)


def _is_chosen(settings: "Settings", model: "ModelRef") -> bool:
    from glas.engines.catalogue import named_champion

    return named_champion(settings.models_dir) == model.name


def record_promotion(settings: "Settings", verdict: "Verdict", *, released: bool, force: str | None) -> None:
    """Record the verdict and the decision of `glas promote`; if db_assist cannot record them, print a warning."""
    from glas.training.records import entry_of

    state: FirstState = ModelState.CHAMPION if released else ModelState.REFUSED
    try:
        entry = entry_of(verdict, state, settings.data_dir / "datasets")
        entry = entry.model_copy(update={"is_forced": released and not verdict.passed, "reason": force})
        ask_db_assist(settings, lambda db_assist: db_assist.record_model(entry))
    except GlasError as error:
        _not_recorded(error)


def record_end(settings: "Settings", ref: "ModelRef", state: ModelState, reason: str) -> None:
    """Record in db_assist that a candidate was refused, or that the previous champion has replaced a champion.

    If the model is neither a candidate nor the champion any more, nothing is recorded. If db_assist does not answer, a
    warning is printed.
    """
    former = {ModelState.REFUSED: ModelState.CANDIDATE, ModelState.ROLLED_BACK: ModelState.CHAMPION}[state]
    try:
        known = ask_db_assist(settings, lambda db_assist: db_assist.model(ref))
        if known is not None and known.state is former:
            decide(settings, known.id, state, reason)
    except GlasError as error:
        _not_recorded(error)


def record_choice(settings: "Settings", former: str, chosen: str) -> None:
    """Record that the user of this machine chose another champion; if a service does not answer, print a warning.

    Raises:
        ConflictError: the model is retired.
    """
    from glas.clients.model_record_bodies import ChoiceRequest
    from glas.domain.model_ref import ModelRef
    from glas.engines.versions import ModelVersions

    versions = ModelVersions(settings.models_dir)
    before, after = (ModelRef(name=name, version=versions.version_of(name)) for name in (former, chosen))
    choice = ChoiceRequest(model=after, former=before, operator=getpass.getuser())
    try:
        store(settings, after)
        ask_db_assist(settings, lambda db_assist: db_assist.choose_model(choice))
    except ConflictError:
        raise
    except GlasError as error:
        _not_recorded(error)


def last_release(settings: "Settings") -> "tuple[ModelRef, ModelRef] | None":
    """Return the previous champion and the current champion; None if no release is recorded.

    Both are read from the records of db_assist if these contain both models. Otherwise both are read from the journal.
    Decisions of administrators in Telegram are only in db_assist. Releases by older versions of Glas are only in the
    journal.

    Raises:
        GlasError: db_assist does not answer, or the journal is damaged.
    """
    from glas.engines.catalogue import named_champion
    from glas.recognition import journal

    records = all_records(settings)
    after = next((one for one in records if one.state is ModelState.CHAMPION), None)
    earlier = [one for one in records if one.state is ModelState.REPLACED and one.champion_datetime is not None]
    if after is not None and earlier and named_champion(settings.models_dir) == after.name:
        return max(earlier, key=lambda one: str(one.champion_datetime)).ref, after.ref
    noted = journal.last_release(settings.models_dir)
    return None if noted is None else (noted.champion, noted.candidate)


def all_records(settings: "Settings") -> tuple["ModelRecord", ...]:
    """Return all models that the gate has judged, the newest first.

    Raises:
        GlasError: db_assist does not answer.
    """
    return ask_db_assist(settings, lambda db_assist: db_assist.models())


def decide(settings: "Settings", model_id: int, state: ModelState, reason: str | None) -> "DecisionResult":
    """Record in db_assist the decision of this machine's user about a model.

    Raises:
        GlasError: db_assist does not answer, or refuses the decision.
    """
    from glas.clients.model_record_bodies import DecisionRequest

    wanted = DecisionRequest(state=state, operator=getpass.getuser(), reason=reason)
    return ask_db_assist(settings, lambda db_assist: db_assist.decide(model_id, wanted))


def _not_recorded(error: GlasError) -> None:
    err.print(say("records-failed", detail=str(error)), style="yellow", markup=False)
