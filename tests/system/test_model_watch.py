"""Test `glas models watch` and `canary`: only a model with worse ratings is taken back."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from glas.cli import app
from glas.clients.model_record_bodies import ModelEntry
from glas.domain.model_records import ModelState
from glas.domain.model_ref import ModelRef
from glas.domain.ratings_watch import FEWEST_BEFORE, MOST_AFTER
from glas.engines.candidate import chosen_candidate
from glas.engines.catalogue import choose, named_champion
from glas.engines.versions import ModelVersions
from glas.launch.assembly import open_db_assist
from glas.recognition import journal
from glas.settings import Settings
from tests.models.swapped import write_two
from tests.parts.rated import rate

BEFORE = ModelRef(name="embedded", version="0" * 12)
AFTER = ModelRef(name="whisper:new", version="1" * 12)


@pytest.fixture
def released(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation in which a new model was released."""
    monkeypatch.setenv("GLAS_DATA_DIR", str(settings.data_dir))
    (tmp_path / "new").mkdir()
    choose(f"whisper:{tmp_path / 'new'}", settings.models_dir)
    journal.write(settings.models_dir, journal.Promotion(champion=BEFORE, candidate=AFTER, event="released"))
    return settings


def watched(*options: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["models", "watch", *options])
    return done.exit_code, done.output


def test_what_was_never_released_is_not_watched(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLAS_DATA_DIR", str(settings.data_dir))
    assert watched() == (0, "Модель не менялась: сравнивать нечего.\n")


def test_a_worse_model_is_taken_back(released: Settings) -> None:
    models = released.models_dir
    chosen = named_champion(models)
    asyncio.run(rate(released, BEFORE, bad=FEWEST_BEFORE // 10, good=FEWEST_BEFORE * 9 // 10))
    asyncio.run(rate(released, AFTER, bad=6, good=54))
    code, text = watched("--roll-back")
    assert (code, named_champion(models)) == (0, chosen)
    assert "Новая не хуже прежней" in text
    asyncio.run(rate(released, AFTER, bad=60, good=MOST_AFTER - 120))
    code, text = watched()
    assert (code, named_champion(models)) == (1, chosen)
    assert "Новая хуже прежней." in text
    assert watched("--roll-back")[0] == 1
    assert named_champion(models) == "embedded"
    assert watched() == (0, "Модель не менялась: сравнивать нечего.\n")


def test_few_ratings_say_nothing(released: Settings) -> None:
    asyncio.run(rate(released, BEFORE, bad=1, good=9))
    asyncio.run(rate(released, AFTER, bad=10, good=0))
    code, text = watched()
    assert code == 0
    assert "слишком мало оценок" in text


def canary(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["models", "canary", *arguments])
    return done.exit_code, done.output


async def recorded(settings: Settings, ref: ModelRef) -> None:
    async with open_db_assist(settings) as db_assist:
        await db_assist.record_model(
            ModelEntry(name=ref.name, version=ref.version, state=ModelState.CANDIDATE, operator="somebody")
        )


async def last_decision(settings: Settings, ref: ModelRef) -> tuple[ModelState, str | None]:
    async with open_db_assist(settings) as db_assist:
        record = await db_assist.model(ref)
    assert record is not None
    return record.state, record.decisions[-1].reason


def test_a_candidate_is_chosen_watched_and_taken_back(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLAS_DATA_DIR", str(settings.data_dir))
    models, names = settings.models_dir, write_two(settings.models_dir)
    assert canary() == (0, "Кандидата нет: всем отвечает одна модель.\n")
    assert canary("small-9")[0] == 1
    code, text = canary(names[1], "--share", "0.25")
    assert (code, "отвечает 25 % людей" in text.replace("\n", " ")) == (0, True)
    versions = ModelVersions(models)
    champion, candidate = (ModelRef(name=name, version=versions.version_of(name)) for name in names)
    asyncio.run(recorded(settings, candidate))
    asyncio.run(rate(settings, champion, bad=FEWEST_BEFORE // 10, good=FEWEST_BEFORE * 9 // 10))
    asyncio.run(rate(settings, candidate, bad=3, good=27))
    assert watched("--roll-back")[0] == 0
    asyncio.run(rate(settings, candidate, bad=30, good=60))
    assert watched()[0] == 1
    assert chosen_candidate(models) is not None
    assert watched("--roll-back")[0] == 1
    assert chosen_candidate(models) is None
    assert named_champion(models) == names[0]
    state, reason = asyncio.run(last_decision(settings, candidate))
    assert state is ModelState.REFUSED
    assert reason is not None
    assert reason.endswith("before 70 of 700")
    assert watched() == (0, "Модель не менялась: сравнивать нечего.\n")
    assert canary("--end") == (0, "Кандидата нет: всем отвечает одна модель.\n")
