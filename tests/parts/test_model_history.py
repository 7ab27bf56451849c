"""The records after a round of learning, the news for people, and the output of the command line."""

import asyncio
import getpass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from glas.cli import app
from glas.cli.records import last_release, record_round
from glas.domain.model_records import ModelState
from glas.domain.model_ref import ModelRef
from glas.domain.splits import Split
from glas.domain.text import normalise
from glas.engines.candidate import CandidateChoice, chosen_candidate, end_candidate
from glas.engines.catalogue import choose, named_champion
from glas.launch.assembly import open_db_assist
from glas.recognition import journal
from glas.recognition.gate import Check, Condition, Verdict
from glas.recognition.gate_report import FIGURES
from glas.recognition.lineage import Lineage, write_lineage
from glas.settings import Settings
from glas.training.datasets.making import Rules, make_version
from glas.training.datasets.version import Entry
from glas.training.finetune.base import Base
from glas.training.news import ComparedMessage, best
from glas.training.rounds import Outcome, Round, RoundPlan
from tests.conftest import Sample
from tests.models.swapped import write_weights
from tests.parts.export_world import World
from tests.parts.export_world import decoder as decoder  # noqa: PLC0414 - fixtures, found here by their names
from tests.parts.export_world import world as world  # noqa: PLC0414

RULES = Rules(test_share=0, dev_share=0)
FORMER = "onnx:small-0"


def glas(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.output
    return done.output


def tried(number: int, reference: str, before: str, after: str, split: Split = Split.TRAIN) -> ComparedMessage:
    digest = "0" * 64
    entry = Entry(
        id=number, split=split, rank="author", speaker="a", duration_s=1, audio_sha256=digest,
        reference_sha256=digest, words_sha256=digest,
    )  # fmt: skip
    return ComparedMessage(entry, reference, before, after)


def test_the_message_with_the_largest_gain_is_shown() -> None:
    """Of two messages with equal gains, one that was not learnt is shown; without a gain, none."""
    same = tried(1, "раз два три", "раз два", "Раз, два.")
    worse = tried(2, "раз два три", "раз два три", "раз")
    little, much = tried(3, "раз два три", "раз", "раз два"), tried(4, "раз два три", "ой", "раз два три")
    unseen = tried(2, "раз два три", "ох", "раз два три", Split.DEV)
    assert list(best([same, worse])) == list(best([])) == []
    assert [one.transcription_id for one in best([same, little, much, worse])] == [4]
    assert [one.text_before for one in best([unseen, much])] == ["ох"]
    assert list(best([tried(5, "да", "", "да"), tried(6, "да", "нет", "да " * 600)])) == []


class Learnt:
    """An installation in which a round has ended with a model that passed the gate."""

    def __init__(self, settings: Settings, ended: Round, plan: RoundPlan) -> None:
        self.settings, self.ended, self.plan = settings, ended, plan

    def judge(self, model: str) -> "Learnt":
        """Return a round with another candidate."""
        settings, folder = self.settings, self.plan.rounds / self.ended.version / "report"
        folder.mkdir(parents=True, exist_ok=True)
        former = f"onnx:{(settings.models_dir / 'small-0').resolve()}"
        check = Check(condition=Condition.GAIN, limit=0.05, value=0.5, passed=True)
        verdict = Verdict(
            champion=ModelRef(name=former, version="0" * 12), candidate=ModelRef(name=model, version="1" * 12),
            passed=True, checks=(check,), buckets=(), wer_before=0.4, wer_after=0.2, difference=None,
        )  # fmt: skip
        (folder / FIGURES).write_text(verdict.model_dump_json(), encoding="utf-8")
        self.ended = self.ended.model_copy(
            update={"candidate": verdict.candidate, "champion": verdict.champion, "report": str(folder / "index.html")}
        )
        return self


@pytest.fixture
async def learnt(
    world: World, settings: Settings, samples: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> tuple[Learnt, int]:
    """Two people have corrected messages; the former model writes letters only. Yield the message that improved."""
    monkeypatch.setenv("GLAS_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("GLAS_LANGUAGE", "ru")
    anna, boris = await world.person(1), await world.person(2)
    hers = await world.message(anna, samples[0].path.read_bytes(), samples[0].text[:-3])
    await world.correct(hers, anna, samples[0].text)
    his = await world.message(boris, samples[1].path.read_bytes(), "щщ ъ")
    await world.correct(his, boris, "щщ ъъ")
    await world.export()
    made = make_version(world.directory, settings.data_dir / "datasets", RULES)
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    write_weights(settings.models_dir / "small-0", 0)
    ended = Round(version=made.path.stem, outcome=Outcome.PASSED, new_minutes=1, finished="-", model="-")
    plan = RoundPlan(
        base=Base(Path(), Path()),
        export=world.directory,
        datasets=settings.data_dir / "datasets",
        rounds=settings.data_dir / "rounds",
    )
    return Learnt(settings, ended, plan), hers


async def test_a_round_is_recorded_once_with_news(learnt: tuple[Learnt, int], samples: list[Sample]) -> None:
    """The news have the texts of both models; later decisions are not undone."""
    (found, hers), settings = learnt, learnt[0].settings
    found.judge("embedded")
    first = await asyncio.to_thread(record_round, settings, found.plan, found.ended, release=True)
    assert first == (ModelState.CHAMPION, True)
    assert named_champion(settings.models_dir) == "embedded"
    async with open_db_assist(settings) as db_assist:
        (champion,) = await db_assist.models(ModelState.CHAMPION)
        assert (champion.n_news, champion.decisions[0].verdict is not None) == (1, True)
        news = (await db_assist.export_user(5_000_000_001)).news
        assert [one.transcription_id for one in news] == [hers]
        assert normalise(news[0].text_after or "") == normalise(samples[0].text)
        assert news[0].text_before != news[0].text_after
    released = await asyncio.to_thread(last_release, settings)
    assert released is not None
    before, after = released
    assert (before.version, after.name) == ("0" * 12, "embedded")
    choose(before.name, settings.models_dir)
    again = await asyncio.to_thread(record_round, settings, found.plan, found.ended, release=True)
    assert again == (ModelState.CHAMPION, False)
    assert named_champion(settings.models_dir) == before.name, "the choice of a person stays"


async def test_the_command_line_shows_and_retires(learnt: tuple[Learnt, int], world: World) -> None:
    found, _ = learnt
    settings = found.settings
    model = settings.models_dir / "learnt-1"
    write_weights(model, 1)
    base = ModelRef(name="whisper-base-ru", version="2" * 12)
    lineage = Lineage(
        base=base, data=found.ended.version, speakers=("ab",), recordings=("cd",), texts=("ef",), recipe={"epochs": 6},
        result={"share": 0.4},
    )  # fmt: skip
    write_lineage(model, lineage)
    found.judge(f"onnx:{model}")
    assert (await asyncio.to_thread(glas, "models", "list")).startswith("Проверенных моделей пока нет")
    waiting = await asyncio.to_thread(record_round, settings, found.plan, found.ended, release=False)
    assert waiting == (ModelState.CANDIDATE, True)
    assert named_champion(settings.models_dir) is None
    await world.db_assist.forget(5_000_000_001)
    listed = await asyncio.to_thread(glas, "models", "list")
    (told,) = [line for line in listed.splitlines() if "ждёт решения" in line]
    assert told.endswith(
        "ждёт решения, ошибок в словах 40,0 → 20,0 %, училась у людей: 2 (отозвали согласие или удалили данные: 1)"
    )
    shown = await asyncio.to_thread(glas, "models", "history", "learnt-1")
    assert f"из: whisper-base-ru@{'2' * 12}; набор данных: {found.ended.version}" in shown
    assert "✓ Ошибок меньше на: 50 %" in shown or "✓ Ошибок меньше на: 50,00 %" in shown
    async with open_db_assist(settings) as db_assist:
        (record,) = await db_assist.models(ModelState.CANDIDATE)
        assert record.lineage == {"recipe": {"epochs": 6}, "result": {"share": 0.4}, "kept": []}
    await asyncio.to_thread(glas, "models", "use", f"onnx:{model}")
    async with open_db_assist(settings) as db_assist:
        (record,) = await db_assist.models(ModelState.CHAMPION)
    last = record.decisions[-1]
    assert (record.name, last.operator, last.verdict) == (f"onnx:{model}", getpass.getuser(), None)
    assert (last.champion_before or "").startswith("embedded@")
    assert last.champion_after == str(record.ref)
    retired = await asyncio.to_thread(glas, "models", "retire", str(record.id), "--reason", "withdrawn")
    assert f"Списана: onnx:{model}" in retired
    assert named_champion(settings.models_dir) == "embedded"
    refused = await asyncio.to_thread(CliRunner().invoke, app, ["models", "use", f"onnx:{model}"])
    assert refused.exit_code != 0, "it is retired"
    assert named_champion(settings.models_dir) == "embedded"
    assert "списана" in await asyncio.to_thread(glas, "models", "history", str(record.id))


async def test_a_candidate_is_released_later_and_a_killed_run_goes_on(learnt: tuple[Learnt, int]) -> None:
    """A run with `--release` releases it; a killed run is completed without choosing the model twice."""
    (found, _), settings = learnt, learnt[0].settings
    model = settings.models_dir / "learnt-1"
    write_weights(model, 1)
    found.judge(f"onnx:{model}")

    def recorded(*, release: bool) -> tuple[ModelState, bool]:
        return record_round(settings, found.plan, found.ended, release=release, share=0.1, shadow_share=0.2)

    assert await asyncio.to_thread(recorded, release=False) == (ModelState.CANDIDATE, True)
    trial = CandidateChoice(model=f"onnx:{model.resolve()}", share=0.1, shadow_share=0.2)
    assert chosen_candidate(settings.models_dir) == trial
    end_candidate(settings.models_dir)
    assert await asyncio.to_thread(recorded, release=False) == (ModelState.CANDIDATE, False)
    assert chosen_candidate(settings.models_dir) is None, "the trial that an administrator has ended begins again"
    assert await asyncio.to_thread(recorded, release=True) == (ModelState.CHAMPION, True)
    assert named_champion(settings.models_dir) == f"onnx:{model.resolve()}"
    write_weights(settings.models_dir / "learnt-2", 2)
    found.judge(f"onnx:{settings.models_dir / 'learnt-2'}")
    candidate, champion = found.ended.candidate, found.ended.champion
    assert candidate is not None
    assert champion is not None
    # The journal is all that a run could write before it was killed, and somebody has taken the model back.
    journal.write(settings.models_dir, journal.Promotion(champion=champion, candidate=candidate, event="released"))
    assert await asyncio.to_thread(recorded, release=True) == (ModelState.REFUSED, True)
    assert named_champion(settings.models_dir) == f"onnx:{model.resolve()}"
