"""Two hundred replies: no true correction is lost, and at most one of a hundred other replies becomes a reference.

`make test` plays every third of them, `make whole` all.
"""

import asyncio
import os
from itertools import count
from pathlib import Path

import pytest

from glas.settings import Settings
from tests.parts.bots import TIMEOUT_S, House, open_house
from tests.parts.corrections import ask
from tests.parts.recogniser import open_recogniser
from tests.parts.replies import Reply, scene
from tests.telegram.people import buttons
from tests.telegram.server import TelegramServer
from tests.telegram.world import JsonObject

OGG = (Path(__file__).parents[2] / "samples" / "message-1.ogg").read_bytes()
_MOST_ACTIONS = 3
_AT_ONCE = 12
_EVERY = 1 if "WHOLE_SETS" in os.environ else 3
_people = count(5_700_000_001)


async def play(house: House, reply: Reply, mark: bytes) -> tuple[str | None, str, int]:
    """Let a person speak and somebody reply; the author of a correction confirms it if asked, all others refuse.

    Returns:
        The reference and the words that are shown in the end, and the actions that the author took.
    """
    author, telegram = next(_people), house.telegram
    await house.services.db_assist.register(author)
    chat = -author if reply.in_group else author
    sent = telegram.speak(author, OGG + mark, chat=chat)
    answer = await house.answer(sent)
    row = await house.row_of(answer)
    actions, to = 1, answer if reply.way == "text" else sent
    if reply.way == "pencil":
        actions, to = 2, await ask(house, author, answer)
    said = telegram.say(author if reply.by_author else next(_people), reply.said, chat=chat, reply_to=to["message_id"])
    if question := await asked_about(house, said, is_expected=reply.by_author and (not reply.in_group or actions > 1)):
        actions += 1
        await house.press(author, question, "✏️" if reply.is_correction else "Нет", chat=chat)
    row = await house.services.db_assist.transcription(row.id)
    return row.reference, row.shown_text, actions


async def asked_about(house: House, said: JsonObject, *, is_expected: bool) -> JsonObject | None:
    """Return the bot's question about a reply, if it asks; wait if a question is expected."""
    if not is_expected:
        await asyncio.sleep(1.0)
        chat, number = said["chat"]["id"], said["message_id"]
        assert not [
            one for one in house.telegram.answers(chat) if one.get("reply_to_message", {}).get("message_id") == number
        ], "expected silence about other people's talk"
        return None
    told = await house.answer(said)
    return told if any(one["text"] == "Нет" for one in buttons(told)) else None


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_two_hundred_replies(settings: Settings) -> None:
    """The replies are like those of people, in private and in groups."""
    replies = scene()
    assert len(replies) >= 200
    replies = replies[::_EVERY]
    turn = asyncio.Semaphore(_AT_ONCE)
    async with open_recogniser() as recogniser:
        with TelegramServer() as telegram:
            async with open_house(settings, telegram, recogniser.client) as house:
                assert TIMEOUT_S >= 60

                async def one(number: int, reply: Reply) -> tuple[str | None, str, int]:
                    mark = b"#reply-%d#" % number
                    recogniser.texts[mark] = reply.heard
                    async with turn:
                        return await play(house, reply, mark)

                found = await asyncio.gather(*(one(number, reply) for number, reply in enumerate(replies)))
    true = [(reply, *result) for reply, result in zip(replies, found, strict=True) if reply.is_correction]
    others = [(reply, *result) for reply, result in zip(replies, found, strict=True) if not reply.is_correction]
    lost = [(reply, shown) for reply, _, shown, _ in true if shown != reply.said]
    assert lost == []
    assert max(actions for *_, actions in true) <= _MOST_ACTIONS
    references = [reference for _, reference, _, _ in true if reference is not None]
    assert len(references) >= 0.9 * len(true)
    wrong = [(reply, reference) for reply, reference, _, _ in others if reference is not None]
    print(f"{len(true)} corrections, {len(references)} references; {len(others)} others, wrong: {wrong}")  # noqa: T201
    assert len(wrong) <= 0.01 * len(others)
    assert [reply for reply, _, shown, _ in others if shown != reply.heard and reply not in dict(wrong)] == []
