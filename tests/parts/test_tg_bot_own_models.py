"""People and groups with an own model are answered by it, and all others by the champion."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import pytest_asyncio

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.domain.messages import Transcription
from glas.domain.own_models import OwnModel
from glas.engines.catalogue import AUTO
from glas.launch.connections import entered
from glas.nn_service.app import create_app
from glas.settings import Settings
from tests.conftest import Sample, as_wav
from tests.parts.bots import House, newcomer, open_house, texts_of_buttons
from tests.parts.owned import Models, entry_of, write_models
from tests.telegram.server import TelegramServer
from tests.telegram.world import JsonObject

pytestmark = pytest.mark.asyncio(loop_scope="module")

_groups = itertools.count(1_001_000_000_701)
_files = itertools.count()


class Scene(NamedTuple):
    """The bot with a real nn_service, its models, and a recording."""

    house: House
    models: Models
    sound: bytes

    async def said(self, person: int, chat: int | None = None, file: str | None = None) -> Transcription:
        """Return the row of a voice message."""
        sent = self.house.telegram.speak(person, self.sound, chat=chat, file_id=file or f"own-{next(_files)}")
        return await self.house.archived(await self.house.answer(sent))

    async def until_loaded(self, *owned: OwnModel) -> None:
        """Wait until own models are in memory."""
        for own in owned:
            for _ in range(200):
                if (await self.house.services.nn_service.health(own=own)).served == own.model:
                    break
                await asyncio.sleep(0.1)
            else:
                pytest.fail(f"after 20 s {own.model} is not loaded")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory, samples: list[Sample]) -> AsyncIterator[Scene]:
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("own"), model=AUTO)
    models = write_models(settings)
    sound = as_wav(np.concatenate(list(decode_blocks(samples[0].path.read_bytes(), DecodeLimits())))[:24_000])
    app = create_app(settings, key=None)
    with TelegramServer() as telegram:
        async with (
            entered([app]),
            open_http(url=None, app=app) as http,
            open_house(settings, telegram, NnServiceClient(http)) as house,
        ):
            yield Scene(house, models, sound)


async def test_each_is_answered_by_their_own(scene: Scene) -> None:
    """A person's own model comes first, then the group's own model; texts are reused correctly."""
    house, models = scene.house, scene.models
    db_assist = house.services.db_assist
    anna, boris, group = await newcomer(house), await newcomer(house), -next(_groups)
    assert (await scene.said(anna)).model == models.champion.name
    await db_assist.record_own_model(entry_of(models.first, tg_id=anna))
    await db_assist.record_own_model(entry_of(models.second, chat_id=group))
    await scene.until_loaded(models.first, models.second)
    told = await asyncio.gather(
        *(scene.said(person, file=f"both-{person}") for person in (anna, boris) for _ in range(2)),
        scene.said(anna, chat=group),
        scene.said(boris, chat=group),
    )
    by = [models.first.model, models.first.model, models.champion, models.champion, models.first.model]
    assert [(row.model, row.model_version) for row in told] == [
        (ref.name, ref.version) for ref in (*by, models.second.model)
    ]
    assert len({row.text for row in told}) == 3
    for person, text in ((anna, told[0].text), (boris, told[2].text), (anna, told[0].text)):
        assert (await scene.said(person, file="the same file")).text == text
    for row in told:
        kept = await house.services.data_loader.fetch_recognition(row.id)
        assert kept is not None
        assert kept.recognition.hypothesis.model_version == row.model_version


async def test_a_person_goes_back_to_the_common_model(scene: Scene) -> None:
    house, models = scene.house, scene.models
    vera = await newcomer(house)
    plain = await house.answer(house.telegram.say(vera, "/settings"))
    assert "Модель:" not in plain["text"]
    assert len(texts_of_buttons(plain)) == 2
    await free(scene)
    await house.services.db_assist.record_own_model(entry_of(models.first, tg_id=vera))
    await scene.until_loaded(models.first)
    shown = await house.answer(house.telegram.say(vera, "/settings"))
    assert "Модель: ваша" in shown["text"]
    assert "общая модель" in await house.press(vera, shown, "Выключить мою модель")
    await house.until(lambda: "Модель: общая, ваша выключена" in now(house, shown)["text"])
    assert (await scene.said(vera)).model == models.champion.name
    assert "ваша модель" in await house.press(vera, now(house, shown), "Включить мою модель")
    await house.press(vera, now(house, shown), "🔕")
    await house.until(lambda: "Модель: ваша" in now(house, shown)["text"])
    assert (await scene.said(vera)).model == models.first.model.name
    other = models.first.model_copy(update={"instead_of": "0" * 12})
    await house.services.db_assist.record_own_model(entry_of(other, tg_id=vera))
    waits = await house.answer(house.telegram.say(vera, "/settings"))
    assert "вашу с ней ещё не сравнили" in waits["text"]
    assert (await scene.said(vera)).model == models.champion.name


async def test_an_administrator_of_a_group_decides(scene: Scene) -> None:
    house, models = scene.house, scene.models
    gleb, group = await newcomer(house), -next(_groups)
    await free(scene)
    await house.services.db_assist.record_own_model(entry_of(models.second, chat_id=group))
    await scene.until_loaded(models.second)
    shown = await house.answer(house.telegram.say(gleb, "/settings", chat=group))
    assert "Модель: этого чата" in shown["text"]
    assert "только администраторы" in await house.press(gleb, shown, "Выключить модель чата", chat=group)
    assert (await scene.said(gleb, chat=group)).model == models.second.model.name
    house.telegram.world.admins[group] = {gleb}
    assert "общая модель" in await house.press(gleb, shown, "Выключить модель чата", chat=group)
    await house.until(lambda: "модель чата выключена" in now(house, shown)["text"])
    assert (await scene.said(gleb, chat=group)).model == models.champion.name


async def test_it_is_forgotten_with_its_person(scene: Scene) -> None:
    """Files and row are deleted; the champion answers."""
    house, models = scene.house, scene.models
    db_assist = house.services.db_assist
    dina = await newcomer(house)
    await free(scene)
    await db_assist.record_own_model(entry_of(models.first, tg_id=dina))
    place = Path(models.first.model.name.partition(":")[2])
    await house.press(dina, await house.answer(house.telegram.say(dina, "/forget")), "🗑")
    await house.until(lambda: not place.exists(), "the deletion of the model")
    for _ in range(100):
        if not await db_assist.own_models_to_delete():
            break
        await asyncio.sleep(0.1)
    assert await db_assist.own_models(tg_id=dina) == await db_assist.own_models_to_delete() == ()
    await house.start(dina)
    assert (await scene.said(dina)).model == models.champion.name


async def free(scene: Scene) -> None:
    """Remove the own models of earlier tests."""
    db_assist = scene.house.services.db_assist
    for record in await db_assist.own_models():
        await db_assist.retire_own_model(record.id)


def now(house: House, message: JsonObject) -> JsonObject:
    """Return the present text of a message of the bot."""
    answers = house.telegram.answers(message["chat"]["id"])
    return next(one for one in answers if one["message_id"] == message["message_id"])
