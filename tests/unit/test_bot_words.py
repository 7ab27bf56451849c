"""Test small components of the bot: signed buttons, queue, byte cache, word diff, and which updates are stored."""

import asyncio
import time
from typing import Any

import pytest
from aiogram.types import Update
from aiogram.utils.formatting import Text

from glas.domain.people import Locale
from glas.tg_bot.api.limiter import RateLimiter
from glas.tg_bot.intake import work_for
from glas.tg_bot.pace import Pace
from glas.tg_bot.talk.differences import word_diff
from glas.tg_bot.talk.phrases import Phrases
from glas.tg_bot.talk.prompts import Prompt, Prompts
from glas.tg_bot.talk.signing import ForgedButtonError, Signer, StaleButtonError
from glas.tg_bot.talk.texts import MAX_UNITS, lay_out, split, units
from glas.tg_bot.voices.jobs import UPDATES, VOICES, voice_job
from glas.tg_bot.voices.notice import Notice
from glas.tg_bot.voices.recognition_queue import ByteCache, RecognitionQueue, Ticket

BOT = 7_000_000_001
NOW_S = 1_800_000_000


def test_a_button_is_read_back_by_its_signer_alone() -> None:
    """Values and signature are read back. Another token, a changed byte and an expired button are refused."""
    signer = Signer("1:a")
    data = signer.sign("r", 2**53, -3, asker=2**52 - 1, born_s=NOW_S, life_s=86_400)
    assert len(data.encode()) <= 64
    assert signer.read(data, now_s=NOW_S + 3600) == ("r", 2**52 - 1, (2**53, -3))
    for forged in (data.replace("r:", "s:"), data[:-1], "", ":", "r:1:2", data + "x"):
        with pytest.raises(ForgedButtonError):
            signer.read(forged, now_s=NOW_S)
    with pytest.raises(ForgedButtonError):
        Signer("2:b").read(data, now_s=NOW_S)
    with pytest.raises(StaleButtonError):
        signer.read(data, now_s=NOW_S + 2 * 86_400)


async def test_the_desk_serves_in_order_and_tells_places() -> None:
    """With one seat, the second recording has place 1 and the third has place 2."""
    recognition_queue, served = RecognitionQueue(1), list[int]()
    tickets = [recognition_queue.ticket() for _ in range(4)]

    async def come(number: int) -> None:
        with recognition_queue.in_line(tickets[number]):
            async with recognition_queue.seat(tickets[number]):
                served.append(number)
                await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(come(number)) for number in range(4)]
    await asyncio.sleep(0)
    assert [ticket.place for ticket in tickets] == [0, 1, 2, 3]
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert served == [0, 2, 3]
    last = recognition_queue.ticket()
    async with asyncio.timeout(1):
        with recognition_queue.in_line(last):
            async with recognition_queue.seat(last):
                pass


async def test_a_seat_goes_to_the_first_whose_bytes_are_there() -> None:
    """A recording that is still being downloaded keeps its place, and does not occupy a seat."""
    recognition_queue = RecognitionQueue(1)
    slow, quick, later = recognition_queue.ticket(10), recognition_queue.ticket(11), recognition_queue.ticket(12)
    with recognition_queue.in_line(later), recognition_queue.in_line(quick), recognition_queue.in_line(slow):
        assert [ticket.place for ticket in (slow, quick, later)] == [1, 2, 3]
        async with asyncio.timeout(1), recognition_queue.seat(quick):
            assert [ticket.place for ticket in (slow, quick, later)] == [1, 0, 2]
            waiting = [asyncio.create_task(_sit(recognition_queue, ticket)) for ticket in (later, slow)]
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)
        assert [await task for task in waiting] == [0, 1]
    assert recognition_queue.waiting() == []


async def _sit(recognition_queue: RecognitionQueue, ticket: Ticket) -> int:
    """Take a seat for a moment; return how many tickets wait meanwhile."""
    async with recognition_queue.seat(ticket):
        return len(recognition_queue.waiting())


async def test_a_place_counts_those_who_wait_elsewhere() -> None:
    """Two queues exchange their waiting recordings: places are those of one common queue, and both keep a pause."""
    desks, limiters = [RecognitionQueue(0), RecognitionQueue(0)], [RateLimiter(), RateLimiter()]
    one, two = (Notice(recognition_queue, limiter) for recognition_queue, limiter in zip(desks, limiters, strict=True))
    came = [(0, 10), (1, 11), (0, 12), (1, 12), (1, 14), (0, 20)]
    tickets = [desks[number].ticket(came_s) for number, came_s in came]

    async def wait(number: int) -> None:
        recognition_queue = desks[came[number][0]]
        with recognition_queue.in_line(tickets[number]):
            async with recognition_queue.seat(tickets[number]):
                pass

    tasks = [asyncio.create_task(wait(number)) for number in range(len(came))]
    await asyncio.sleep(0)
    assert [ticket.place for ticket in tickets] == [1, 1, 2, 2, 3, 3]
    limiters[0].pause(-5, 30)
    one.is_taking_in = True
    assert '"is_taking_in":true' in one.say()
    notes = [one.say(), two.say()]
    one.hear({"two": notes[1], "starting": "", "older": "{"})
    two.hear({"one": notes[0]})
    assert [ticket.place for ticket in tickets] == [1, 2, 3, 3, 5, 6]
    assert (limiters[0].share, limiters[1].share) == (4, 2)
    assert limiters[1].pauses()[-5] == pytest.approx(30, abs=1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def test_the_pace_is_counted_by_telegrams_clock() -> None:
    """Recordings are counted per person and minute; a repeated delivery counts once."""
    pace, voice = Pace(), {"file_id": "f", "file_unique_id": "u", "duration": 3, "file_size": 10}

    def sent(number: int, date_s: int, person: int = 9) -> int:
        message = update(
            voice=voice, message_id=number, date=date_s, **{"from": {"id": person, "is_bot": False, "first_name": "A"}}
        ).message
        assert message is not None
        job = voice_job(message, bot_id=BOT)
        assert job is not None
        return pace.count(job)

    assert [sent(number, NOW_S + number) for number in (1, 2, 3)] == [1, 2, 3]
    assert sent(3, NOW_S + 3) == 3
    assert sent(4, NOW_S + 4, person=8) == 1
    assert sent(5, NOW_S + 62) == 2
    assert sent(6, NOW_S + 200) == 1


def test_the_shelf_holds_no_more_than_it_may() -> None:
    """The oldest bytes are removed first; bytes that are too large are not stored."""
    byte_cache = ByteCache(10)
    byte_cache.put("a", b"12345")
    byte_cache.put("b", b"12345")
    byte_cache.put("c", b"1")
    byte_cache.put("d", bytes(11))
    assert [byte_cache.get(name) for name in "abcd"] == [None, b"12345", b"1", None]
    assert byte_cache.take("b") == b"12345"
    assert byte_cache.take("b") is None


def test_a_diff_shows_words() -> None:
    """Removed words are struck through, new words are bold."""
    text = Text(*word_diff("мама мыла раму", "мама мыла новую раму"))
    assert text.as_kwargs()["text"] == "мама мыла новую раму"
    assert [entity.type for entity in text.as_kwargs()["entities"]] == ["bold"]
    kinds = [entity.type for entity in Text(*word_diff("а б", "а в")).as_kwargs()["entities"]]
    assert kinds == ["strikethrough", "bold"]


SAY = Phrases()[Locale.RU]


def test_length_is_counted_as_telegram_counts() -> None:
    """An emoji counts as two units; name and notes count, too."""
    assert lay_out("😀" * 2048, name="", notes=[], say=SAY).document is None
    assert lay_out("😀" * 2048 + ".", name="", notes=[], say=SAY).document is not None
    assert lay_out("я" * 4000, name="Ж" * 129, notes=[SAY("unsure"), SAY("press-start")], say=SAY).document is not None


@pytest.mark.parametrize(
    "text", ["слово " * 3000, "Фраза из пяти слов сразу. " * 800, "ъ" * 20_000, "😀" * 9999, "а\n" * 9000]
)
@pytest.mark.parametrize("name", ["", "Анна", "Ж" * 64 + " " + "🌸" * 64, "🌸" * 500])
def test_parts_hold_the_whole_text(text: str, name: str) -> None:
    """For any lengths, every message is short enough, and the messages contain the whole text."""
    notes = [SAY("unsure"), SAY("press-start")]
    with_file = lay_out(text, name=name, notes=notes, say=SAY)
    assert with_file.document == text
    in_parts = lay_out(text, name=name, notes=notes, say=SAY, may_send_documents=False)
    assert in_parts.document is None
    for layout in (with_file, in_parts):
        assert all(0 < units(part.text) <= MAX_UNITS for part in layout.parts)
        assert layout.parts[-1].text.endswith(notes[-1])
    joined = "".join(part.text for part in in_parts.parts).removesuffix("".join(f"\n\n{note}" for note in notes))
    assert "".join(joined.split()).endswith("".join(text.split()))


def test_long_texts_are_folded() -> None:
    """A long text is folded; name and notes are outside of the fold, and its position is given in Telegram's units."""
    text, note = "Слово 😀. " * 200 + "Конец.", SAY("unsure")
    for name in ("", "🌸 Анна"):
        (part,) = lay_out(text, name=name, notes=[note], say=SAY).parts
        (entity,) = part.entities
        assert entity.type == "expandable_blockquote"
        assert entity.extract_from(part.text) == text
    assert lay_out("Слово. " * 20, name="Анна", notes=[], say=SAY).parts[0].entities == ()
    in_parts = lay_out(text * 4, name="Анна", notes=[note], say=SAY, may_send_documents=False)
    folded = [part.entities[0].extract_from(part.text) for part in in_parts.parts]
    assert "".join("".join(folded).split()) == "".join((text * 4).split())


def test_a_text_is_cut_where_a_sentence_ends() -> None:
    """A text is not cut in the middle of a word, unless the word is too long."""
    parts = split("Первая фраза. Вторая фраза! Третья, подлиннее остальных.", 30)
    assert parts == ["Первая фраза. Вторая фраза!", "Третья, подлиннее остальных."]


def update(**message: Any) -> Update:
    """Make a message as Telegram sends it."""
    body = {"message_id": 5, "date": int(time.time()), "from": {"id": 9, "is_bot": False, "first_name": "A"}}
    return Update.model_validate({"update_id": 1, "message": {**body, "chat": {"id": 9, "type": "private"}, **message}})


def test_what_is_stored() -> None:
    """Recordings and /start are in one queue, so that they stay in order; commands are in another."""
    voice = {"voice": {"file_id": "f", "file_unique_id": "u", "duration": 3, "file_size": 10}}
    group = {"chat": {"id": -5, "type": "supergroup", "title": "G"}}
    heard = work_for(update(**voice), BOT, confirm_first=False, pace=Pace())
    started = work_for(update(text="/start"), BOT, confirm_first=False, pace=Pace())
    asked = work_for(update(text="/balance"), BOT, confirm_first=False, pace=Pace())
    assert heard is not None
    assert started is not None
    assert asked is not None
    assert (heard.queue, heard.id, heard.person) == (VOICES, f"v:{BOT}:9:5:1", "9")
    assert (started.queue, started.id) == (VOICES, f"u:{BOT}:1")
    assert asked.queue == UPDATES
    assert work_for(update(**voice), BOT, confirm_first=True, pace=Pace()).queue == UPDATES  # type: ignore[union-attr]
    assert work_for(update(text="как дела?", **group), BOT, confirm_first=False, pace=Pace()) is None
    assert work_for(update(text="/balance", **group), BOT, confirm_first=False, pace=Pace()) is not None


def test_talk_below_a_text_is_not_stored() -> None:
    """In a group a reply to the bot is stored only if the bot has asked for words."""
    prompts = Prompts(Signer("1:a"), BOT, life_s=86_400)
    asked = prompts.request(Prompt(7, 9, "Анна: \U0001f338"), "Пришлите верный текст", shown="текст").as_kwargs()
    bot, chat = {"id": BOT, "is_bot": True, "first_name": "G"}, {"id": -5, "type": "supergroup", "title": "G"}
    told: dict[str, Any] = {"message_id": 4, "date": NOW_S, "from": bot, "chat": chat, "text": "Анна: текст"}
    entities = [one.model_dump(exclude_none=True) for one in asked["entities"]]
    request = told | {"text": asked["text"], "entities": entities}
    for replied, is_stored in ((told, False), (request, True)):
        reply = update(text="слова", chat=chat, reply_to_message=replied)
        assert (work_for(reply, BOT, confirm_first=False, pace=Pace()) is not None) == is_stored
        assert reply.message is not None
        found = prompts.read(reply.message.reply_to_message)
        assert found == (Prompt(7, 9, "Анна: \U0001f338") if is_stored else None)
        assert Prompts(Signer("2:b"), BOT, life_s=1).read(reply.message.reply_to_message) is None
