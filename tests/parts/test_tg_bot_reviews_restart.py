"""A review is completed if the process was ended in the middle of it."""

from glas.settings import Settings
from tests.parts.bots import open_house
from tests.parts.corrections import HEARD, RIGHT
from tests.parts.recogniser import open_recogniser
from tests.parts.reviews import ADMIN, OGG, WITHOUT_CHECKS, after, speaker
from tests.telegram.server import TelegramServer


async def test_restarts_lose_nothing(settings: Settings) -> None:
    """The process ends before a press is handled, after ✏️, or before the next recording is sent."""
    settings = settings.model_copy(update={"admin_user_ids": str(ADMIN), "db_assist": WITHOUT_CHECKS})
    async with open_recogniser() as recogniser:
        with TelegramServer() as telegram:
            recogniser.text = HEARD
            async with open_house(settings, telegram, recogniser.client) as house:
                await house.start(ADMIN)
                anna = await speaker(house)
                rows = [await house.row_of(await house.answer(telegram.speak(anna, OGG))) for _ in range(3)]
                shown = await house.answer(telegram.say(ADMIN, "/review"))
            telegram.press(ADMIN, shown["message_id"], "✅")
            async with open_house(settings, telegram, recogniser.client) as house:
                second = await after(house, ADMIN, shown)
                await house.press(ADMIN, second, "✏️")
                await house.until(lambda: telegram.answers(ADMIN)[-1].get("text", "").startswith("✏️"))
                asked = telegram.answers(ADMIN)[-1]
            said = telegram.say(ADMIN, RIGHT, reply_to=asked["message_id"])
            telegram.fail("sendVoice", "server_error", times=50)
            async with open_house(settings, telegram, recogniser.client) as house:
                assert (await house.answer(said))["text"].startswith("Записано")
            telegram.world.faults.script.clear()
            async with open_house(settings, telegram, recogniser.client) as house:
                third = await after(house, ADMIN, asked)
                assert "voice" in third
                found = [await house.services.db_assist.transcription(row.id) for row in rows]
                assert sorted(row.reference or "" for row in found) == ["", HEARD, RIGHT]
                await house.press(ADMIN, third, "🔇")
                assert "Всё проверено" in (await after(house, ADMIN, third))["text"]
