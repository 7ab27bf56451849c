"""A vocabulary gets a word once, even if the process is ended in the middle of a correction."""

from pathlib import Path

from glas.settings import Settings
from tests.parts.bots import open_house
from tests.parts.recogniser import open_recogniser
from tests.telegram.server import TelegramServer

ANNA = 5_960_000_001
OGG = (Path(__file__).parents[2] / "samples" / "message-1.ogg").read_bytes()
WRONG, RIGHT = "Передай гуле, что встреча в пятницу.", "Передай Айгуль, что встреча в пятницу."


async def test_a_restart_teaches_once(settings: Settings) -> None:
    """The process ends between the correction and its confirmation, which comes later with the same text."""
    async with open_recogniser() as recogniser:
        recogniser.text = WRONG
        with TelegramServer() as telegram:
            async with open_house(settings, telegram, recogniser.client) as house:
                await house.start(ANNA)
                answer = await house.answer(telegram.speak(ANNA, OGG))
                telegram.fail("sendMessage", "server_error", times=50)
                said = telegram.say(ANNA, RIGHT, reply_to=answer["message_id"])
                calls = telegram.world.calls
                await house.until(lambda: any("Запомнил" in str(one.params.get("text")) for one in calls))
                assert [one.word for one in await house.services.db_assist.words(ANNA)] == ["Айгуль"]
            telegram.world.faults.script.clear()
            async with open_house(settings, telegram, recogniser.client) as house:
                assert "Запомнил: Айгуль." in (await house.answer(said))["text"]
                (word,) = await house.services.db_assist.words(ANNA)
                assert word.n_messages == 1
                await house.answer(telegram.speak(ANNA, OGG))
                assert recogniser.keywords == ["Айгуль"]
