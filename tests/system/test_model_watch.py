"""`glas models watch`: a model that people rate worse is taken back, one that is as good is not."""

import asyncio
import itertools
from pathlib import Path

import pytest
from typer.testing import CliRunner

from glas.cli import app
from glas.clients.db_assist_bodies import Finished, NewTranscription
from glas.domain.messages import MediaKind, Score
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
        for place in range(total):
            number = next(_numbers)
            new = NewTranscription(
                tg_id=SPEAKER,
                bot_id=1,
                chat_id=SPEAKER,
                message_id=number,
                file_id=f"file-{number}",
                file_unique_id=f"unique-{number}",
                media_kind=MediaKind.VOICE,
            )
            row = await db_assist.create_transcription(new)
            text = Finished(text="да", duration_s=1, confidence=0.5, model=model.name, model_version=model.version)
            await db_assist.finish(row.id, text)
            is_bad = (place + 1) * bad // total > place * bad // total
            await db_assist.rate(row.id, SPEAKER, Score.BAD if is_bad else Score.BEST)


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
