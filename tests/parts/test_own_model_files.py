"""The files of an own model that is assigned to nobody are deleted, also after an interrupted deletion."""

import shutil
from pathlib import Path

import pytest

from glas.clients.db_assist import DbAssistClient
from glas.data_loader.own_models import delete_unowned
from glas.settings import Settings
from tests.parts.owned import entry_of, write_models
from tests.parts.voices import someone


@pytest.mark.parametrize("killed", ["before", "among the files", "before the row"])
async def test_a_deletion_goes_on(settings: Settings, db_assist: DbAssistClient, killed: str) -> None:
    """Other models stay, and so does a directory outside that the row of a retired model names."""
    models = write_models(settings)
    first, second = (Path(own.model.name.partition(":")[2]) for own in (models.first, models.second))
    people = [someone() for _ in range(3)]
    outside = settings.data_dir / "outside"
    shutil.copytree(first, outside)
    name = models.first.model.model_copy(update={"name": f"onnx:{outside}"})
    elsewhere = models.first.model_copy(update={"model": name})
    for person, own in zip(people, (models.first, models.second, elsewhere), strict=True):
        await db_assist.register(person)
        await db_assist.record_own_model(entry_of(own, tg_id=person))
    await db_assist.forget(people[0])
    await db_assist.forget(people[2])
    if killed == "among the files":
        min(first.iterdir()).unlink()
    elif killed == "before the row":
        shutil.rmtree(first)
    for _ in range(2):
        await delete_unowned(db_assist, settings.models_dir)
        there = [path.exists() for path in (first, second, outside)]
        assert there == [False, True, True]
        assert await db_assist.own_models_to_delete() == ()
    assert [one.name for one in await db_assist.own_models()] == [models.second.model.name]
