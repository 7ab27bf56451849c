"""`glas learn`: train a better model from corrected messages in one round, or in repeated rounds."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from glas.cli.export import export_through
from glas.cli.finetune import told_step
from glas.cli.language import say
from glas.cli.promote import told_step as told_model
from glas.cli.recipes import chosen_recipe, open_base
from glas.cli.session import err, open_settings, out, told
from glas.cli.train import needs_training_packages
from glas.localisation import Value, rounded

if TYPE_CHECKING:
    from glas.cli.round_steps import RecordedSteps
    from glas.clients.model_record_bodies import NewsItem
    from glas.settings import Settings
    from glas.training.datasets.making import Rules
    from glas.training.finetune.recipe import FinetuneRecipe
    from glas.training.rounds import Round, RoundPlan

_S_PER_HOUR = 3600
_AFTER_AN_ERROR_H = 1.0  # pause before the next round if a round has failed, and rounds are repeated

Folders = list[Path] | None


def learn(
    *,
    test: Annotated[Path | None, typer.Option(help=say("learn-test"), metavar=say("metavar-directory"))] = None,
    guard: Annotated[Folders, typer.Option(help=say("learn-guard"), metavar=say("metavar-directory"))] = None,
    keep: Annotated[Folders, typer.Option(help=say("learn-keep"), metavar=say("metavar-directory"))] = None,
    replay: Annotated[Folders, typer.Option(help=say("finetune-replay"), metavar=say("metavar-directory"))] = None,
    speaker: Annotated[str | None, typer.Option(help=say("learn-speaker"))] = None,
    dev_share: Annotated[float, typer.Option(min=0, max=0.9, help=say("dataset-dev-share"))] = 0.15,
    least_minutes: Annotated[float, typer.Option(min=0, help=say("learn-least-minutes"))] = 10.0,
    recipe: Annotated[
        Path | None, typer.Option("--recipe", help=say("finetune-recipe"), metavar=say("metavar-file"))
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help=say("finetune-epochs"))] = None,
    share: Annotated[list[float] | None, typer.Option(min=0.01, max=1, help=say("finetune-share"))] = None,
    weights: Annotated[Path | None, typer.Option(help=say("finetune-weights"))] = None,
    release: Annotated[bool, typer.Option("--release", help=say("learn-release"))] = False,
    canary: Annotated[float, typer.Option(min=0, max=1, help=say("learn-canary"))] = 0,
    shadow: Annotated[float, typer.Option(min=0, max=1, help=say("learn-shadow"))] = 0,
    every: Annotated[float | None, typer.Option(min=0.01, help=say("learn-every"))] = None,
) -> None:
    """Run one round of learning, or repeat rounds every `every` hours."""
    settings = open_settings(quiet=True)
    with needs_training_packages():
        from glas.cli.round_steps import RecordedSteps
        from glas.launch.assembly import open_data_loader
        from glas.training.datasets.making import Rules

        # If the test set is not taken from the export, a model can learn from all speakers of the export.
        test_share = settings.data_loader.test_share if test is None else 0.0
        rules = Rules(test_share=test_share, dev_share=dev_share, speaker=speaker, replay=replay or ())
        chosen = chosen_recipe(recipe, epochs=epochs, shares=share)
        plan = _plan(settings, rules, chosen, _Sets(test, guard or [], keep or []), weights)
        plan = replace(plan, least_minutes=least_minutes)
    while True:
        pause_h = every
        try:
            steps = RecordedSteps(settings)
            export_through(lambda: open_data_loader(settings), full=False)
            steps.exported()
            _round(settings, plan, steps, release=release, canary=canary, shadow=shadow)
        except typer.Exit:
            # The error has been printed. It may be gone soon: too few corrections, or a service that starts again.
            if every is None:
                raise
            pause_h = min(every, _AFTER_AN_ERROR_H)
            err.print(say("learn-again", minutes=rounded(60 * pause_h)), style="yellow", markup=False)
        if pause_h is None:
            return
        time.sleep(pause_h * _S_PER_HOUR)


class _Sets(NamedTuple):
    """Directories of recordings: for the gate (`test`, `guards`), and for the choice of the share (`kept`)."""

    test: Path | None
    guards: list[Path]
    kept: list[Path]


def _plan(
    settings: "Settings", rules: "Rules", recipe: "FinetuneRecipe", sets: _Sets, weights: Path | None
) -> "RoundPlan":
    from glas.recognition.references import read_reference_set
    from glas.training.rounds import RoundPlan

    return RoundPlan(
        base=open_base(settings, recipe.base, weights),
        export=settings.export_dir,
        datasets=settings.data_dir / "datasets",
        rounds=settings.data_dir / "rounds",
        rules=rules,
        test=None if sets.test is None else read_reference_set(sets.test),
        guards=[read_reference_set(one) for one in sets.guards],
        kept=[read_reference_set(one) for one in sets.kept],
        recipe=recipe,
        language=say.language,
    )


def _round(
    settings: "Settings", plan: "RoundPlan", steps: "RecordedSteps", *, release: bool, canary: float, shadow: float
) -> None:
    with told():
        from glas.cli.records import record_round
        from glas.domain.model_records import LearningStep, ModelState
        from glas.training.rounds import Outcome, run_round

        ended = run_round(settings, plan, steps=steps, report=told_step, on_measure=told_model)
        out.print(say(f"learn-{ended.outcome.value.replace('_', '-')}", **_values(ended)), markup=False)
        if ended.report:
            out.print(say("promote-report", page=ended.report), markup=False)
        if ended.candidate is None:
            if ended.outcome is Outcome.NOT_BETTER:
                steps.ended(ended.version, LearningStep.DECIDE, outcome=ended.outcome.value)
            return
        if plan.rules.speaker is not None:
            _serve_speaker(settings, plan, ended, steps, release=release)
            return
        recorded = record_round(settings, plan, ended, release=release, share=canary, shadow_share=shadow)
        if recorded.is_new:
            steps.ended(ended.version, LearningStep.DECIDE, outcome=recorded.state.value)
        model = f"whisper:{ended.model}"
        if recorded.state is ModelState.CANDIDATE:
            out.print(say("learn-decide", model=model), markup=False)
        elif recorded.state is ModelState.CHAMPION and recorded.is_new:
            out.print(say("learn-serves", model=model), markup=False)


def _serve_speaker(
    settings: "Settings", plan: "RoundPlan", ended: "Round", steps: "RecordedSteps", *, release: bool
) -> None:
    """Let the model of a round answer the speaker for whom the round was run.

    Nothing happens if the model did not pass the gate, was deleted or was retired. If `release` is not set, the model
    does not answer the speaker; instead, the command prints how to release the model. When the model is assigned to the
    speaker, the bot gets news for the speaker: the speaker's message whose text the model improved most.
    """
    from glas.cli.own_models import give, is_given, is_retired
    from glas.cli.records import verdict_of
    from glas.domain.model_records import LearningStep
    from glas.engines.catalogue import AUTO
    from glas.training.datasets import read_version
    from glas.training.news import news_of
    from glas.training.rounds import Outcome

    steps.ended(ended.version, LearningStep.DECIDE, outcome=ended.outcome.value)
    is_there = ended.model is not None and Path(ended.model).is_dir()
    if ended.outcome is not Outcome.PASSED or ended.candidate is None or not is_there:
        return
    if not release:
        out.print(say("learn-release-speaker"), markup=False)
        return
    if is_retired(settings, ended.candidate):
        return
    version, verdict = read_version(plan.datasets, ended.version), verdict_of(ended)
    news: tuple[NewsItem, ...] = ()
    if settings.model == AUTO and not is_given(settings, ended.candidate):
        former, model = verdict.champion.name, verdict.candidate.name
        news = news_of(settings, plan.export, version, former=former, model=model)
    give(settings, verdict, transcription_id=version.entries[-1].id, news=news[0] if news else None)


def _values(ended: "Round") -> dict[str, Value]:
    """Return the values of the variables in the text about the result of a round that the command prints."""
    from glas.training.rounds import Outcome

    values: dict[str, Value] = {"version": ended.version}
    if ended.outcome is Outcome.TOO_LITTLE:
        values["minutes"] = rounded(ended.new_minutes)
    return values
