"""A round of learning, from corrections in the database to a judged model; killed on its way it goes on."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed (see `make train-setup`)")

from glas.engines.catalogue import embedded_directory
from glas.localisation import Value
from glas.recognition import trial
from glas.recognition.gate_report import FIGURES
from glas.settings import Settings
from glas.system.message_files import LIST
from glas.training.datasets.making import Rules
from glas.training.finetune.base import Base
from glas.training.finetune.fit import Fit
from glas.training.finetune.recipe import FinetuneRecipe
from glas.training.rounds import Outcome, RoundPlan, finished_rounds, run_round
from glas.training.voices.espeak import Espeak
from tests.conftest import as_wav
from tests.parts.export_world import World
from tests.parts.export_world import decoder as decoder  # noqa: PLC0414 - fixtures, found here by their names
from tests.parts.export_world import world as world  # noqa: PLC0414
from tests.speech import speak
from tests.system.test_finetune import LEARNT, TESTED, VOICE

# Few people: with these shares of a hash all three sides get some.
RULES = Rules(test_share=0.3, dev_share=0.3)


class KilledError(Exception):
    """What ends a round in the middle."""


async def say_all(world: World) -> None:
    """Everybody says one sentence in a synthetic voice, and corrects its last word."""
    espeak = Espeak()
    for number, text in enumerate((*LEARNT, *TESTED)):
        sound = speak(espeak, text, VOICE)
        person = await world.person(number)
        message = await world.message(person, as_wav(0.3 * sound / np.abs(sound).max()), text[:-3])
        await world.correct(message, person, text)
    await world.export()


def has_report(page: Path) -> bool:
    return "<svg" in page.read_text(encoding="utf-8")


def plan_of(world: World, whisper_base: Path, least_minutes: float) -> RoundPlan:
    place = world.directory.parent
    return RoundPlan(
        base=Base(embedded_directory(), whisper_base),
        export=world.directory,
        datasets=place / "datasets",
        rounds=place / "rounds",
        rules=RULES,
        least_minutes=least_minutes,
        recipe=FinetuneRecipe(fit=Fit(epochs=1, checkpoints=2), shares=(1.0,)),
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_round_goes_on_and_is_not_repeated(
    world: World, settings: Settings, whisper_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "NONSPEECH", 12)  # a minute of sounds is enough here
    await say_all(world)
    settings.models_dir.mkdir(parents=True)
    told: list[str] = []

    def killed(name: str, /, **_values: Value) -> None:
        told.append(name)
        if name == "finetune-step":
            raise KilledError

    too_much = await asyncio.to_thread(run_round, settings, plan_of(world, whisper_base, least_minutes=60))
    assert too_much.outcome is Outcome.TOO_LITTLE
    plan = plan_of(world, whisper_base, least_minutes=0.1)
    with pytest.raises(KilledError):
        await asyncio.to_thread(run_round, settings, plan, report=killed)
    assert told == ["learn-version", "finetune-learnt", "finetune-step"]
    assert finished_rounds(plan.rounds) == []
    ended = await asyncio.to_thread(run_round, settings, plan)
    # Which of them depends on a dozen sentences; each is an end that is written down.
    assert ended.outcome in (Outcome.PASSED, Outcome.REFUSED, Outcome.NOT_BETTER)
    if ended.outcome is not Outcome.NOT_BETTER:
        assert ended.model is not None
        assert ended.report is not None
        assert has_report(Path(ended.report))
        assert (Path(ended.report).parent / LIST).is_file()
    assert not list(plan.rounds.rglob("clips")), "clips that were cut are deleted"

    def unexpected(name: str, /, **_values: Value) -> None:
        pytest.fail(f"a finished round has begun again: {name}")

    assert await asyncio.to_thread(run_round, settings, plan, report=unexpected) == ended
    assert finished_rounds(plan.rounds) == [ended]
    if ended.report is not None:
        for number in range(len(LEARNT) + len(TESTED)):
            await world.db_assist.forget(await world.person(number))
        await world.export(derived=(plan.rounds,))
        assert {path.name for path in Path(ended.report).parent.iterdir()} == {FIGURES}
