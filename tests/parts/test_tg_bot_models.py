"""/model: administrators choose a model in the chat; it is downloaded from a test hub and serves without a restart."""

import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from itertools import count

import pytest
import pytest_asyncio

from glas.domain.people import Locale
from glas.settings import Settings
from tests.conftest import Sample, Server
from tests.models.gigaam_layout import gigaam_ctc
from tests.models.hub_server import Hub, files_of, serving
from tests.parts.bots import House, nn_service_at, open_house, texts_of_buttons
from tests.telegram.server import TelegramServer

ADMIN = 5_200_000_001
_people = count(5_200_000_002)
in_the_module = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """The repository of GigaAM v3, with a tiny model that loads; it sends files once `pause` is set."""
    files = files_of(gigaam_ctc(tmp_path_factory.mktemp("repository"), int8_says=("б", "в", "а")))
    return Hub("istupakov/gigaam-v3-onnx", files, pause=threading.Event())


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(
    tmp_path_factory: pytest.TempPathFactory, start_glas: Callable[..., AbstractContextManager[Server]], hub: Hub
) -> AsyncIterator[House]:
    """The system, with one administrator and a recogniser of its own."""
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("bot"), admin_user_ids=str(ADMIN))
    with contextlib.ExitStack() as stack:
        stack.enter_context(serving(hub))
        server = stack.enter_context(start_glas("nn_service", HF_ENDPOINT=hub.address))
        telegram = stack.enter_context(TelegramServer())
        nn_service = nn_service_at(server.url)
        async with open_house(settings, telegram, nn_service) as opened:
            yield opened
        await nn_service.close()


def now(house: House, message_id: int) -> str:
    """Return the present text of a message to the administrator."""
    return str(house.telegram.world.messages[(ADMIN, message_id)].get("text", ""))


@in_the_module
async def test_a_model_is_chosen_fetched_and_serves(house: House, hub: Hub, samples: list[Sample]) -> None:
    await house.start(ADMIN)
    assert "Модель: Whisper base, русская" in (await house.answer(house.telegram.say(ADMIN, "/stats")))["text"]
    shown = await house.answer(house.telegram.say(ADMIN, "/model"))
    assert shown["text"].startswith("Сейчас распознаёт: Whisper base, русская")
    buttons = texts_of_buttons(shown)
    assert buttons[0] == "⬇️ GigaAM v3 RNN-T со знаками препинания · 227 МБ", "the best one first"
    assert not [text for text in buttons if "Встроенная" in text]

    assert await house.press(ADMIN, shown, "⬇️ GigaAM v3 · 225 МБ") == "GigaAM v3"
    await house.until(lambda: now(house, shown["message_id"]) == "⏳ GigaAM v3: скачано 0 %")
    other = await house.answer(house.telegram.say(ADMIN, "/model"))
    # While that goes on, voices are answered as ever.
    assert (await house.answer(house.telegram.speak(ADMIN, samples[0].path.read_bytes())))["text"]
    assert hub.pause is not None
    hub.pause.set()
    await house.until(lambda: now(house, shown["message_id"]) == "✅ Теперь распознаёт: GigaAM v3")
    assert (await house.services.nn_service.health()).model == "onnx:gigaam-v3-ctc"
    assert "Модель: GigaAM v3" in (await house.answer(house.telegram.say(ADMIN, "/help")))["text"]

    again = await house.answer(house.telegram.say(ADMIN, "/model"))
    await house.press(ADMIN, again, "▶️ Whisper base, русская")
    await house.until(lambda: now(house, again["message_id"]) == "✅ Теперь распознаёт: Whisper base, русская")
    served = (await house.services.nn_service.health()).served
    assert served is not None
    record = await house.services.db_assist.model(served)
    assert record is not None
    decision = record.decisions[-1]
    assert decision.user_id == (await house.services.db_assist.user(ADMIN)).id
    assert (decision.champion_before or "").startswith("onnx:gigaam-v3-ctc@")
    assert decision.champion_after == str(served)
    assert other["text"].startswith("Сейчас распознаёт: Whisper base, русская")


@in_the_module
async def test_what_cannot_be_had_is_told_with_its_cause(house: House) -> None:
    await house.start(ADMIN)
    shown = await house.answer(house.telegram.say(ADMIN, "/model"))
    await house.press(ADMIN, shown, "⬇️ T-one · 144 МБ")
    await house.until(lambda: now(house, shown["message_id"]).startswith("⚠️ Хранилище моделей недоступно."))
    assert "t-tech/T-one" in now(house, shown["message_id"])
    assert (await house.services.nn_service.health()).title[Locale.EN] == "Whisper base, Russian"


@in_the_module
async def test_it_is_for_administrators_alone(house: House) -> None:
    anna = next(_people)
    await house.start(anna)
    assert (await house.answer(house.telegram.say(anna, "/model")))["text"].startswith("Пришлите голосовое")
    shown = await house.answer(house.telegram.say(ADMIN, "/model"))
    before = now(house, shown["message_id"])
    said = await house.press(anna, shown, "⬇️", chat=ADMIN)
    assert said == "Эта кнопка не для вас: нажать её может только тот, кому я ответил."
    assert now(house, shown["message_id"]) == before
