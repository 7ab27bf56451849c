"""A correction is completed if the process was ended in the middle of it."""

from pathlib import Path

from glas.settings import Settings
from tests.parts.bots import open_house
from tests.parts.corrections import HEARD, RIGHT, ask, shows
from tests.parts.recogniser import open_recogniser
from tests.telegram.server import TelegramServer

ANNA = 5_600_000_001
JOKE = "кто последний, тот моет посуду"
OGG = (Path(__file__).parents[2] / "samples" / "message-1.ogg").read_bytes()


async def test_restarts_lose_nothing(settings: Settings) -> None:
    """The process ends after ✏️, after the words, or before all messages are updated."""
    async with open_recogniser() as recogniser:
        with TelegramServer() as telegram:
            recogniser.text = HEARD
            async with open_house(settings, telegram, recogniser.client) as house:
                await house.start(ANNA)
                answer = await house.answer(telegram.speak(ANNA, OGG))
                asked = await ask(house, ANNA, answer)
            said = telegram.say(ANNA, JOKE, reply_to=asked["message_id"])
            async with open_house(settings, telegram, recogniser.client) as house:
                question = await house.answer(said)
                assert "Это не похоже на запись" in question["text"]
            telegram.press(ANNA, question["message_id"], "✏️")
            async with open_house(settings, telegram, recogniser.client) as house:
                await shows(house, answer, JOKE)
                telegram.fail("editMessageText", "server_error", times=50)
                told = await house.answer(telegram.say(ANNA, RIGHT, reply_to=asked["message_id"]))
                assert "Спасибо, исправлено" in told["text"]
                assert (await house.row_of(answer)).reference == RIGHT
            telegram.world.faults.script.clear()
            async with open_house(settings, telegram, recogniser.client) as house:
                await shows(house, answer, RIGHT)
            telegram.press(ANNA, told["message_id"], "↩️")
            async with open_house(settings, telegram, recogniser.client) as house:
                await shows(house, answer, JOKE)
