"""Groups: private answers stay private, buttons work only for their person, shared accounts never become a person."""

import re
import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio

from glas.domain.errors import InvalidParameterError, NotFoundError
from glas.domain.people import SHARED_ACCOUNTS, Locale, Purpose
from glas.settings import BotSettings, Settings
from tests.parts.bots import House, newcomer, people, texts_of_buttons
from tests.parts.recogniser import Recogniser
from tests.telegram.people import buttons
from tests.telegram.world import USERNAME, JsonObject

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADMIN = 5_400_000_001
OGG = (Path(__file__).parents[2] / "samples" / "message-1.ogg").read_bytes()
NO_AUDIO = (
    415,
    {"error": {"message": "expected audio", "type": "", "param": None, "code": "audio_format_unsupported"}},
)
TOO_LONG = (413, {"error": {"message": "expected less", "type": "", "param": None, "code": "audio_too_long"}})
_groups = count(1_001_000_000_401)


@pytest.fixture(scope="module")
def house_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings with an administrator; presses of buttons are not limited."""
    return Settings(
        _env_file=None,
        data_dir=tmp_path_factory.mktemp("bot"),
        admin_user_ids=str(ADMIN),
        bot=BotSettings(user_messages_per_minute=3),
    )


@pytest.fixture
def group(recogniser: Recogniser) -> int:
    """A group of this test; the recogniser writes «привет»."""
    recogniser.text, recogniser.error = "привет", None
    return -next(_groups)


@pytest_asyncio.fixture(loop_scope="module")
async def anna(house: House) -> int:
    """A person who has pressed /start."""
    return await newcomer(house)


async def n_users(house: House) -> int:
    """Return how many people are registered."""
    return (await house.services.db_assist.statistics()).n_users


def chat_of(group: int, title: str = "Соседи") -> JsonObject:
    """A group in whose name an administrator writes."""
    return {"id": group, "type": "supergroup", "title": title}


@pytest.mark.parametrize("command", ["/balance", "/forget", "/mydata", "/language", "/privacy", "/start"])
async def test_private_matters_are_answered_in_private(house: House, anna: int, group: int, command: str) -> None:
    """In the group the bot only says where the answer is."""
    before = len(house.telegram.answers(anna))
    told = await house.answer(house.telegram.say(anna, command, chat=group))
    assert told["text"] == "Ответил вам в личном чате."
    assert len(house.telegram.answers(group)) == 1
    assert texts_of_buttons(told) == []
    assert len(house.telegram.answers(anna)) == before + 1


@pytest.mark.parametrize("command", ["/start", "/balance"])
async def test_a_stranger_gets_a_link_and_is_not_registered(house: House, group: int, command: str) -> None:
    """A bot may not write first, and a consent is never given in a group."""
    stranger, before = next(people), await n_users(house)
    told = await house.answer(house.telegram.say(stranger, command, chat=group))
    assert [one["url"] for one in buttons(told)] == [f"https://t.me/{USERNAME}?start=group"]
    assert await n_users(house) == before


async def test_who_closed_the_private_chat_gets_the_link_too(house: House, anna: int, group: int) -> None:
    """The person has blocked the bot since /start."""
    house.telegram.fail("sendMessage", "blocked", chat_id=anna)
    told = await house.answer(house.telegram.say(anna, "/balance", chat=group))
    assert "личное" in told["text"]
    assert len(buttons(told)) == 1


async def test_every_button_is_its_askers(house: House, anna: int, group: int) -> None:
    """A press by another person changes nothing for either of them, and gets an explanation."""
    boris, db_assist = await newcomer(house), house.services.db_assist
    voice = await house.answer(house.telegram.speak(anna, OGG))
    asked = [
        (await house.start(anna), "/start"),
        (await house.answer(house.telegram.say(anna, "/settings")), "✅"),
        (await house.answer(house.telegram.say(anna, "/language")), "English"),
        (await house.answer(house.telegram.say(anna, "/forget")), "🗑"),
        *((voice, button) for button in ("✅", "❌", "✏️", "📄")),
    ]
    for message, button in asked[1:]:
        query = house.telegram.press(boris, message["message_id"], button, chat=anna)
        await house.until(lambda query=query: house.telegram.world.presses[query].is_answered)  # type: ignore[misc]
        assert (house.telegram.world.presses[query].text or "").startswith("Эта кнопка не для вас")
    for person in (anna, boris):
        user = await db_assist.user(person)
        assert user.locale is Locale.RU
        assert user.consents == {Purpose.SERVICE}
        assert user.cash_hundredths == 0
    assert (await house.row_of(voice)).reference is None
    in_group = await house.answer(house.telegram.speak(anna, OGG, chat=group))
    assert "не для вас" in await house.press(boris, in_group, "✅", chat=group)
    assert "Спасибо" in await house.press(anna, in_group, "✅", chat=group)


async def test_a_failure_in_a_group_is_tried_again_by_its_speaker(
    house: House, anna: int, group: int, recogniser: Recogniser
) -> None:
    """For an anonymous speaker, an administrator may press."""
    recogniser.error = (500, {"error": {"message": "no", "type": "", "param": None, "code": "model_error"}})
    mine = await house.answer(house.telegram.speak(anna, OGG, chat=group))
    theirs = await house.answer(house.telegram.speak(anna, OGG, chat=group, speaking_as=chat_of(group)))
    assert texts_of_buttons(mine) == texts_of_buttons(theirs) == ["🔁 Повторить"]
    recogniser.error = None
    other, administrator = next(people), next(people)
    house.telegram.world.admins[group] = {administrator}
    assert "не для вас" in await house.press(other, mine, "🔁", chat=group)
    assert "администраторы" in await house.press(other, theirs, "🔁", chat=group)
    await house.press(anna, mine, "🔁", chat=group)
    await house.press(administrator, theirs, "🔁", chat=group)
    await house.until(lambda: all("привет" in one["text"] for one in house.telegram.answers(group)))


@pytest.mark.parametrize("kind", ["anonymous", "channel", "linked"])
async def test_nobody_anonymous_becomes_a_person(house: House, group: int, kind: str) -> None:
    """Anonymous speakers are answered under their title and not stored; their commands register nobody."""
    before, kept = await n_users(house), (await house.services.db_assist.statistics()).n_transcriptions
    channel = {"id": -100_777, "type": "channel", "title": "Новости"}
    speakers = {"anonymous": chat_of(group), "channel": channel, "linked": channel | {"is_post": True}}
    speaking_as = speakers[kind]
    for command in ("/start", "/balance", "/mydata", "/forget", "/language"):
        # Each in a group of its own: in one a bot may say something once a second.
        other = -next(_groups)
        speaker = chat_of(other) if kind == "anonymous" else speaking_as
        told = await house.answer(house.telegram.say(1, command, chat=other, speaking_as=speaker))
        assert buttons(told)[0]["url"]
    answer = await house.answer(house.telegram.speak(1, OGG, chat=group, speaking_as=speaking_as))
    assert answer["text"] == f"{speaking_as['title']}: привет"
    assert texts_of_buttons(answer) == []
    menu = await house.answer(house.telegram.say(1, "/settings", chat=group, speaking_as=speaking_as))
    assert menu["text"].startswith("Голосовые в этом чате")
    after = (await house.services.db_assist.statistics()).n_transcriptions
    assert (await n_users(house), after) == (before, kept)


@pytest.mark.parametrize("account", sorted(SHARED_ACCOUNTS))
async def test_the_database_takes_no_shared_account(house: House, account: int) -> None:
    """The database refuses such an account from every caller."""
    with pytest.raises(InvalidParameterError):
        await house.services.db_assist.register(account)
    with pytest.raises(NotFoundError):
        await house.services.db_assist.user(account)


async def test_what_was_kept_of_shared_accounts_is_deleted(house: House, anna: int) -> None:
    """Rows, sound and text of earlier versions are deleted at the next start, and nobody else's."""
    mine = await house.archived(await house.answer(house.telegram.speak(anna, OGG)))
    theirs = await house.archived(await house.answer(house.telegram.speak(boris := await newcomer(house), OGG)))
    with closing(sqlite3.connect(house.settings.data_dir / "glas.db", timeout=10)) as connection, connection:
        connection.execute("UPDATE users SET tg_id = 1087968824 WHERE tg_id = ?", (boris,))
    await house.bot._forget_shared_accounts()
    with pytest.raises(NotFoundError):
        await house.services.db_assist.transcription(theirs.id)
    assert theirs.audio_key is not None
    with pytest.raises(NotFoundError):
        await house.services.data_loader.fetch_audio(theirs.audio_key)
    assert (await house.services.db_assist.transcription(mine.id)).audio_key is not None


async def test_anonymous_haste_is_counted_by_chat(house: House, group: int) -> None:
    """Administrators of one group do not use up the limit of another group."""
    other = -next(_groups)
    sent = [house.telegram.speak(1, OGG, chat=group, speaking_as=chat_of(group)) for _ in range(5)]
    elsewhere = [house.telegram.speak(1, OGG, chat=other, speaking_as=chat_of(other, "Дача")) for _ in range(3)]
    for one in [*sent[:3], *elsewhere]:
        assert (await house.answer(one))["text"].endswith(": привет")
    assert len(house.telegram.answers(group)) == 3


async def test_a_forwarded_recording_has_its_speakers_name(house: House, anna: int, group: int) -> None:
    """It is not the name of the person who forwards it."""
    user = {"type": "user", "date": 1, "sender_user": {"id": 77, "is_bot": False, "first_name": "Борис"}}
    channel = {"type": "channel", "date": 1, "message_id": 5, "chat": {"id": -9, "type": "channel", "title": "Новости"}}
    for forwarded, name in ((user, "↪️ Борис"), (channel, "↪️ Новости"), (True, "↪️ Somebody")):
        answer = await house.answer(house.telegram.speak(anna, OGG, chat=group, forwarded=forwarded))
        assert answer["text"] == f"{name}: привет"


async def test_nothing_is_said_in_a_group_of_what_is_no_speech(
    house: House, group: int, recogniser: Recogniser
) -> None:
    """Silence, videos without sound, other files and large files get no answer, except after /transcribe."""
    recogniser.text = ""
    quiet = [house.telegram.speak(next(people), OGG, chat=group, kind=kind) for kind in ("voice", "video", "audio")]
    quiet.append(house.telegram.speak(next(people), OGG, chat=group, kind="video", size_bytes=25_000_000))
    await house.until(lambda: recogniser.n_transcribed >= 3)
    recogniser.error = NO_AUDIO
    quiet += [house.telegram.speak(next(people), OGG, chat=group, kind=kind) for kind in ("video_note", "document")]
    recogniser_saw = [one["voice" if "voice" in one else "video_note"]["file_id"] for one in (quiet[0], quiet[4])]
    await house.until(
        lambda: (
            {call.params.get("file_id") for call in house.telegram.world.calls if call.method == "getFile"}
            >= set(recogniser_saw)
        )
    )
    await house.until(lambda: house.telegram.answers(group) == [], "placeholders taken back")
    recogniser.error = None
    heard = house.telegram.speak(next(people), OGG, chat=group, kind="video")
    recogniser.text = "привет"
    assert (await house.answer(heard))["text"].endswith(": привет")
    assert len(house.telegram.answers(group)) == 1
    recogniser.text = ""
    house.telegram.say(next(people), "/transcribe", chat=group, reply_to=quiet[0]["message_id"])
    assert (await house.answer(quiet[0]))["text"].endswith("Речи не слышно.")


async def test_another_attempt_is_offered_where_it_can_help(house: House, anna: int, recogniser: Recogniser) -> None:
    """A file without sound, or beyond a limit, cannot be retried; the limit is named."""
    recogniser.error = NO_AUDIO
    answer = await house.answer(house.telegram.speak(anna, OGG))
    assert answer["text"].startswith("⚠️ Это не похоже на запись.")
    assert texts_of_buttons(answer) == []
    recogniser.error = TOO_LONG
    answer = await house.answer(house.telegram.speak(anna, OGG))
    assert answer["text"].startswith("⚠️ Запись длиннее 120 минут")
    assert texts_of_buttons(answer) == []


async def test_the_consent_that_was_given_is_shown(house: House, anna: int) -> None:
    """`/settings` shows each change at once."""
    settings = await house.answer(house.telegram.say(anna, "/settings"))
    for button, words in (("✅", ": разрешено"), ("🚫", ": не разрешено"), ("✅", ": разрешено")):
        await house.press(anna, settings, button)
        await house.until(lambda words=words: words in house.telegram.answers(anna)[-1]["text"])  # type: ignore[misc]


@pytest.mark.parametrize(("sees", "status", "is_warned"), [(True, "member", False), (False, "member", True)])
async def test_a_greeting_tells_of_the_privacy_mode(
    house: House, group: int, status: str, *, sees: bool, is_warned: bool
) -> None:
    """By default Telegram hides recordings of groups from bots, and nobody would know why the bot is silent."""
    house.telegram.world.sees_groups = sees
    house.telegram.add_bot(next(people), group, status=status)
    await house.until(lambda: len(house.telegram.answers(group)) == 1)
    (greeting,) = house.telegram.answers(group)
    assert ("/setprivacy" in greeting["text"]) == is_warned
    house.telegram.world.sees_groups = True


async def test_administrators_cannot_lock_themselves_out(house: House) -> None:
    """`/ban` of oneself is refused; an unknown id is reported; /help lists the commands of administrators to them."""
    await house.start(ADMIN)
    refused = await house.answer(house.telegram.say(ADMIN, f"/ban {ADMIN}"))
    assert refused["text"] == "Администратора бота заблокировать нельзя."
    for command in ("/ban 12345", "/unban 12345", "/grant 12345 1 за помощь"):
        assert "не нажимал /start" in (await house.answer(house.telegram.say(ADMIN, command)))["text"]
    assert "/grant" in (await house.answer(house.telegram.say(ADMIN, "/help")))["text"]
    assert "/grant" not in (await house.answer(house.telegram.say(await newcomer(house), "/help")))["text"]


async def test_logs_hold_no_numbers_of_people(
    house: House, anna: int, group: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """`/forget` does not delete logs."""
    house.telegram.fail("getFile", "bad_request")
    house.telegram.fail("sendMessage", "too_many", chat_id=group)
    house.telegram.speak(anna, OGG)
    await house.answer(house.telegram.speak(anna, OGG, chat=group))
    supergroup = -next(_groups) - 10**13
    house.telegram.upgrade(anna, group, supergroup)
    stranger = next(people)
    query = house.telegram.press(stranger, house.telegram.answers(anna)[-1]["message_id"], data="x", chat=anna)
    await house.until(lambda: house.telegram.world.presses[query].is_answered)
    written = capsys.readouterr()
    logged = written.out + written.err
    assert "Telegram asks for a pause" in logged
    assert "a recording was not recognised" in logged
    found = [line for line in logged.splitlines() if re.search(f"{anna}|{-group}|{stranger}|{-supergroup}", line)]
    assert found == []
