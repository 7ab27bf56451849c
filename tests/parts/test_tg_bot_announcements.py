"""The bot sends people news about models once, and asks administrators whether a candidate should serve."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from glas.clients.model_record_bodies import DecisionRequest, NewsItem
from glas.clients.own_models import OwnModelEntry
from glas.domain.model_records import ModelState, Outcome
from glas.settings import BotSettings, Settings
from tests.parts.bots import House, open_house, texts_of_buttons
from tests.parts.corrections import HEARD, RIGHT
from tests.parts.judged import entry, taught, told_to, until_ended
from tests.parts.recogniser import Recogniser, open_recogniser
from tests.parts.reviews import OGG, speaker
from tests.telegram.server import TelegramServer
from tests.telegram.world import JsonObject

ADMIN, OTHER = 5_750_000_001, 5_750_000_002
LOOKS = BotSettings(announce_s=0.1)
in_the_module = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def recogniser() -> AsyncIterator[Recogniser]:
    """A recogniser of this module."""
    async with open_recogniser() as made:
        made.text = HEARD
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, recogniser: Recogniser) -> AsyncIterator[House]:
    """The system with two administrators."""
    settings = Settings(
        _env_file=None, data_dir=tmp_path_factory.mktemp("bot"), admin_user_ids=f"{ADMIN},{OTHER}", bot=LOOKS
    )
    with TelegramServer() as telegram:
        async with open_house(settings, telegram, recogniser.client) as opened:
            for admin in (ADMIN, OTHER):
                await opened.start(admin)
            yield opened


@in_the_module
async def test_who_taught_a_model_is_told_once_and_may_refuse(house: House) -> None:
    anna = await speaker(house)
    await taught(house, "first", anna)
    assert await until_ended(house, anna) is Outcome.SENT
    (told,) = told_to(house, anna, "Я стал распознавать лучше")
    assert f"Было:\n{HEARD}\n\nСтало:\n{RIGHT}" in told["text"]
    shown = [told["text"][one["offset"] :][: one["length"]] for one in told["entities"] if one["type"] == "bold"]
    assert shown == ["Было:", "Стало:", "шестнадцать"]
    assert "voice" in told["reply_to_message"]
    assert texts_of_buttons(told) == ["🔕 Не присылать такие новости"]
    assert (await house.press(anna, told, "🔕")).startswith("Хорошо, больше не пришлю")
    shown_now = house.telegram.world.messages[(anna, told["message_id"])]
    await house.until(lambda: texts_of_buttons(shown_now) == ["🔔 Присылать такие новости"], "another button")
    await taught(house, "second", anna)
    settings = await house.answer(house.telegram.say(anna, "/settings"))
    assert "чему я научился на ваших сообщениях: нет" in settings["text"]
    await asyncio.sleep(1)
    assert len(told_to(house, anna, "Я стал распознавать лучше")) == 1
    await house.press(anna, settings, "🔔")
    await house.until(lambda: len(told_to(house, anna, "Я стал распознавать лучше")) == 2)


@in_the_module
async def test_who_gets_an_own_model_is_told(house: House) -> None:
    dina = await speaker(house)
    row = await house.row_of(await house.answer(house.telegram.speak(dina, OGG)))
    own = OwnModelEntry(
        transcription_id=row.id,
        name="/models/dina",
        version="0" * 12,
        instead_of="1" * 12,
        wer_before=0.3,
        wer_after=0.2,
        operator="anna",
        news=NewsItem(transcription_id=row.id, text_before=HEARD, text_after=RIGHT),
    )
    await house.services.db_assist.record_own_model(own)
    assert await until_ended(house, dina) is Outcome.SENT
    (told,) = told_to(house, dina, "Теперь ваши голосовые")
    assert f"Было:\n{HEARD}\n\nСтало:\n{RIGHT}" in told["text"]
    assert texts_of_buttons(told) == ["🔕 Не присылать такие новости"]


@in_the_module
async def test_who_has_blocked_the_bot_is_not_tried_again(house: House) -> None:
    boris = await speaker(house)
    row = await house.row_of(await house.answer(house.telegram.speak(boris, OGG)))
    house.telegram.fail("sendMessage", "blocked", times=1, chat_id=boris)
    news = (NewsItem(transcription_id=row.id, text_before=HEARD, text_after=RIGHT),)
    await house.services.db_assist.record_model(entry("third", ModelState.CHAMPION, news=news))
    assert await until_ended(house, boris) is Outcome.UNREACHABLE
    vera = await speaker(house)
    row = await house.row_of(await house.answer(house.telegram.speak(vera, OGG)))
    house.telegram.fail("sendChatAction", "blocked", times=1, chat_id=vera)
    news = (NewsItem(transcription_id=row.id, text_before=HEARD, text_after=RIGHT),)
    await house.services.db_assist.record_model(entry("fourth", ModelState.CHAMPION, news=news))
    assert await until_ended(house, vera) is Outcome.UNREACHABLE
    await asyncio.sleep(0.5)
    assert told_to(house, boris, "Я стал") == told_to(house, vera, "Я стал") == []


@in_the_module
async def test_news_do_not_come_twice_when_the_answer_of_telegram_is_lost(house: House) -> None:
    """News are sent later if Telegram asks to wait, or is unavailable before they are sent."""
    gleb = await speaker(house)
    row = await house.row_of(await house.answer(house.telegram.speak(gleb, OGG)))
    house.telegram.fail("sendChatAction", "cut_before", times=2, chat_id=gleb)
    house.telegram.fail("sendMessage", "too_many", times=1, chat_id=gleb)
    house.telegram.fail("sendMessage", "cut_after", times=1, chat_id=gleb, skip=1)
    news = (NewsItem(transcription_id=row.id, text_before=HEARD, text_after=RIGHT),)
    await house.services.db_assist.record_model(entry("fifth", ModelState.CHAMPION, news=news))
    assert await until_ended(house, gleb) is Outcome.SENT
    await asyncio.sleep(0.5)
    assert len(told_to(house, gleb, "Я стал")) == 1


async def asked(house: House, admin: int, name: str) -> JsonObject:
    """Return the question about a model."""

    def found() -> list[JsonObject]:
        return [one for one in told_to(house, admin, "🧠") if f"\n{name} (" in one["text"]]

    await house.until(lambda: bool(found()), f"a question about {name}")
    return found()[0]


def now(house: House, question: JsonObject) -> str:
    return str(house.telegram.world.messages[(question["chat"]["id"], question["message_id"])]["text"])


@in_the_module
async def test_the_first_administrator_decides(house: House, recogniser: Recogniser) -> None:
    dina = await speaker(house)
    made = await taught(house, "whisper:/models/learnt-1", dina, ModelState.CANDIDATE)
    hers, his = await asked(house, ADMIN, "learnt-1"), await asked(house, OTHER, "learnt-1")
    assert "сейчас 24,8 %, с новой 17,8 %" in hers["text"]
    assert "✓ Ошибок меньше на: 28,20 %" in hers["text"] or "✓ Ошибок меньше на: 28,2 %" in hers["text"]
    assert "Училась на сообщениях 1 человека." in hers["text"]
    assert hers["text"].endswith("Включить её или оставить прежнюю?")
    assert texts_of_buttons(hers) == ["▶️ Включить", "Оставить прежнюю"]
    assert await house.press(ADMIN, hers, "▶️") == "Включаю…"
    await house.until(lambda: "✅ Включена" in now(house, hers) and "✅ Включена" in now(house, his))
    assert recogniser.served[-1] == made.name
    assert "Решение:" in now(house, his)
    assert "?" not in now(house, his)
    assert "reply_markup" not in house.telegram.world.messages[(OTHER, his["message_id"])]
    found = await house.services.db_assist.model(made.ref)
    assert found is not None
    assert found.state is ModelState.CHAMPION
    decider = await house.services.db_assist.user(ADMIN)
    assert [(one.state, one.user_id) for one in found.decisions][-1] == (ModelState.CHAMPION, decider.id)
    assert await until_ended(house, dina) is Outcome.SENT, "who taught it is told now, not before"


@in_the_module
async def test_the_former_model_stays(house: House, recogniser: Recogniser) -> None:
    """An administrator decides so, or the new model cannot be loaded."""
    before = len(recogniser.served)
    db_assist = house.services.db_assist
    made = await db_assist.record_model(entry("whisper:/models/learnt-2", ModelState.CANDIDATE))
    question = await asked(house, OTHER, "learnt-2")
    await house.press(OTHER, question, "Оставить")
    await house.until(lambda: "Осталась прежняя модель" in now(house, question))
    assert (await db_assist.models(ModelState.REFUSED))[0].id == made.id
    made = await db_assist.record_model(entry("whisper:/models/learnt-3", ModelState.CANDIDATE))
    question = await asked(house, OTHER, "learnt-3")
    error = {"message": "damaged", "type": "server_error", "param": None, "code": "model_load_failed"}
    recogniser.error = 500, {"error": error}
    await house.press(OTHER, question, "▶️")
    await house.until(lambda: "Включить не получилось" in now(house, question))
    recogniser.error = None
    found = await db_assist.model(made.ref)
    assert found is not None
    assert (found.state, found.decisions[-1].reason) == (ModelState.ROLLED_BACK, "damaged")
    assert len(recogniser.served) == before


@in_the_module
async def test_a_decision_that_is_made_stays(house: House) -> None:
    """A late press, and a press by a person who is no administrator, have no effect."""
    db_assist = house.services.db_assist
    made = await db_assist.record_model(entry("whisper:/models/learnt-4", ModelState.CANDIDATE))
    question = await asked(house, ADMIN, "learnt-4")
    anna = await speaker(house)
    assert (await house.press(anna, question, "▶️", chat=ADMIN)).startswith("Эта кнопка не для вас")
    await db_assist.decide(made.id, DecisionRequest(state=ModelState.REFUSED, operator="anna"))
    assert await house.press(ADMIN, question, "▶️") == "Решение уже принято."
    assert (await db_assist.models(ModelState.REFUSED))[0].id == made.id
