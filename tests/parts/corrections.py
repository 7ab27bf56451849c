"""What tests of corrections share."""

from tests.parts.bots import House
from tests.telegram.world import JsonObject

HEARD = "Встреча переносится на пятницу, на пятнадцать тридцать."
RIGHT = "Встреча переносится на пятницу, на шестнадцать тридцать."


async def ask(house: House, person: int, answer: JsonObject) -> JsonObject:
    """Press ✏️ and wait for the request."""
    chat = answer["chat"]["id"]
    before = {one["message_id"] for one in house.telegram.answers(chat)}
    await house.press(person, answer, "✏️", chat=chat)
    await house.until(lambda: any(one["message_id"] not in before for one in house.telegram.answers(chat)))
    return next(one for one in house.telegram.answers(chat) if one["message_id"] not in before)


async def shows(house: House, answer: JsonObject, text: str) -> None:
    """Wait until an answer says a text."""
    chat, number = answer["chat"]["id"], answer["message_id"]
    await house.until(lambda: house.telegram.world.messages[(chat, number)].get("text") == text, text)
