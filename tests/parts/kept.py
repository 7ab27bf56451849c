"""Functions for tests of kept recognitions: words with times, and requests for subtitles."""

from pathlib import Path

from tests.parts.bots import House
from tests.parts.recogniser import Recogniser
from tests.telegram.world import JsonObject

OGG = (Path(__file__).parents[2] / "samples" / "message-1.ogg").read_bytes()
VERSION = "0123456789ab"


def speak(recogniser: Recogniser, text: str) -> None:
    """Let the recogniser return a text for everybody, with 0.4 s for each word."""
    recogniser.text, recogniser.model_version = text, VERSION
    recogniser.words = [
        {"word": word, "start": number * 0.4, "end": number * 0.4 + 0.3} for number, word in enumerate(text.split())
    ]


async def pressed(house: House, person: int, answer: JsonObject) -> str:
    """Return the subtitles that are sent after a press of the button."""
    before = len(documents(house, person))
    await house.press(person, answer, "📄")
    await house.until(lambda: len(documents(house, person)) > before)
    return documents(house, person)[-1].decode()


def documents(house: House, person: int) -> list[bytes]:
    """Return the files (not the pictures) that the bot sent to a person, the oldest first."""
    world = house.telegram.world
    with world.lock:
        return [
            data
            for where, data in sorted(world.documents.items())
            if where[0] == person and "document" in world.messages[where]
        ]
