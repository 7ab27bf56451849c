"""db_assist: words that people correct, and the vocabularies from them; with SQLite and PostgreSQL."""

import asyncio

import pytest

from glas.clients.correction_bodies import CorrectionResult
from glas.clients.db_assist import DbAssistClient
from glas.db_assist.vocabulary import MOST_WORDS
from glas.domain.corrections import Sound
from glas.domain.errors import ConflictError, InvalidParameterError, NotFoundError
from glas.domain.model_ref import ModelRef
from glas.domain.people import Purpose
from glas.domain.vocabulary import digest
from glas.settings import Settings
from tests.parts.voices import heard, message, open_db_assist, send, someone

WRONG, RIGHT = "передай гуле что встреча в пятницу", "Передай Айгуль, что встреча в пятницу."
GROUP = -1_000_000_000_001


@pytest.fixture
def database_settings(database_settings: Settings) -> Settings:
    """Settings with which the number of people is counted for each recording."""
    exact = database_settings.db_assist.model_copy(update={"vocabulary_refresh_s": 0})
    return database_settings.model_copy(update={"db_assist": exact})


async def _person(client: DbAssistClient, *, trains: bool = False) -> int:
    tg_id = someone()
    await client.register(tg_id)
    if trains:
        await client.set_consent(tg_id, Purpose.TRAINING, granted=True, text_version="1")
    return tg_id


async def _teach(
    client: DbAssistClient, tg_id: int, said: str = RIGHT, *, heard_text: str = WRONG, chat: int | None = None
) -> CorrectionResult:
    """Let a person send a message and correct it."""
    new = message(tg_id)
    created = await client.create_transcription(new if chat is None else new.model_copy(update={"chat_id": chat}))
    await client.finish(created.id, heard(heard_text))
    return await client.correct(created.id, tg_id, said)


async def _names(client: DbAssistClient, tg_id: int) -> list[str]:
    return [one.word for one in await client.words(tg_id)]


async def test_a_correction_teaches_its_author(db_assist: DbAssistClient) -> None:
    """The word is added once, and is then sent with each recording; a repetition adds nothing."""
    tg_id = await _person(db_assist)
    result = await _teach(db_assist, tg_id)
    assert result.learned == ("Айгуль",)
    again = await db_assist.correct(result.transcription.id, tg_id, RIGHT)
    assert (again.change_id, again.learned) == (result.change_id, ("Айгуль",))
    assert (await _teach(db_assist, tg_id)).learned == ()
    (word,) = await db_assist.words(tg_id)
    assert (word.word, word.n_messages, word.is_added, word.is_used) == ("Айгуль", 2, False, True)
    assert await db_assist.keywords(tg_id, tg_id) == ("Айгуль",)
    assert await db_assist.keywords(tg_id, None) == ()
    assert await db_assist.keywords(someone(), await _person(db_assist)) == ()


async def test_any_other_word_is_remembered_at_the_second_time(db_assist: DbAssistClient) -> None:
    """It may be an everyday word; `/mydata` contains it from the first correction."""
    tg_id = await _person(db_assist)
    wrong, right = "поднял губернатор в облаке", "поднял кубернетес в облаке"
    assert (await _teach(db_assist, tg_id, right, heard_text=wrong)).learned == ()
    assert await _names(db_assist, tg_id) == []
    (held,) = (await db_assist.export_user(tg_id)).words
    assert (held.word, held.is_used) == ("кубернетес", False)
    assert await db_assist.keywords(tg_id, tg_id) == ()
    assert (await _teach(db_assist, tg_id, right, heard_text=wrong)).learned == ("кубернетес",)
    assert await db_assist.keywords(tg_id, tg_id) == ("кубернетес",)


async def test_doubtful_words_teach_nothing(db_assist: DbAssistClient) -> None:
    """This also applies if the author insists."""
    tg_id = await _person(db_assist)
    good = await _teach(db_assist, tg_id)
    row, far = good.transcription.id, "Передай Айгулю, что встречи не будет никогда"
    doubtful = await db_assist.correct(row, tg_id, far, is_confirmed=True, sound=Sound.DENIES)
    assert (doubtful.is_applied, doubtful.learned) == (True, ())
    assert await _names(db_assist, tg_id) == []


async def test_what_is_taken_back_is_forgotten(db_assist: DbAssistClient) -> None:
    """After each step, exactly the words of the valid correction are in the vocabulary."""
    tg_id = await _person(db_assist)
    first = await _teach(db_assist, tg_id)
    row = first.transcription.id
    second = await db_assist.correct(row, tg_id, RIGHT.replace("Айгуль", "Гульнаре"))
    assert (second.learned, await _names(db_assist, tg_id)) == (("Гульнаре",), ["Гульнаре"])
    for _ in range(2):
        await db_assist.take_back(row, tg_id, second.change_id)
        assert await _names(db_assist, tg_id) == ["Айгуль"]
    other = await _teach(db_assist, tg_id, RIGHT.replace("Айгуль", "Гульнаре"))
    await db_assist.take_back(other.transcription.id, tg_id, other.change_id)
    assert await _names(db_assist, tg_id) == ["Айгуль"]


async def test_a_person_adds_and_removes_words(db_assist: DbAssistClient) -> None:
    """Adding twice has no further effect; nobody can remove another person's words."""
    tg_id, stranger = await _person(db_assist), await _person(db_assist)
    await _teach(db_assist, tg_id)
    for _ in range(2):
        added = await db_assist.add_words(tg_id, ["«Нижний Тагил»", "айгуль", "C++"])
    assert [(one.word, one.n_messages, one.is_added) for one in added] == [
        ("C++", 0, True),
        ("айгуль", 1, True),
        ("Нижний Тагил", 0, True),
    ]
    with pytest.raises(InvalidParameterError):
        await db_assist.add_words(tg_id, ["да", "16"])
    await db_assist.remove_word(stranger, added[1].id)
    assert len(await _names(db_assist, tg_id)) == 3
    for _ in range(2):
        left = await db_assist.remove_word(tg_id, added[1].id)
        assert [one.word for one in left] == ["C++", "Нижний Тагил"]
    assert await db_assist.keywords(tg_id, tg_id) == ("C++", "Нижний Тагил")
    for number in range(20):
        await db_assist.add_words(stranger, [f"слово{number}а{each}" for each in range(MOST_WORDS // 20)])
    with pytest.raises(ConflictError):
        await db_assist.add_words(stranger, ["ещё"])
    assert len(await db_assist.keywords(stranger, stranger, limit=7)) == 7
    assert (await _teach(db_assist, stranger)).learned == ()
    with pytest.raises(NotFoundError):
        await db_assist.words(someone())


async def test_a_group_and_everybody_learn_by_agreement(db_assist: DbAssistClient) -> None:
    """Two members are needed for a group, and three people who agree to training for everybody."""
    anna, boris, vera = [await _person(db_assist, trains=True) for _ in range(3)]
    stranger = someone()
    await _teach(db_assist, anna, chat=GROUP)
    await _teach(db_assist, anna, chat=GROUP)
    assert await db_assist.keywords(GROUP, stranger) == ()
    second = await _teach(db_assist, boris, chat=GROUP)
    assert await db_assist.keywords(GROUP, stranger) == await db_assist.keywords(GROUP, None) == ("Айгуль",)
    assert await db_assist.keywords(GROUP - 1, stranger) == ()
    await db_assist.move_chat(1, GROUP, GROUP - 1)
    assert await db_assist.keywords(GROUP, stranger) == ()
    assert await db_assist.keywords(GROUP - 1, stranger) == ("Айгуль",)
    assert await db_assist.keywords(stranger, stranger) == ()
    await _teach(db_assist, vera)
    assert await db_assist.keywords(stranger, stranger) == ("Айгуль",)
    await db_assist.set_consent(vera, Purpose.TRAINING, granted=False, text_version="1")
    assert await db_assist.keywords(stranger, stranger) == ()
    await db_assist.set_consent(vera, Purpose.TRAINING, granted=True, text_version="1")
    await db_assist.take_back(second.transcription.id, boris, second.change_id)
    assert await db_assist.keywords(stranger, stranger) == await db_assist.keywords(GROUP - 1, stranger) == ()


async def test_words_added_by_hand_are_nobody_elses(db_assist: DbAssistClient) -> None:
    """Words that are not names do not count for other people, either."""
    for _ in range(3):
        person = await _person(db_assist, trains=True)
        await db_assist.add_words(person, ["Тагил"])
        for _ in range(2):
            await _teach(db_assist, person, "поднял кубернетес", heard_text="поднял губернатор", chat=GROUP)
    assert await db_assist.keywords(GROUP, None) == ()
    assert await db_assist.keywords(GROUP, person) == ("кубернетес", "Тагил")


async def test_forgetting_takes_words_and_agreement(db_assist: DbAssistClient) -> None:
    """The words are deleted everywhere at once; before, `/mydata` contained them."""
    anna, boris, vera = [await _person(db_assist, trains=True) for _ in range(3)]
    for person in (anna, boris, vera):
        await _teach(db_assist, person, chat=GROUP)
    await db_assist.add_words(anna, ["Тагил"])
    assert [one.word for one in (await db_assist.export_user(anna)).words] == ["Тагил", "Айгуль"]
    await db_assist.forget(anna)
    assert await db_assist.keywords(someone(), None) == ()
    assert await db_assist.keywords(GROUP, None) == ("Айгуль",)
    await db_assist.ban(boris)
    assert await db_assist.keywords(GROUP, None) == ()
    await db_assist.register(anna)
    assert await db_assist.words(anna) == ()
    assert await db_assist.keywords(anna, anna) == ()


async def test_own_words_come_first(db_assist: DbAssistClient) -> None:
    """Then come the words of the group; no word comes twice; words beyond the limit are left out."""
    anna, boris = await _person(db_assist), await _person(db_assist)
    for person in (anna, boris):
        await _teach(db_assist, person, chat=GROUP)
        await _teach(db_assist, person, RIGHT.replace("Айгуль", "Гульнаре"), chat=GROUP)
    await db_assist.add_words(anna, ["Тагил", "Айгуль"])
    assert await db_assist.keywords(GROUP, anna) == ("Айгуль", "Тагил", "Гульнаре")
    assert await db_assist.keywords(GROUP, anna, limit=2) == ("Айгуль", "Тагил")
    assert await db_assist.keywords(GROUP, None) == ("Гульнаре", "Айгуль")


async def test_a_known_file_is_found_by_its_words(db_assist: DbAssistClient) -> None:
    """A text that was made with other keywords is not used."""
    tg_id = await _person(db_assist)
    plain = await send(db_assist, tg_id, file="one")
    words = digest(["Айгуль"])
    assert words is not None
    new = message(tg_id, file="one")
    made = heard("Айгуль").model_copy(update={"keywords_sha256": words})
    hinted = await db_assist.create_transcription(new)
    assert (await db_assist.finish(hinted.id, made)).id == (await db_assist.finish(hinted.id, made)).id
    model = ModelRef(name=made.model, version=made.model_version or "")
    for digested, expected in ((None, plain.id), (words, hinted.id), (digest(["Тагил"]), None)):
        found = await db_assist.same_file("one", model=model, keywords_sha256=digested)
        assert (None if found is None else found.id) == expected


async def test_corrections_at_once_teach_once(db_assist: DbAssistClient) -> None:
    """If a request is repeated before the first one ends, there is one row and no error."""
    tg_id = await _person(db_assist)
    sent = await send(db_assist, tg_id, text=WRONG)
    results = await asyncio.gather(*(db_assist.correct(sent.id, tg_id, RIGHT) for _ in range(4)))
    assert {(one.change_id, one.learned) for one in results} == {(results[0].change_id, ("Айгуль",))}
    assert [one.n_messages for one in await db_assist.words(tg_id)] == [1]


async def test_the_installations_words_are_counted_now_and_then(database_settings: Settings) -> None:
    """A new agreement is seen later; a withdrawal or deletion is seen at once."""
    rare = database_settings.db_assist.model_copy(update={"vocabulary_refresh_s": 3600})
    async with open_db_assist(database_settings.model_copy(update={"db_assist": rare})) as client:
        anna, boris, vera, gleb = [await _person(client, trains=True) for _ in range(4)]
        for person in (anna, boris, vera):
            await _teach(client, person)
        assert await client.keywords(1, None) == ("Айгуль",)
        hers = await _teach(client, gleb)
        await client.forget(anna)
        assert await client.keywords(1, None) == ("Айгуль",)
        await client.take_back(hers.transcription.id, gleb, hers.change_id)
        assert await client.keywords(1, None) == ("Айгуль",)
        await client.set_consent(boris, Purpose.TRAINING, granted=False, text_version="1")
        assert await client.keywords(1, None) == ()
