"""No text is lost: for any answer in place of Telegram's, any length of a text, and any restriction of a group."""

import asyncio
from pathlib import Path

import pytest
import pytest_asyncio

from glas.domain.messages import Status
from tests.parts.bots import House, newcomer, people, texts_of_buttons
from tests.parts.recogniser import Recogniser
from tests.telegram.rules import MAX_TEXT_UNITS, units
from tests.telegram.world import JsonObject

pytestmark = pytest.mark.asyncio(loop_scope="module")

OGG = (Path(__file__).parents[2] / "samples" / "message-1.ogg").read_bytes()
# What stands between a bot and Telegram answers so when something is wrong there.
FOREIGN = ["html", "html_after", "empty", "half_json", "other_json", "not_utf8", "trickle"]


@pytest_asyncio.fixture(loop_scope="module")
async def anna(house: House, recogniser: Recogniser) -> int:
    """A person who has pressed /start, and says «привет»."""
    recogniser.text, recogniser.delay_s = "привет", 0.0
    return await newcomer(house)


def texts_in(house: House, chat: int) -> list[str]:
    """Return the present texts of the bot's messages in a chat, oldest first."""
    return [one["text"] for one in house.telegram.answers(chat) if "text" in one]


async def status_of(house: House, person: int) -> list[Status]:
    """Return the states of a person's messages in the database."""
    return [row.status for row in (await house.services.db_assist.export_user(person)).transcriptions]


async def said_in(house: House, chat: int, sent: JsonObject) -> list[str]:
    """Return the bot's messages below a recording when none is a placeholder any more, oldest first."""
    await house.answer(sent)
    await asyncio.sleep(0.3)
    return [
        one["text"] for one in house.telegram.answers(chat) if one["message_id"] > sent["message_id"] and "text" in one
    ]


def files_in(house: House, chat: int) -> list[str]:
    """The texts that the bot sent to a chat as files."""
    world = house.telegram.world
    return [
        data.decode()
        for where, data in world.documents.items()
        if where[0] == chat and "document" in world.messages[where]
    ]


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("method", ["editMessageText", "getFile", "sendMessage"])
async def test_a_text_comes_although_a_proxy_answers_for_telegram(
    house: House, anna: int, method: str, kind: str
) -> None:
    """HTML, an empty body, or incomplete or foreign JSON: the call is repeated, and the text is shown."""
    house.telegram.fail(method, kind, times=2)  # type: ignore[arg-type]
    house.telegram.speak(anna, OGG)
    await house.until(lambda: "привет" in texts_in(house, anna))
    assert await status_of(house, anna) == [Status.DONE]
    assert texts_in(house, anna).count("привет") == 1


@pytest.mark.parametrize("method", ["editMessageText", "sendMessage"])
async def test_a_text_stands_although_the_answer_has_a_new_form(house: House, anna: int, method: str) -> None:
    """Telegram has carried out the call, so it is not repeated, and no failure is shown."""
    house.telegram.fail(method, "new_form")
    house.telegram.speak(anna, OGG)
    await house.until(lambda: "привет" in texts_in(house, anna))
    await asyncio.sleep(0.5)
    assert texts_in(house, anna) == ["привет"]
    assert await status_of(house, anna) == [Status.DONE]


@pytest.mark.parametrize("kind", FOREIGN)
async def test_updates_come_although_a_proxy_answers_for_telegram(house: House, anna: int, kind: str) -> None:
    """The request for updates is repeated."""
    house.telegram.fail("getUpdates", kind, times=2)  # type: ignore[arg-type]
    assert (await house.answer(house.telegram.speak(anna, OGG)))["text"] == "привет"


@pytest.mark.parametrize("length", [3800, 3990, 4000, 4090, 4097, 9000])
@pytest.mark.parametrize("is_stranger", [False, True])
async def test_texts_of_any_length_are_said_in_private(
    house: House, anna: int, recogniser: Recogniser, length: int, *, is_stranger: bool
) -> None:
    """This includes lengths near the limit, with the notes below the text."""
    person = next(people) if is_stranger else anna
    recogniser.text = ("слово " * 2000)[:length].strip()
    sent = house.telegram.speak(person, OGG)
    texts = await said_in(house, person, sent)
    files = files_in(house, person)
    assert files[-1:] == [recogniser.text] if texts[0].startswith("📄") else texts[0].startswith(recogniser.text)
    assert "⚠️" not in "".join(texts)
    assert ("/start" in texts[0]) == is_stranger


@pytest.mark.parametrize(
    "name",
    ["Анна", "Ж" * 64 + " " + "Щ" * 64, "Александра 🌸🌸🌸🌸🌸🌸🌸🌸🌸🌸🌸🌸 Константинопольская 🌸🌸🌸🌸🌸🌸🌸🌸"],
)
async def test_a_long_name_loses_no_text(
    house: House, anna: int, recogniser: Recogniser, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a group the name counts towards the limit."""
    first, _, last = name.partition(" ")
    described = {"id": anna, "is_bot": False, "first_name": first, "last_name": last or None}
    monkeypatch.setattr("tests.telegram.people.user", lambda _: described)
    recogniser.text = ("слово " * 700)[:3985].strip()
    texts = await said_in(house, -anna, house.telegram.speak(anna, OGG, chat=-anna))
    assert texts[0].startswith(f"{first}")
    assert "⚠️" not in texts[0]
    assert recogniser.text in (texts[0], *texts[0].split(": ", 1), *files_in(house, -anna))


async def test_a_long_text_comes_in_parts_where_a_group_forbids_files(
    house: House, anna: int, recogniser: Recogniser
) -> None:
    """The parts contain the whole text in order; the buttons are under the first part."""
    house.telegram.world.forbidden[-anna] = frozenset({"documents"})
    recogniser.text = " ".join(f"слово{number}" for number in range(1200))
    sent = house.telegram.speak(anna, OGG, chat=-anna)
    await house.until(lambda: any("слово1199" in text for text in texts_in(house, -anna)))
    texts = await said_in(house, -anna, sent)
    assert len(texts) > 2
    assert all(units(text) <= MAX_TEXT_UNITS for text in texts)
    assert " ".join(texts).removeprefix(f"Person {anna}: ").split() == recogniser.text.split()
    assert "✅" in texts_of_buttons(house.telegram.answers(-anna)[0])
    assert await status_of(house, anna) == [Status.DONE]


async def test_a_text_refused_in_its_form_is_said_plain(house: House, anna: int) -> None:
    """If Telegram refuses the message with buttons, the words are sent without them."""
    house.telegram.fail("editMessageText", "bad_request")
    house.telegram.speak(anna, OGG)
    await house.until(lambda: "привет" in texts_in(house, anna))
    assert await status_of(house, anna) == [Status.DONE]


async def test_who_was_muted_meanwhile_gets_the_text_in_private(
    house: House, anna: int, recogniser: Recogniser
) -> None:
    """The placeholder was deleted, and the bot may not write in the group any more."""
    recogniser.delay_s = 1.0
    sent = house.telegram.speak(anna, OGG, chat=-anna)
    placeholder = await house.answer(sent, final=False)
    house.telegram.world.forbidden[-anna] = frozenset({"text messages"})
    del house.telegram.world.messages[(-anna, placeholder["message_id"])]
    await house.until(lambda: any(one.get("text") == "привет" for one in house.telegram.answers(anna)))
