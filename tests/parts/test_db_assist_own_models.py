"""Own models: to whom they are assigned, which one answers, and what happens when their person leaves."""

import itertools

import pytest

from glas.clients.db_assist import DbAssistClient
from glas.clients.model_record_bodies import NewsItem
from glas.clients.own_models import OwnModelChoice, OwnModelEntry
from glas.domain.errors import ConflictError, NotFoundError
from glas.domain.model_records import AnnouncementKind, Outcome
from glas.domain.model_ref import ModelRef
from glas.domain.own_models import OwnModel, answering
from tests.parts.voices import BOT, send, someone, speaker

OLD, NEW, CHAMPION = "0" * 12, "1" * 12, "c" * 12
_groups = itertools.count(-1_009_000_000_000)


def entry(name: str, version: str = OLD, **owner: int) -> OwnModelEntry:
    return OwnModelEntry(
        name=name,
        version=version,
        instead_of=CHAMPION,
        wer_before=0.3,
        wer_after=0.2,
        operator="anna",
        **owner,
    )


async def answers(db_assist: DbAssistClient, person: int | None, chat: int) -> str | None:
    found = answering(await db_assist.own_models(tg_id=person, chat_id=chat))
    return None if found is None else found.model.name


async def newcomer(db_assist: DbAssistClient) -> int:
    person = someone()
    await db_assist.register(person)
    return person


async def test_it_answers_its_person_and_its_group_only(db_assist: DbAssistClient) -> None:
    anna, boris = [await newcomer(db_assist) for _ in range(2)]
    group = next(_groups)
    hers = await db_assist.record_own_model(entry("/models/hers", tg_id=anna))
    assert hers.own == OwnModel(model=ModelRef(name="/models/hers", version=OLD), instead_of=CHAMPION)
    assert await db_assist.record_own_model(entry("/models/hers", tg_id=anna)) == hers, "a repetition changes nothing"
    await db_assist.record_own_model(entry("/models/group", chat_id=group))
    assert await answers(db_assist, anna, anna) == await answers(db_assist, anna, group) == "/models/hers"
    assert await answers(db_assist, boris, group) == await answers(db_assist, None, group) == "/models/group"
    assert await answers(db_assist, boris, boris) is None
    assert len(await db_assist.own_models()) == 2
    assert (await db_assist.export_user(anna)).own_model == hers
    assert (await db_assist.export_user(boris)).own_model is None


async def test_a_person_prefers_the_common_model(db_assist: DbAssistClient) -> None:
    """The choice is kept when the own model is replaced; in a group, the group's own model answers then."""
    anna, group = await newcomer(db_assist), next(_groups)
    with pytest.raises(NotFoundError):
        await db_assist.choose_own_model(OwnModelChoice(tg_id=anna, is_used=False))
    await db_assist.record_own_model(entry("/models/hers", tg_id=anna))
    await db_assist.record_own_model(entry("/models/group", chat_id=group))
    chosen = await db_assist.choose_own_model(OwnModelChoice(tg_id=anna, is_used=False))
    assert not chosen.is_used
    assert await answers(db_assist, anna, anna) is None
    assert await answers(db_assist, anna, group) == "/models/group"
    assert not (await db_assist.record_own_model(entry("/models/second", tg_id=anna))).is_used
    await db_assist.choose_own_model(OwnModelChoice(tg_id=anna, is_used=True))
    await db_assist.choose_own_model(OwnModelChoice(chat_id=group, is_used=False))
    assert await answers(db_assist, anna, group) == "/models/second"
    assert await answers(db_assist, None, group) is None


async def test_the_model_before_is_deleted(db_assist: DbAssistClient) -> None:
    """New weights in the same directory delete nothing; a directory belongs to one owner."""
    anna, boris = [await newcomer(db_assist) for _ in range(2)]
    first = await db_assist.record_own_model(entry("/models/hers", tg_id=anna))
    again = await db_assist.record_own_model(entry("/models/hers", NEW, tg_id=anna))
    assert (again.id, again.version) == (first.id, NEW)
    assert await db_assist.own_models_to_delete() == ()
    with pytest.raises(ConflictError):
        await db_assist.record_own_model(entry("/models/hers", tg_id=boris))
    with pytest.raises(ConflictError):
        await db_assist.own_model_deleted(first.id)
    await db_assist.record_own_model(entry("/models/second", tg_id=anna))
    (former,) = await db_assist.own_models_to_delete()
    assert former.id == first.id
    for _ in range(2):
        await db_assist.own_model_deleted(former.id)
    assert await db_assist.own_models_to_delete() == ()
    assert await answers(db_assist, anna, anna) == "/models/second"


async def test_it_goes_with_its_person(db_assist: DbAssistClient) -> None:
    anna, boris = [await newcomer(db_assist) for _ in range(2)]
    message = await send(db_assist, anna)
    hers = await db_assist.record_own_model(entry("/models/hers", transcription_id=message.id))
    his = await db_assist.record_own_model(entry("/models/his", tg_id=boris))
    assert await answers(db_assist, anna, anna) == "/models/hers", "the sender of the message"
    await db_assist.forget(anna)
    await db_assist.retire_own_model(his.id)
    assert await db_assist.own_models() == ()
    assert {one.id for one in await db_assist.own_models_to_delete()} == {hers.id, his.id}
    await db_assist.register(anna)
    assert await answers(db_assist, anna, anna) is None
    taken = await db_assist.record_own_model(entry("/models/hers", NEW, tg_id=anna))
    assert [one.id for one in await db_assist.own_models_to_delete()] == [his.id] != [taken.id]
    with pytest.raises(NotFoundError):
        await db_assist.record_own_model(entry("/models/nobody", tg_id=someone()))
    with pytest.raises(NotFoundError):
        await db_assist.retire_own_model(10**9)


async def test_its_person_is_told_once(db_assist: DbAssistClient) -> None:
    """The news is sent while the own model answers; unsent words go with the model, and others get no news of it."""
    (anna, hers), (boris, his) = [await speaker(db_assist) for _ in range(2)]
    news = {number: NewsItem(transcription_id=number, text_before="было", text_after="стало") for number in (hers, his)}
    stranger = entry("/models/hers", transcription_id=hers).model_copy(update={"news": news[his]})
    await db_assist.record_own_model(stranger)
    assert await db_assist.waiting_announcements(BOT) == (), "a message of somebody else"
    mine = stranger.model_copy(update={"news": news[hers]})
    for _ in range(2):
        await db_assist.record_own_model(mine)
    (told,) = await db_assist.waiting_announcements(BOT)
    assert (told.kind, told.tg_id, told.model_id) == (AnnouncementKind.OWN_NEWS, anna, None)
    assert (told.text_before, told.text_after, told.chat_id) == ("было", "стало", anna)
    await db_assist.choose_own_model(OwnModelChoice(tg_id=anna, is_used=False))
    assert await db_assist.waiting_announcements(BOT) == (), "the champion answers"
    await db_assist.choose_own_model(OwnModelChoice(tg_id=anna, is_used=True))
    assert await db_assist.claim_announcement(told.id, "0" * 8) == told
    assert await db_assist.claim_announcement(told.id, "1" * 8) is None, "a run that died counts as told"
    assert [one.outcome for one in (await db_assist.export_user(anna)).news] == [Outcome.SENT]
    await db_assist.record_own_model(mine)
    assert await db_assist.waiting_announcements(BOT) == (), "nobody is told twice"
    given = await db_assist.record_own_model(entry("/models/his", tg_id=boris).model_copy(update={"news": news[his]}))
    assert len(await db_assist.waiting_announcements(BOT)) == 1
    await db_assist.retire_own_model(given.id)
    assert (await db_assist.export_user(boris)).news == (), "words are not kept for a model that is gone"


async def test_it_moves_with_its_group(db_assist: DbAssistClient) -> None:
    group, supergroup = next(_groups), next(_groups)
    await db_assist.record_own_model(entry("/models/group", chat_id=group))
    for _ in range(2):
        await db_assist.move_chat(BOT, group, supergroup)
        assert await answers(db_assist, None, supergroup) == "/models/group"
        assert await answers(db_assist, None, group) is None
