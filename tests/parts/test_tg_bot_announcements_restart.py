"""News are sent correctly if the process was ended before, while or after it sent them."""

import asyncio

from glas.clients.model_record_bodies import NewsItem
from glas.domain.model_records import ModelState, Outcome
from glas.settings import BotSettings, Settings
from tests.parts.bots import House, open_house
from tests.parts.corrections import HEARD, RIGHT
from tests.parts.judged import entry, told_to, until_ended
from tests.parts.recogniser import open_recogniser
from tests.parts.reviews import OGG, speaker
from tests.telegram.server import TelegramServer

LOOKS = BotSettings(announce_s=0.1)


async def record(house: House, name: str, transcription_id: int) -> None:
    """Record that a model serves that has improved a message."""
    news = (NewsItem(transcription_id=transcription_id, text_before=HEARD, text_after=RIGHT),)
    await house.services.db_assist.record_model(entry(name, ModelState.CHAMPION, news=news))


async def test_news_survive_a_crash_and_come_once(settings: Settings) -> None:
    """News that were not sent before a kill are sent later; news that were being sent are not repeated."""
    settings = settings.model_copy(update={"bot": LOOKS})
    async with open_recogniser() as recogniser:
        recogniser.text = HEARD
        with TelegramServer() as telegram:
            async with open_house(settings, telegram, recogniser.client) as house:
                anna, boris = await speaker(house), await speaker(house)
                hers, his = [await house.row_of(await house.answer(telegram.speak(one, OGG))) for one in (anna, boris)]
                telegram.fail("sendChatAction", "server_error", times=10**6, chat_id=anna)
                await record(house, "first", hers.id)
                await asyncio.sleep(0.5)
                assert told_to(house, anna, "Я стал") == []
            telegram.world.faults.script.clear()
            async with open_house(settings, telegram, recogniser.client) as house:
                assert await until_ended(house, anna) is Outcome.SENT
                assert len(told_to(house, anna, "Я стал")) == 1
                # The process is ended while it waits for the answer: it cannot know whether Telegram has it.
                telegram.fail("sendMessage", "slow", delay_s=20, chat_id=boris)
                await record(house, "second", his.id)
                # On a busy machine, the bot sends the message only after some seconds.
                await house.until(lambda: not telegram.world.faults.script, "the request that gets a slow answer")
                (news,) = (await house.services.db_assist.export_user(boris)).news
                assert news.outcome is None
            async with open_house(settings, telegram, recogniser.client) as house:
                assert await until_ended(house, boris) is Outcome.SENT
                await asyncio.sleep(0.5)
                assert told_to(house, boris, "Я стал") == [], "a second try might have been the second message"
