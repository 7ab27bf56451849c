"""The choice of a model is recorded once if the process ends after the record, and before the bot knows of it."""

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from unittest.mock import patch

from glas.clients.db_assist import DbAssistClient
from glas.clients.model_record_bodies import ChoiceRequest, DecisionResult
from glas.settings import Settings
from tests.conftest import Server
from tests.models.gigaam_layout import gigaam_ctc
from tests.models.hub_server import Hub, files_of, serving
from tests.parts.bots import nn_service_at, open_house
from tests.telegram.server import TelegramServer

ADMIN = 5_210_000_001
GIGAAM = "onnx:gigaam-v3-ctc"


async def test_a_choice_is_recorded_once(
    settings: Settings, start_glas: Callable[..., AbstractContextManager[Server]], tmp_path: Path
) -> None:
    hub = Hub("istupakov/gigaam-v3-onnx", files_of(gigaam_ctc(tmp_path / "repository", int8_says=("б", "в", "а"))))
    settings = settings.model_copy(update={"admin_user_ids": str(ADMIN)})
    choose, keys, is_recorded = DbAssistClient.choose_model, list[str | None](), asyncio.Event()

    async def choose_without_answer(client: DbAssistClient, choice: ChoiceRequest) -> DecisionResult:
        await choose(client, choice)
        keys.append(choice.key)
        is_recorded.set()
        await asyncio.Event().wait()
        raise AssertionError

    with contextlib.ExitStack() as stack:
        stack.enter_context(serving(hub))
        server = stack.enter_context(start_glas("nn_service", HF_ENDPOINT=hub.address))
        telegram = stack.enter_context(TelegramServer())
        nn_service = nn_service_at(server.url)
        with patch.object(DbAssistClient, "choose_model", choose_without_answer):
            async with open_house(settings, telegram, nn_service) as house:
                await house.start(ADMIN)
                shown = await house.answer(telegram.say(ADMIN, "/model"))
                await house.press(ADMIN, shown, "⬇️ GigaAM v3 · 225 МБ")
                await asyncio.wait_for(is_recorded.wait(), 60)

        async def choose_noted(client: DbAssistClient, choice: ChoiceRequest) -> DecisionResult:
            keys.append(choice.key)
            return await choose(client, choice)

        with patch.object(DbAssistClient, "choose_model", choose_noted):
            async with open_house(settings, telegram, nn_service) as house:
                message = (ADMIN, shown["message_id"])
                await house.until(
                    lambda: telegram.world.messages[message].get("text") == "✅ Теперь распознаёт: GigaAM v3"
                )
                served = (await nn_service.health()).served
                assert served is not None
                record = await house.services.db_assist.model(served)
        await nn_service.close()
    assert keys == [keys[0]] * 2, "the bot did not know that the choice was recorded"
    assert served.name == GIGAAM
    assert record is not None
    assert len(record.decisions) == 1
