"""Vocabularies in the bot: from a correction to the next recording, /words, groups, faults, /forget."""

import io
import json
import sqlite3
import zipfile
from collections.abc import AsyncIterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio

from glas.domain.people import Locale
from glas.settings import Settings
from tests.parts.bots import House, open_house, texts_of_buttons
from tests.parts.recogniser import Recogniser, open_recogniser
from tests.telegram.server import TelegramServer
from tests.telegram.world import JsonObject

in_the_module = pytest.mark.asyncio(loop_scope="module")

OGG = (Path(__file__).parents[2] / "samples" / "message-1.ogg").read_bytes()
WRONG, RIGHT = "Передай гуле, что встреча в пятницу.", "Передай Айгуль, что встреча в пятницу."
_people = count(5_950_000_001)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def recogniser() -> AsyncIterator[Recogniser]:
    """A recogniser of this module."""
    async with open_recogniser() as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, recogniser: Recogniser) -> AsyncIterator[House]:
    """The system; each test brings people of its own."""
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("bot"))
    with TelegramServer() as telegram:
        async with open_house(settings, telegram, recogniser.client) as opened:
            yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def anna(house: House, recogniser: Recogniser) -> int:
    """A person who has pressed /start; the recogniser writes WRONG."""
    recogniser.text, recogniser.model_version = WRONG, "0123456789ab"
    person = next(_people)
    await house.start(person)
    return person


async def correct(house: House, person: int, answer: JsonObject, words: str = RIGHT) -> JsonObject:
    """Reply to an answer with the right words, and wait for the confirmation."""
    return await house.answer(house.telegram.say(person, words, reply_to=answer["message_id"]))


async def words_of(house: House, person: int) -> list[str]:
    """A person's vocabulary."""
    return [one.word for one in await house.services.db_assist.words(person)]


def now(house: House, message: JsonObject) -> JsonObject:
    """Return the present text of a message in Telegram."""
    return house.telegram.world.messages[(message["chat"]["id"], message["message_id"])]


@in_the_module
async def test_the_next_recording_carries_a_corrected_name(house: House, anna: int, recogniser: Recogniser) -> None:
    """The confirmation names the word once; ↩️ removes it; requests of other people do not contain it."""
    answer = await house.answer(house.telegram.speak(anna, OGG))
    assert recogniser.keywords == []
    told = await correct(house, anna, answer)
    assert told["text"].endswith("Начислено 1 монета. Баланс: 1 монета\nЗапомнил: Айгуль. Словарь: /words")
    second = await house.answer(house.telegram.speak(anna, OGG))
    assert recogniser.keywords == ["Айгуль"]
    kept = await house.services.data_loader.fetch_recognition((await house.archived(second)).id)
    assert kept is not None
    assert kept.n_keywords == 1
    assert "Айгуль" not in kept.model_dump_json()
    assert "Запомнил" not in (await correct(house, anna, second))["text"]
    other = next(_people)
    await house.start(other)
    await house.answer(house.telegram.speak(other, OGG))
    assert recogniser.keywords == []
    await house.press(anna, told, "↩️")
    assert await words_of(house, anna) == ["Айгуль"]
    third = await house.answer(house.telegram.speak(anna, OGG))
    told = await correct(house, anna, third, RIGHT.replace("Айгуль", "Гульнаре"))
    assert "Запомнил: Гульнаре." in told["text"]
    await house.press(anna, told, "↩️")
    await house.answer(house.telegram.speak(anna, OGG))
    assert recogniser.keywords == ["Айгуль"]


@in_the_module
async def test_a_known_file_is_recognised_again_with_new_words(house: House, anna: int, recogniser: Recogniser) -> None:
    """This happens once; a person without these words gets the text without them."""
    answer = await house.answer(house.telegram.speak(anna, OGG, file_id="vocabulary-known"))
    n_before = recogniser.n_transcribed
    assert (await house.answer(house.telegram.speak(anna, OGG, file_id="vocabulary-known")))["text"] == WRONG
    assert recogniser.n_transcribed == n_before
    await correct(house, anna, answer)
    recogniser.text = RIGHT
    for _ in range(2):
        assert (await house.answer(house.telegram.speak(anna, OGG, file_id="vocabulary-known")))["text"] == RIGHT
    assert (recogniser.n_transcribed, recogniser.keywords) == (n_before + 1, ["Айгуль"])
    other = next(_people)
    await house.start(other)
    assert (await house.answer(house.telegram.speak(other, OGG, file_id="vocabulary-known")))["text"] == WRONG
    assert recogniser.n_transcribed == n_before + 1


@in_the_module
async def test_a_group_learns_what_two_members_put_right(house: House, anna: int, recogniser: Recogniser) -> None:
    """Then the word is used for everybody in this group, and nowhere else."""
    group, boris, stranger = -anna, next(_people), next(_people)
    await house.start(boris)
    for person in (anna, boris):
        answer = await house.answer(house.telegram.speak(person, OGG, chat=group))
        row = await house.row_of(answer)
        await house.services.db_assist.correct(row.id, person, RIGHT)
    await house.answer(house.telegram.speak(stranger, OGG, chat=group))
    assert recogniser.keywords == ["Айгуль"]
    await house.answer(house.telegram.speak(stranger, OGG, chat=group - 1))
    assert recogniser.keywords == []


@in_the_module
async def test_words_are_shown_added_and_removed(house: House, anna: int, recogniser: Recogniser) -> None:
    """There are pages with a button for each word; words are added by a reply; a second press removes nothing more."""
    empty = await house.answer(house.telegram.say(anna, "/words"))
    assert "пока пуст" in empty["text"]
    assert texts_of_buttons(empty) == ["➕ Добавить"]
    await house.press(anna, empty, "➕")
    await house.until(lambda: "через запятую" in house.telegram.answers(anna)[-1]["text"])
    asked = house.telegram.answers(anna)[-1]
    names = ", ".join(f"Имя{letter}" for letter in "абвгдежзийк")
    sent = house.telegram.say(anna, f"{names}\n«Нижний Тагил»; 16", reply_to=asked["message_id"])
    added = await house.answer(sent)
    assert "Имяа, Имяб, Имяв, Имяг, Имяд…. Теперь в словаре 12 слов" in added["text"]
    assert added["text"].endswith("Не добавлено (не похоже на слово или короткое название): 16")
    none = await house.answer(house.telegram.say(anna, "16", reply_to=asked["message_id"]))
    assert none["text"].startswith("Здесь нет слов.")
    shown = await house.answer(house.telegram.say(anna, "/words"))
    assert shown["text"].startswith("📖 Ваш словарь: 12 слов.")
    assert shown["text"].endswith("Страница 1 из 2")
    assert texts_of_buttons(shown)[:2] == ["✖️ Нижний Тагил", "✖️ Имяк"]
    await house.press(anna, shown, "›")
    await house.until(lambda: now(house, shown)["text"].endswith("Страница 2 из 2"))
    assert texts_of_buttons(now(house, shown)) == ["✖️ Имяб", "✖️ Имяа", "‹", "➕ Добавить"]
    assert "Больше не в словаре: Имяа" in await house.press(anna, shown, "✖️ Имяа")
    await house.until(lambda: texts_of_buttons(now(house, shown)) == ["✖️ Имяб", "‹", "➕ Добавить"])
    await house.press(anna, shown, "✖️ Имяб")
    await house.until(lambda: len(texts_of_buttons(now(house, shown))) == 11)
    assert "Страница" not in now(house, shown)["text"]
    await house.answer(house.telegram.speak(anna, OGG))
    assert recogniser.keywords[:2] == ["Нижний Тагил", "Имяк"]
    assert len(recogniser.keywords) == 10


@in_the_module
async def test_words_are_private(house: House, anna: int) -> None:
    """In a group the answer goes to the private chat; other people cannot use buttons or requests."""
    group, boris = -anna, next(_people)
    await house.start(boris)
    await house.services.db_assist.add_words(anna, ["Тагил"])
    there = await house.answer(house.telegram.say(anna, "/words", chat=group))
    assert there["text"] == "Ответил вам в личном чате."
    shown = house.telegram.answers(anna)[-1]
    assert texts_of_buttons(shown) == ["✖️ Тагил", "➕ Добавить"]
    assert "не для вас" in await house.press(boris, shown, "✖️", chat=anna)
    assert await words_of(house, anna) == ["Тагил"]
    unknown = next(_people)
    assert (await house.answer(house.telegram.say(unknown, "/words")))["text"] == "Сначала нажмите /start."
    await house.services.db_assist.set_locale(anna, Locale.EN)
    shown = await house.answer(house.telegram.say(anna, "/words"))
    assert shown["text"].startswith("📖 Your vocabulary: 1 word.")


@in_the_module
async def test_without_the_vocabulary_a_recording_is_recognised(
    house: House, anna: int, recogniser: Recogniser
) -> None:
    """If the table cannot be read, only the keywords are missing."""
    await house.services.db_assist.add_words(anna, ["Тагил"])
    database = house.settings.data_dir / "glas.db"
    with closing(sqlite3.connect(database, timeout=10)) as connection, connection:
        connection.execute("ALTER TABLE vocabulary_words RENAME TO away")
    try:
        answer = await house.answer(house.telegram.speak(anna, OGG))
    finally:
        with closing(sqlite3.connect(database, timeout=10)) as connection, connection:
            connection.execute("ALTER TABLE away RENAME TO vocabulary_words")
    assert (answer["text"], recogniser.keywords) == (WRONG, [])
    await house.answer(house.telegram.speak(anna, OGG))
    assert recogniser.keywords == ["Тагил"]


@in_the_module
async def test_words_are_given_and_forgotten(house: House, anna: int, recogniser: Recogniser) -> None:
    """/mydata contains all words, also unused ones; after /forget none is left."""
    answer = await house.answer(house.telegram.speak(anna, OGG))
    await correct(house, anna, answer, RIGHT.replace("встреча", "стреча"))
    sent = await house.answer(house.telegram.say(anna, "/mydata"))
    archive = zipfile.ZipFile(io.BytesIO(house.telegram.world.documents[(anna, sent["message_id"])]))
    held = json.loads(archive.read("data.json"))["words"]
    assert {(one["word"], one["is_used"]) for one in held} == {("Айгуль", True), ("стреча", False)}
    question = await house.answer(house.telegram.say(anna, "/forget"))
    await house.press(anna, question, "🗑")
    await house.until(lambda: "Удалено" in now(house, question)["text"])
    with closing(sqlite3.connect(house.settings.data_dir / "glas.db", timeout=10)) as connection:
        rows = connection.execute("SELECT word FROM vocabulary_words WHERE word IN ('стреча')")
        assert rows.fetchall() == []
    await house.start(anna)
    await house.answer(house.telegram.speak(anna, OGG))
    assert recogniser.keywords == []
