"""A slow download delays nobody else, and people see the progress of their recording."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import pytest
import pytest_asyncio

from glas.settings import BotSettings, Settings
from glas.tg_bot.voices.fetching import SMALL_BYTES
from tests.parts.bots import House, is_waiting, open_house
from tests.parts.corrections import ask
from tests.parts.kept import OGG, documents
from tests.parts.recogniser import Recogniser, open_recogniser
from tests.telegram.server import TelegramServer
from tests.telegram.world import JsonObject

in_the_module = pytest.mark.asyncio(loop_scope="module")
N_LARGE = 2

_people, _groups = count(5_900_000_001), count(1_001_000_000_901)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared() -> AsyncIterator[Recogniser]:
    """A recogniser of this module."""
    async with open_recogniser() as made:
        yield made


@pytest.fixture
def recogniser(shared: Recogniser) -> Recogniser:
    """The recogniser in its initial state."""
    shared.text, shared.words, shared.duration_s, shared.pieces = "привет", [], 3.0, []
    shared.may_end = asyncio.Event()
    return shared


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, shared: Recogniser) -> AsyncIterator[House]:
    """The system with one seat."""
    options = BotSettings(recognitions=N_LARGE // 2)
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("bot"), bot=options)
    with TelegramServer() as telegram:
        async with open_house(settings, telegram, shared.client) as opened:
            yield opened


def said(house: House, chat: int) -> str:
    """Return the last text of the bot in a chat."""
    return next((one["text"] for one in reversed(house.telegram.answers(chat)) if "text" in one), "")


async def stuck(house: House, person: int, data: bytes = OGG) -> JsonObject:
    """Send a recording whose download hangs, and wait until it hangs."""
    with house.telegram.world.lock:
        sent = house.telegram.speak(person, data)
        house.telegram.break_file(sent, "stuck")
    file = house.telegram.world.files[sent["voice"]["file_id"]]
    await house.until(lambda: file.fault_times == 0, "the download")
    return sent


@in_the_module
async def test_a_slow_download_holds_nobody_up(house: House, recogniser: Recogniser) -> None:
    """There is one seat, and the slow recording came first; the second one is answered first."""
    anna, boris = next(_people), next(_people)
    slow = await stuck(house, anna)
    quick = await house.answer(house.telegram.speak(boris, OGG))
    assert quick["text"].startswith(recogniser.text)
    assert is_waiting(await house.answer(slow, final=False))
    await house.until(lambda: "Скачиваю" in said(house, anna))
    house.telegram.mend_file(slow)
    assert (await house.answer(slow))["text"].startswith(recogniser.text)


@in_the_module
async def test_few_large_files_are_held_at_a_time(house: House, recogniser: Recogniser) -> None:
    """The next large file is downloaded only after another one was recognised; small files do not wait."""
    large = OGG.ljust(SMALL_BYTES + 1, b"\0")
    first = [await stuck(house, next(_people), large) for _ in range(N_LARGE)]
    waiting = house.telegram.speak(next(_people), large)
    small = await house.answer(house.telegram.speak(next(_people), OGG))
    assert small["text"].startswith(recogniser.text)
    path = house.telegram.world.files[waiting["voice"]["file_id"]].path

    def is_downloaded() -> bool:
        return any(call.params.get("path") == path for call in house.telegram.world.calls)

    assert is_waiting(await house.answer(waiting, final=False))
    assert not is_downloaded()
    for sent in first:
        house.telegram.mend_file(sent)
    await house.until(is_downloaded)
    await house.answer(waiting)


@in_the_module
async def test_a_long_recording_shows_how_far_it_is(house: House, recogniser: Recogniser) -> None:
    """The status line has the percentage and the text so far; then the text replaces it."""
    anna = next(_people)
    recogniser.pieces = [(300.0, "Раз два."), (750.0, " Три четыре.")]
    sent = house.telegram.speak(anna, OGG, duration_s=1500)
    await house.until(lambda: "50 %" in said(house, anna))
    assert said(house, anna) == "🎧 Распознаю: 50 %\n\nРаз два. Три четыре."
    recogniser.may_end.set()
    assert (await house.answer(sent))["text"].startswith(recogniser.text)


def long_text(recogniser: Recogniser, n_sentences: int) -> list[str]:
    """Let the recogniser write sentences with a pause of three seconds after each fifth; return the paragraphs."""
    sentence = "Это одно предложение из семи разных слов."
    recogniser.words, second = [], 0.0
    for number in range(n_sentences):
        for word in sentence.split():
            recogniser.words.append({"word": word, "start": second, "end": second + 0.3})
            second += 0.4
        second += 3.0 if number % 5 == 4 else 0.0
    recogniser.text, recogniser.duration_s = " ".join([sentence] * n_sentences), second
    return [" ".join([sentence] * 5)] * (n_sentences // 5)


@in_the_module
async def test_a_long_text_has_paragraphs_and_is_folded(house: House, recogniser: Recogniser) -> None:
    """This applies to private chats, groups and known files; the stored text has no paragraphs."""
    anna, group = next(_people), -next(_groups)
    await house.start(anna)
    paragraphs = long_text(recogniser, 30)
    shown = "\n\n".join(paragraphs)
    answer = await house.answer(house.telegram.speak(anna, OGG, file_id="folded"))
    assert answer["text"] == shown
    (folded,) = answer["entities"]
    assert (folded["type"], folded["offset"], folded["length"]) == ("expandable_blockquote", 0, len(shown))
    assert (await house.archived(answer)).text == recogniser.text
    again = await house.answer(house.telegram.speak(anna, OGG, file_id="folded", chat=group))
    name = f"Person {anna}: "
    assert again["text"] == name + shown
    assert [(one["offset"], one["length"]) for one in again["entities"]] == [(len(name), len(shown))]


@in_the_module
async def test_the_file_has_paragraphs(house: House, recogniser: Recogniser) -> None:
    """The paragraphs are kept when a word is corrected."""
    anna = next(_people)
    await house.start(anna)
    paragraphs = long_text(recogniser, 200)
    house.telegram.speak(anna, OGG)
    await house.until(lambda: "файле" in said(house, anna))
    answer = next(one for one in house.telegram.answers(anna) if "файле" in one.get("text", ""))
    assert documents(house, anna)[-1].decode() == "\n\n".join(paragraphs)
    await house.archived(answer)
    n_before, right = len(documents(house, anna)), recogniser.text.replace("одно", "одиннадцатое", 1)
    request = await ask(house, anna, answer)
    data, to = right.encode(), request["message_id"]
    house.telegram.speak(anna, data, kind="document", file_name="a.txt", mime_type="text/plain", reply_to=to)
    await house.until(lambda: any("одиннадцатое" in one.decode() for one in documents(house, anna)[:n_before]))
    corrected = next(one.decode() for one in documents(house, anna) if "одиннадцатое" in one.decode())
    assert corrected == "\n\n".join(paragraphs).replace("одно", "одиннадцатое", 1)
