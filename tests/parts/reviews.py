"""Functions for tests of reviews in the bot."""

from itertools import count
from pathlib import Path

from glas.settings import DbAssistSettings
from tests.parts.bots import House
from tests.telegram.world import JsonObject

ADMIN = 5_700_000_001
OGG = (Path(__file__).parents[2] / "samples" / "message-1.ogg").read_bytes()
WITHOUT_CHECKS = DbAssistSettings(review_check_every=0)
people = count(5_700_000_002)


async def speaker(house: House) -> int:
    """A person who agrees to training with the button under /start."""
    person = next(people)
    welcome = await house.start(person)
    assert "проверяющие" in welcome["caption"]
    await house.press(person, welcome, "✅")
    return person


async def after(house: House, reviewer: int, shown: JsonObject) -> JsonObject:
    """Return the recording, or the end, that follows a message; the bot's thanks are skipped."""

    def found() -> JsonObject | None:
        later = [one for one in house.telegram.answers(reviewer) if one["message_id"] > shown["message_id"]]
        return next((one for one in later if "voice" in one or "Всё проверено" in one.get("text", "")), None)

    await house.until(lambda: found() is not None, "the next recording")
    message = found()
    assert message is not None
    return message
