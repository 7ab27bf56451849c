"""Corrections in the bot: requested, shown in all messages with the text, and undone."""

from pathlib import Path

import pytest
import pytest_asyncio

from glas.domain.corrections import Rank
from glas.tg_bot.voices.jobs import AmendJob
from tests.parts.bots import House, newcomer, people, texts_of_buttons
from tests.parts.corrections import HEARD, RIGHT, ask, shows
from tests.parts.recogniser import Recogniser

in_the_module = pytest.mark.asyncio(loop_scope="module")

OGG = (Path(__file__).parents[2] / "samples" / "message-1.ogg").read_bytes()


@pytest_asyncio.fixture(loop_scope="module")
async def anna(house: House, recogniser: Recogniser) -> int:
    """A person who has pressed /start; the recogniser writes HEARD."""
    recogniser.text, recogniser.words, recogniser.duration_s = HEARD, [], 3.0
    return await newcomer(house)


@in_the_module
async def test_a_correction_with_the_pencil(house: House, anna: int) -> None:
    """Two actions are needed: ✏️ and the words. The bot's message is corrected; ↩️ undoes this."""
    answer = await house.answer(house.telegram.speak(anna, OGG))
    asked = await ask(house, anna, answer)
    (code,) = (one for one in asked["entities"] if one["type"] == "code")
    assert asked["text"].encode("utf-16-le")[2 * code["offset"] :].decode("utf-16-le") == HEARD
    (call,) = (
        one
        for one in house.telegram.world.calls
        if one.method == "sendMessage" and one.chat_id == anna and "force_reply" in str(one.params.get("reply_markup"))
    )
    assert call.params["link_preview_options"] == {"is_disabled": True}
    interface = house.telegram.world.interfaces[(anna, asked["message_id"])]
    assert (interface["force_reply"], interface["selective"]) == (True, True)
    told = await house.answer(house.telegram.say(anna, RIGHT, reply_to=asked["message_id"]))
    assert "Спасибо, исправлено:" in told["text"]
    assert {one["type"] for one in told["entities"]} >= {"bold", "strikethrough"}
    assert "Начислено 1 монета" in told["text"]
    await shows(house, answer, RIGHT)
    assert texts_of_buttons(house.telegram.world.messages[(anna, answer["message_id"])])[:3] == ["❌", "👌", "✅"]
    row = await house.row_of(answer)
    assert (row.reference, row.rank, row.text) == (RIGHT, Rank.AUTHOR, HEARD)
    await house.press(anna, told, "↩️")
    await shows(house, answer, HEARD)
    assert (await house.row_of(answer)).reference is None
    history = await house.services.db_assist.correction_history(row.id)
    assert [one.reference for one in history] == [RIGHT, None]


@in_the_module
@pytest.mark.parametrize("is_forwarded", [False, True])
async def test_a_correction_in_a_group(house: House, anna: int, *, is_forwarded: bool) -> None:
    """Only the person who was asked may reply; the name stays; the request is deleted; coins are not mentioned."""
    group, boris = -anna, next(people)
    origin = {"type": "user", "date": 1, "sender_user": {"id": 77, "is_bot": False, "first_name": "Борис"}}
    sent = house.telegram.speak(anna, OGG, chat=group, forwarded=origin if is_forwarded else False)
    answer = await house.answer(sent)
    name = "↪️ Борис" if is_forwarded else f"Person {anna}"
    assert answer["text"] == f"{name}: {HEARD}"
    house.telegram.say(anna, RIGHT, chat=group, reply_to=answer["message_id"])
    asked = await ask(house, anna, answer)
    assert asked["reply_to_message"]["message_id"] == sent["message_id"]
    house.telegram.say(boris, "это неправда", chat=group, reply_to=asked["message_id"])
    told = await house.answer(house.telegram.say(anna, RIGHT, chat=group, reply_to=asked["message_id"]))
    assert "Баланс" not in told["text"]
    await shows(house, answer, f"{name}: {RIGHT}")
    await house.until(lambda: len(house.telegram.answers(group)) == 2, "the request to go")
    assert "не для вас" in await house.press(boris, told, "↩️", chat=group)
    await house.press(anna, told, "↩️", chat=group)
    await shows(house, answer, f"{name}: {HEARD}")


@in_the_module
@pytest.mark.parametrize("is_in_group", [False, True])
async def test_a_correction_on_the_page_is_shown_here(house: House, anna: int, *, is_in_group: bool) -> None:
    """Undoing it is shown, too; the name stays; no work is left."""
    chat, name = (-anna, f"Person {anna}: ") if is_in_group else (anna, "")
    answer = await house.answer(house.telegram.speak(anna, OGG, chat=chat))
    assert answer["text"] == f"{name}{HEARD}"
    row, db_assist = await house.row_of(answer), house.services.db_assist
    result = await db_assist.correct(row.id, anna, RIGHT, lets_bot_show=True)
    await shows(house, answer, f"{name}{RIGHT}")
    await db_assist.take_back(row.id, anna, result.change_id, lets_bot_show=True)
    await shows(house, answer, f"{name}{HEARD}")
    assert await db_assist.texts_to_show(row.bot_id) == ()


@in_the_module
async def test_doubtful_words_are_asked_about(house: House, anna: int) -> None:
    """Three actions are needed; the text is replaced, and the words do not become a reference."""
    answer = await house.answer(house.telegram.speak(anna, OGG))
    asked = await ask(house, anna, answer)
    joke = "кто последний, тот моет посуду"
    question = await house.answer(house.telegram.say(anna, joke, reply_to=asked["message_id"]))
    assert "Это не похоже на запись" in question["text"]
    await house.press(anna, question, "Нет")
    await house.until(lambda: "остаётся прежним" in house.telegram.answers(anna)[-1]["text"])
    row = await house.row_of(answer)
    assert (row.reference, row.shown_text) == (None, HEARD)
    question = await house.answer(house.telegram.say(anna, joke, reply_to=asked["message_id"]))
    await house.press(anna, question, "✏️")
    await shows(house, answer, joke)
    row = await house.row_of(answer)
    assert (row.reference, row.shown_text, row.rank) == (None, joke, Rank.DOUBTFUL)
    assert (await house.services.db_assist.user(anna)).cash_hundredths == 0


@in_the_module
async def test_replies_in_private(house: House, anna: int) -> None:
    """A clear correction is accepted, a possible one causes a question, other replies get a hint."""
    sent = house.telegram.speak(anna, OGG)
    answer = await house.answer(sent)
    talk = await house.answer(house.telegram.say(anna, "спасибо!", reply_to=answer["message_id"]))
    assert talk["text"] == "Чтобы исправить текст, нажмите под ним ✏️."
    near = "Встреча переносится на четверг, на восемнадцать ровно."
    question = await house.answer(house.telegram.say(anna, near, reply_to=answer["message_id"]))
    assert "Исправить текст так?" in question["text"]
    assert (await house.row_of(answer)).reference is None
    await house.press(anna, question, "✏️")
    await shows(house, answer, near)
    told = await house.answer(house.telegram.say(anna, RIGHT, reply_to=sent["message_id"]))
    assert "Спасибо, исправлено:" in told["text"]
    await shows(house, answer, RIGHT)
    same = await house.answer(house.telegram.say(anna, HEARD, reply_to=answer["message_id"]))
    assert "Спасибо, исправлено:" in same["text"]
    assert [
        one.reference for one in await house.services.db_assist.correction_history((await house.row_of(answer)).id)
    ] == [
        near,
        RIGHT,
        HEARD,
    ]


@in_the_module
async def test_subtitles_follow(house: House, anna: int, recogniser: Recogniser) -> None:
    """Subtitles that were sent before and later ones have the corrected words."""
    times = (word.split() for word in HEARD.split())
    recogniser.words = [
        {"word": word, "start": number * 0.4, "end": number * 0.4 + 0.3} for number, (word,) in enumerate(times)
    ]
    answer = await house.answer(house.telegram.speak(anna, OGG))
    await house.press(anna, answer, "📄")
    await house.until(lambda: any("document" in one for one in house.telegram.answers(anna)))
    subtitles = next(one for one in house.telegram.answers(anna) if "document" in one)
    where = (anna, subtitles["message_id"])
    assert "пятнадцать" in house.telegram.world.documents[where].decode()
    await house.answer(house.telegram.say(anna, RIGHT, reply_to=answer["message_id"]))
    await house.until(lambda: "шестнадцать" in house.telegram.world.documents[where].decode())
    assert "пятнадцать" not in house.telegram.world.documents[where].decode()
    await house.press(anna, answer, "📄")
    await house.until(lambda: sum("document" in one for one in house.telegram.answers(anna)) == 2)
    last = house.telegram.world.documents[max(key for key in house.telegram.world.documents if key[0] == anna)]
    assert "шестнадцать" in last.decode()


@in_the_module
async def test_a_long_text_is_corrected_as_a_file(house: House, anna: int, recogniser: Recogniser) -> None:
    """It is sent as a file and returned as a file, and the file of the answer is replaced."""
    recogniser.duration_s = 3000.0
    recogniser.text = " ".join(f"слово{number}" for number in range(900))
    house.telegram.speak(anna, OGG)
    await house.until(lambda: any(one.get("text", "").startswith("📄") for one in house.telegram.answers(anna)))
    answer = next(one for one in house.telegram.answers(anna) if one.get("text", "").startswith("📄"))
    (old,) = (one for one in house.telegram.answers(anna) if "document" in one)
    asked = await ask(house, anna, answer)
    assert house.telegram.world.documents[(anna, asked["message_id"])].decode() == recogniser.text
    right = recogniser.text.replace("слово7 ", "дело7 ")
    sent = house.telegram.speak(
        anna,
        right.encode(),
        kind="document",
        file_name="Транскрипция.txt",
        mime_type="text/plain",
        reply_to=asked["message_id"],
    )
    assert "Спасибо, исправлено" in (await house.answer(sent))["text"]
    await house.until(lambda: "дело7 " in house.telegram.world.documents[(anna, old["message_id"])].decode())
    assert (await house.row_of(answer)).reference == right
    assert "дело7 " in house.telegram.world.messages[(anna, answer["message_id"])]["text"]


@in_the_module
async def test_parts_follow(house: House, anna: int, recogniser: Recogniser) -> None:
    """If a group forbids files, each part is corrected, and there may be fewer parts."""
    group = -anna
    house.telegram.world.forbidden[group] = frozenset({"documents"})
    recogniser.text = " ".join(f"слово{number}" for number in range(900))
    answer = await house.answer(house.telegram.speak(anna, OGG, chat=group))
    await house.until(lambda: any("слово899" in one.get("text", "") for one in house.telegram.answers(group)))
    row = await house.row_of(answer)
    right = " ".join(f"дело{number}" for number in range(500))
    await house.services.db_assist.correct(row.id, anna, right, is_confirmed=True)
    job = {"transcription_id": row.id, "change_id": 1, "person": anna, "name": "Анна", "locale": "ru"}
    await house.durable.enqueue(AmendJob.model_validate(job).work())
    await shows(house, answer, f"Анна: {right}")
    await house.until(lambda: len(house.telegram.answers(group)) == 1, "parts too many to go")
