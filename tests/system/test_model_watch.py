"""`glas models watch`: a model that people rate worse is taken back, one that is as good is not."""

import asyncio
import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from glas.cli import app
from glas.db.session import database_url, open_database
from glas.db.tables import TranscriptionRow, UserRow
from glas.domain.messages import MediaKind, Score, Status
from glas.domain.model_ref import ModelRef
from glas.domain.ratings_watch import FEWEST_BEFORE, MOST_AFTER
from glas.engines.catalogue import choose, named_champion
from glas.launch.assembly import open_db_assist
from glas.recognition import journal
from glas.settings import Settings

BEFORE = ModelRef(name="embedded", version="0" * 12)
AFTER = ModelRef(name="whisper:new", version="1" * 12)
SPEAKER = 1001

_numbers = itertools.count(1)


async def rate(settings: Settings, model: ModelRef, bad: int, good: int) -> None:
    """Rated messages whose texts a model made: bad and good ones in turn, as evenly as can be."""
    total = bad + good
    async with open_db_assist(settings) as db_assist:
        await db_assist.register(SPEAKER)
    database = open_database(database_url(settings))
    async with database.writing() as session:
        user = (await session.scalars(select(UserRow.id))).one()
        for place in range(total):
            number = next(_numbers)
            is_bad = (place + 1) * bad // total > place * bad // total
            row = TranscriptionRow(
                user_id=user,
                bot_id=1,
                chat_id=SPEAKER,
                message_id=number,
                attempt=1,
                file_id=f"file-{number}",
                file_unique_id=f"unique-{number}",
                media_kind=MediaKind.VOICE.value,
                is_forwarded=False,
                status=Status.DONE.value,
                text="да",
                duration_s=1.0,
                model=model.name,
                model_version=model.version,
                score=int(Score.BAD if is_bad else Score.BEST),
                creation_datetime=datetime.now(UTC),
                changed_datetime=datetime.now(UTC),
            )
            session.add(row)
    await database.close()


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
