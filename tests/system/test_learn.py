"""Test a round of learning, from corrections to a judged model; a killed round continues.

The model is a tiny one that hears four phrases and learns a fifth; what real weights learn is in `test_loop.py`.
"""

import asyncio
import json
import shutil
import time
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed (see `make train-setup`)")

from typer.testing import CliRunner

from glas.cli import app
from glas.cli.language import say
from glas.cli.round_steps import RecordedSteps
from glas.domain.model_records import LearningStep
from glas.launch.assembly import open_db_assist
from glas.localisation import Value, rounded
from glas.recognition import trial
from glas.recognition.gate_report import FIGURES
from glas.recognition.references import read_reference_set
from glas.settings import Settings
from glas.system.message_files import LIST
from glas.training.datasets.making import Rules
from glas.training.finetune.base import Base
from glas.training.finetune.recipe import write_recipe
from glas.training.rounds import Outcome, RoundPlan, finished_rounds, run_round
from glas.training.voices.speaking_style import SpeakingStyle
from tests.conftest import as_wav
from tests.models import phrases
from tests.models.trained import trained
from tests.parts.export_world import World
from tests.parts.export_world import decoder as decoder  # noqa: PLC0414 - fixtures, found here by their names
from tests.parts.export_world import world as world  # noqa: PLC0414
from tests.speech import say_all
from tests.system.test_finetune import NEW, RECIPE

# Few people: with these shares of a hash all three sides get some.
RULES = Rules(test_share=0.3, dev_share=0.3)
RATES_WPM = (130, 160)
N_PEOPLE = len(phrases.VOICES) * len(RATES_WPM)


class KilledError(Exception):
    """The error that interrupts a round, or the pause between two rounds."""


async def let_all_say_it(world: World) -> None:
    """Everybody says the new phrase in a voice of their own, and corrects its last word."""
    styles = [SpeakingStyle(voice, rate) for voice, rate in product(phrases.VOICES, RATES_WPM)]
    for number, sound in enumerate(say_all((NEW, style) for style in styles)):
        person = await world.person(number)
        message = await world.message(person, as_wav(sound), NEW[:-3])
        await world.correct(message, person, NEW)
    await world.export()


def has_report(page: Path) -> bool:
    return "<svg" in page.read_text(encoding="utf-8")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained("phrases"), tmp_path / "phrases"))


def plan_of(world: World, checkpoint: Path, least_minutes: float) -> RoundPlan:
    place = world.directory.parent
    return RoundPlan(
        base=Base(checkpoint, checkpoint),
        export=world.directory,
        datasets=place / "datasets",
        rounds=place / "rounds",
        rules=RULES,
        least_minutes=least_minutes,
        recipe=RECIPE,
    )


def with_guard(plan: RoundPlan, folder: Path) -> RoundPlan:
    """Return the round with one more guard set."""
    folder.mkdir()
    (sound,) = say_all([(phrases.PHRASES[2], SpeakingStyle(phrases.VOICES[0], 140))])
    (folder / "0.wav").write_bytes(as_wav(sound))
    row = {"file_name": "0.wav", "text": phrases.PHRASES[2]}
    (folder / "metadata.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    return replace(plan, guards=[read_reference_set(folder)])


def judged(name: str, /, **_values: Value) -> None:
    """Fail if a model is trained that should only be judged."""
    assert name == "learn-version", f"a finished model is trained again: {name}"


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_round_goes_on_and_is_not_repeated(
    world: World, settings: Settings, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "NONSPEECH", 12)  # a minute of sounds is enough here
    await let_all_say_it(world)
    settings = settings.model_copy(update={"model": f"whisper:{checkpoint}"})
    settings.models_dir.mkdir(parents=True)
    told: list[str] = []

    def killed(name: str, /, **_values: Value) -> None:
        told.append(name)
        if name == "finetune-step":
            raise KilledError

    too_much = await asyncio.to_thread(run_round, settings, plan_of(world, checkpoint, least_minutes=60))
    assert too_much.outcome is Outcome.TOO_LITTLE
    plan = plan_of(world, checkpoint, least_minutes=0.1)
    with pytest.raises(KilledError):
        await asyncio.to_thread(run_round, settings, plan, report=killed)
    assert told == ["learn-version", "finetune-learnt", "finetune-step"]
    assert finished_rounds(plan.rounds) == []
    steps = RecordedSteps(settings)
    steps.exported()
    ended = await asyncio.to_thread(run_round, settings, plan, steps=steps)
    async with open_db_assist(settings) as db_assist:
        (recorded,) = await db_assist.rounds()
    assert recorded.name == ended.version
    assert [one.step for one in recorded.steps] == list(LearningStep)[:-1], "nobody has decided yet"
    assert all(one.finished_datetime is not None for one in recorded.steps)
    assert recorded.steps[1].details["minutes"] == ended.new_minutes
    # Which of them depends on how busy the machine is, since the gate compares processor time too.
    assert ended.outcome in (Outcome.PASSED, Outcome.REFUSED)
    assert ended.model is not None
    assert ended.report is not None
    assert has_report(Path(ended.report))
    assert (Path(ended.report).parent / LIST).is_file()
    assert not list(plan.rounds.rglob("clips")), "clips that were cut are deleted"

    def unexpected(name: str, /, **_values: Value) -> None:
        pytest.fail(f"a finished round has begun again: {name}")

    assert await asyncio.to_thread(run_round, settings, plan, report=unexpected) == ended
    assert finished_rounds(plan.rounds) == [ended]
    again = await asyncio.to_thread(run_round, settings, with_guard(plan, settings.data_dir / "guard"), report=judged)
    assert (again.training, again.candidate, again.model) == (ended.training, ended.candidate, ended.model)
    assert again.report != ended.report
    assert finished_rounds(plan.rounds) == [ended, again]
    for number in range(N_PEOPLE):
        await world.db_assist.forget(await world.person(number))
    await world.export(derived=(plan.rounds,))
    assert {path.name for path in Path(ended.report).parent.iterdir()} == {FIGURES}


@pytest.mark.slow
def test_repeated_rounds_go_on_after_one_that_failed(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has corrected anything yet: once, this is an error; repeatedly, the next round is tried after a pause."""
    pauses_s: list[float] = []

    def pause(seconds: float) -> None:
        pauses_s.append(seconds)
        if len(pauses_s) == 2:
            raise KilledError

    monkeypatch.setattr(time, "sleep", pause)
    write_recipe(tmp_path / "recipe.toml", RECIPE.model_copy(update={"base": f"whisper:{checkpoint}"}))
    environment = {"GLAS_DATA_DIR": str(tmp_path / "data")}
    command = ["learn", "--recipe", str(tmp_path / "recipe.toml")]
    once = CliRunner().invoke(app, command, env=environment)
    assert once.exit_code == 1
    assert "expected recordings to learn from, got none" in once.output
    repeated = CliRunner().invoke(app, [*command, "--every", "24"], env=environment)
    assert isinstance(repeated.exception, KilledError), repeated.output
    assert pauses_s == [3600, 3600]
    assert repeated.output.count("expected recordings to learn from, got none") == 2
    assert repeated.output.count(say("learn-again", minutes=rounded(60))) == 2
