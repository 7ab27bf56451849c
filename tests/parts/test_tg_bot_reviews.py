"""Reviews in the bot: a recording, its text, buttons; then the next recording."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from glas.domain.corrections import Rank
from glas.domain.errors import NotFoundError
from glas.domain.people import CONSENT_VERSION, Role
from glas.domain.reviews import LONGEST_CHARS, REVIEWERS_LISTEN_SINCE, Verdict
from glas.settings import Settings, WebSettings
from tests.parts.bots import House, open_house, texts_of_buttons
from tests.parts.corrections import HEARD, RIGHT
from tests.parts.recogniser import Recogniser, open_recogniser
from tests.parts.reviews import ADMIN, OGG, WITHOUT_CHECKS, after, people, speaker
from tests.telegram.rules import MAX_CAPTION_UNITS
from tests.telegram.server import TelegramServer
from tests.telegram.world import JsonObject

in_the_module = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def recogniser() -> AsyncIterator[Recogniser]:
    """A recogniser of this module."""
    async with open_recogniser() as made:
        made.text = HEARD
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, recogniser: Recogniser) -> AsyncIterator[House]:
    """The system; each test makes its own people, and leaves no messages to review."""
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path_factory.mktemp("bot"),
        admin_user_ids=str(ADMIN),
        db_assist=WITHOUT_CHECKS,
        web=WebSettings(url="https://glas.test/"),
    )
    with TelegramServer() as telegram:
        async with open_house(settings, telegram, recogniser.client) as opened:
            await opened.start(ADMIN)
            yield opened


async def appointed(house: House) -> int:
    """A reviewer whom the administrator has appointed."""
    person = next(people)
    await house.start(person)
    told = await house.answer(house.telegram.say(ADMIN, f"/reviewer {person}"))
    assert told["text"].startswith(f"{person} теперь проверяет")
    return person


def is_open(house: House, shown: JsonObject) -> bool:
    """Return whether a recording still has its buttons."""
    return "reply_markup" in house.telegram.world.messages[(shown["chat"]["id"], shown["message_id"])]


def test_the_words_of_consent_say_that_people_listen() -> None:
    """Otherwise no recording could be reviewed."""
    assert CONSENT_VERSION >= REVIEWERS_LISTEN_SINCE


@in_the_module
async def test_one_recording_after_the_other(house: House) -> None:
    """Each verdict needs one press or one reply, and the next recording follows."""
    anna, reviewer = await speaker(house), await appointed(house)
    rows = {}
    for _ in Verdict:
        row = await house.row_of(await house.answer(house.telegram.speak(anna, OGG)))
        rows[row.id] = row
    shown = await house.answer(house.telegram.say(reviewer, "/review"))
    assert (shown["caption"], [one["type"] for one in shown["caption_entities"]]) == (HEARD, ["code"])
    buttons = ["✅ Верно", "✏️ Исправить", "🙉 Не разобрать", "🔇 Не речь", "👥 Чужой голос", "⏭ Пропустить"]
    assert texts_of_buttons(shown) == buttons
    (call,) = [one for one in house.telegram.world.calls if one.method == "sendVoice" and one.chat_id == reviewer]
    assert str(call.params["protect_content"]).lower() == "true"
    assert call.params["voice"] in {row.file_id for row in rows.values()}
    for button in ("✅", "🙉", "🔇", "👥", "⏭"):
        assert await house.press(reviewer, shown, button) == "Записано, спасибо!"
        following = await after(house, reviewer, shown)
        assert not is_open(house, shown)
        shown = following
    await house.press(reviewer, shown, "✏️")
    await house.until(lambda: house.telegram.answers(reviewer)[-1].get("text", "").startswith("✏️"))
    asked = house.telegram.answers(reviewer)[-1]
    assert asked["text"].endswith(HEARD)
    assert asked["reply_to_message"]["message_id"] == shown["message_id"]
    assert house.telegram.world.interfaces[(reviewer, asked["message_id"])]["force_reply"] is True
    none = await house.answer(house.telegram.say(reviewer, "?!", reply_to=asked["message_id"]))
    assert none["text"].startswith("Здесь нет слов")
    thanks = await house.answer(house.telegram.say(reviewer, RIGHT, reply_to=asked["message_id"]))
    assert thanks["text"] == "Записано, спасибо!"
    assert "Всё проверено" in (await after(house, reviewer, shown))["text"]
    assert not is_open(house, shown)
    found = [await house.services.db_assist.transcription(number) for number in rows]
    assert sorted(row.reference or "" for row in found) == ["", "", "", "", HEARD, RIGHT]
    assert {row.rank for row in found} == {None, Rank.REVIEWER}
    made = (await house.services.db_assist.export_user(reviewer)).reviews
    assert {one.verdict for one in made} == set(Verdict)
    late = await house.answer(house.telegram.say(reviewer, HEARD, reply_to=asked["message_id"]))
    assert late["text"].startswith("Эта запись больше не ждёт")


@in_the_module
async def test_who_agrees_is_paid(house: House) -> None:
    """The author has given the same words, so the coins are shown at once."""
    anna, reviewer = await speaker(house), await appointed(house)
    answer = await house.answer(house.telegram.speak(anna, OGG))
    shown = await house.answer(house.telegram.say(reviewer, "/review"))
    await house.services.db_assist.correct((await house.row_of(answer)).id, anna, RIGHT)
    await house.press(reviewer, shown, "✏️")
    await house.until(lambda: house.telegram.answers(reviewer)[-1].get("text", "").startswith("✏️"))
    asked = house.telegram.answers(reviewer)[-1]
    thanks = await house.answer(house.telegram.say(reviewer, RIGHT.lower(), reply_to=asked["message_id"]))
    assert thanks["text"] == "Сошлось с независимой проверкой! Начислено 5 монет. Баланс: 5 монет"
    row = await house.row_of(answer)
    assert (row.reference, row.rank) == (RIGHT, Rank.AGREED)


@in_the_module
async def test_others_do_not_review(house: House) -> None:
    """People who are not reviewers are refused; an administrator may review, in English, too; not in groups."""
    boris, reviewer, anna = next(people), await appointed(house), await speaker(house)
    assert (await house.answer(house.telegram.say(boris, "/review")))["text"] == "Сначала нажмите /start."
    await house.start(boris)
    refused = await house.answer(house.telegram.say(boris, "/review"))
    assert refused["text"].startswith("Проверять записи могут только проверяющие")
    assert "/review" not in (await house.answer(house.telegram.say(boris, "/help")))["text"]
    assert "/review — слушать" in (await house.answer(house.telegram.say(reviewer, "/help")))["text"]
    assert "/unreviewer" in (await house.answer(house.telegram.say(ADMIN, "/help")))["text"]
    await house.answer(house.telegram.speak(anna, OGG))
    told = await house.answer(house.telegram.say(reviewer, "/review", chat=-reviewer))
    assert told["text"] == "Ответил вам в личном чате."
    (shown,) = [one for one in house.telegram.answers(reviewer) if "voice" in one]
    assert not [one for one in house.telegram.answers(-reviewer) if "voice" in one]
    told = await house.answer(house.telegram.say(ADMIN, f"/unreviewer {reviewer}"))
    assert told["text"] == f"{reviewer} больше не проверяет записи."
    assert (await house.press(reviewer, shown, "✅")).startswith("Эта запись больше не ждёт")
    assert "/reviewer <ID>" in (await house.answer(house.telegram.say(ADMIN, "/reviewer")))["text"]
    assert "не знаю" in (await house.answer(house.telegram.say(ADMIN, f"/reviewer {10**12}")))["text"]
    shown = await house.answer(house.telegram.say(ADMIN, "/review"))
    assert (await house.services.db_assist.user(ADMIN)).role is Role.ADMIN
    await house.press(ADMIN, shown, "✅")
    assert "Всё проверено" in (await after(house, ADMIN, shown))["text"]


@in_the_module
async def test_a_recording_that_telegram_has_lost(house: House) -> None:
    """It is read from the object store; a recording that is in neither place is skipped."""
    anna, reviewer = await speaker(house), await appointed(house)
    row = await house.archived(await house.answer(house.telegram.speak(anna, OGG)))
    del house.telegram.world.files[row.file_id]
    shown = await house.answer(house.telegram.say(reviewer, "/review"))
    assert house.telegram.world.documents[(reviewer, shown["message_id"])] == OGG
    await house.press(reviewer, shown, "✅")
    await after(house, reviewer, shown)
    lost = await house.archived(await house.answer(house.telegram.speak(anna, OGG + b"\0")))
    del house.telegram.world.files[lost.file_id]
    await house.services.data_loader.delete(lost.id)
    assert "Всё проверено" in (await house.answer(house.telegram.say(reviewer, "/review")))["text"]
    made = (await house.services.db_assist.export_user(reviewer)).reviews
    assert [(one.transcription_id, one.verdict) for one in made] == [
        (row.id, Verdict.ACCEPT),
        (lost.id, Verdict.SKIP),
    ]


def test_the_longest_text_fits_below_a_recording() -> None:
    """This is true even if each letter has two units."""
    assert LONGEST_CHARS <= MAX_CAPTION_UNITS


@in_the_module
async def test_the_page_is_entered_by_a_link(house: House) -> None:
    """The link works once; unregistered people get no link; the role of an administrator is stored."""
    anna, stranger = await speaker(house), next(people)
    for person in (anna, ADMIN):
        told = await house.answer(house.telegram.say(person, "/web"))
        (token,) = re.findall(r"^https://glas\.test/sign-in/([\w-]{43})$", told["text"], re.MULTILINE)
        assert (await house.services.db_assist.redeem_login(token)).tg_id == person
        with pytest.raises(NotFoundError):
            await house.services.db_assist.redeem_login(token)
    assert (await house.services.db_assist.user(ADMIN)).role is Role.ADMIN
    assert "/start" in (await house.answer(house.telegram.say(stranger, "/web")))["text"]
    assert "/web" in (await house.answer(house.telegram.say(anna, "/help")))["text"]


@in_the_module
async def test_an_administrator_finds_people_by_their_names(house: House) -> None:
    """In Telegram's own list: the bot learns the id of the chosen person only. Nobody else gets the button."""
    anna, stranger = await speaker(house), next(people)
    shown = house.telegram.world.interfaces
    asked = await house.answer(house.telegram.say(ADMIN, "/find"))
    ((button,),) = shown[ADMIN, asked["message_id"]]["keyboard"]
    request = button["request_users"]["request_id"]
    told = await house.answer(house.telegram.choose(ADMIN, anna, request))
    assert told["text"].endswith(f"{anna}\nhttps://glas.test/people/{anna}")
    assert shown[ADMIN, told["message_id"]]["remove_keyboard"]
    unknown = await house.answer(house.telegram.choose(ADMIN, stranger, request))
    assert unknown["text"].startswith(f"Человек с ID {stranger} не нажимал /start")
    assert "/find" in (await house.answer(house.telegram.say(ADMIN, "/help")))["text"]
    assert (anna, (await house.answer(house.telegram.say(anna, "/find")))["message_id"]) not in shown
    assert str(stranger) not in (await house.answer(house.telegram.choose(anna, stranger, request)))["text"]
