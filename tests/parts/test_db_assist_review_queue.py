"""db_assist: which message a reviewer gets next, and how long it is held; on both databases."""

import asyncio

import pytest

from glas.clients.db_assist import DbAssistClient
from glas.clients.review_bodies import ReviewItem
from glas.domain.corrections import Rank, Sound
from glas.domain.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
)
from glas.domain.messages import Score
from glas.domain.people import Purpose, Role
from glas.domain.reviews import REVIEWERS_LISTEN_SINCE, Verdict
from glas.domain.transcription import Hypothesis
from glas.settings import Settings
from tests.parts.reviewers import a_reviewer, a_speaker, opened_with, taken
from tests.parts.reviewers import checked as checked  # noqa: PLC0414 - fixtures, found here by their names
from tests.parts.reviewers import unchecked as unchecked  # noqa: PLC0414
from tests.parts.voices import HEARD, heard, message, send, someone

SAID = "привет это проверка голосовых сообщений"


async def test_only_what_may_be_heard_is_offered(db_assist: DbAssistClient) -> None:
    """Only voice messages of people who agreed to reviews; not the reviewer's own, forwarded, long or empty ones."""
    reviewer = await a_reviewer(db_assist)
    agreed, before = await a_speaker(db_assist), await a_speaker(db_assist, "2026-11-22")
    withdrawn = await a_speaker(db_assist)
    await db_assist.set_consent(withdrawn, Purpose.TRAINING, granted=False, text_version=REVIEWERS_LISTEN_SINCE)
    await db_assist.set_consent(reviewer, Purpose.TRAINING, granted=True, text_version=REVIEWERS_LISTEN_SINCE)
    for person in (before, withdrawn, reviewer):
        await send(db_assist, person)
    await send(db_assist, agreed, forwarded=True)
    await send(db_assist, agreed, duration_s=31)
    await send(db_assist, agreed, text="")
    await db_assist.create_transcription(message(agreed))
    assert await db_assist.next_review(reviewer) is None
    sent = await send(db_assist, agreed)
    item = await taken(db_assist, reviewer)
    assert (item.transcription_id, item.text, item.file_id) == (sent.id, HEARD, sent.file_id)
    assert not {"user_id", "chat_id", "reference"} & ReviewItem.model_fields.keys()


async def test_only_reviewers_and_administrators_review(db_assist: DbAssistClient) -> None:
    """They can review only messages that are held for them."""
    speaker, reviewer, other = await a_speaker(db_assist), await a_reviewer(db_assist), someone()
    sent = await send(db_assist, speaker)
    with pytest.raises(NotFoundError):
        await db_assist.next_review(other)
    await db_assist.register(other)
    with pytest.raises(ForbiddenError):
        await db_assist.next_review(other)
    with pytest.raises(ForbiddenError):
        await db_assist.review(sent.id, other, Verdict.ACCEPT)
    with pytest.raises(ConflictError):
        await db_assist.review(sent.id, reviewer, Verdict.ACCEPT)
    await db_assist.set_role(other, Role.ADMIN)
    assert (await taken(db_assist, other)).transcription_id == sent.id
    await db_assist.set_reviewer(reviewer, is_reviewer=False)
    with pytest.raises(ForbiddenError):
        await db_assist.next_review(reviewer)


async def test_the_worthiest_comes_first(unchecked: DbAssistClient) -> None:
    """A doubtful correction, a bad rating, low confidence, or a speaker without reviews come first."""
    reviewer, speakers = await a_reviewer(unchecked), [await a_speaker(unchecked) for _ in range(5)]
    plain = await send(unchecked, speakers[0])
    best = await send(unchecked, speakers[1])
    await unchecked.rate(best.id, speakers[1], Score.BEST)
    unsure = await unchecked.create_transcription(message(speakers[2]))
    await unchecked.finish(unsure.id, heard().model_copy(update={"confidence": 0.2}))
    bad = await send(unchecked, speakers[3])
    await unchecked.rate(bad.id, speakers[3], Score.BAD)
    doubtful = await send(unchecked, speakers[4])
    await unchecked.correct(doubtful.id, speakers[4], SAID, sound=Sound.DENIES)
    again = await send(unchecked, speakers[4])
    order = []
    while (item := await unchecked.next_review(reviewer)) is not None:
        order.append(item.transcription_id)
        await unchecked.review(item.transcription_id, reviewer, Verdict.SKIP)
    assert order == [doubtful.id, bad.id, unsure.id, plain.id, best.id, again.id]


async def test_texts_that_two_models_do_not_agree_on_and_new_words_come_first(unchecked: DbAssistClient) -> None:
    reviewer, speakers = await a_reviewer(unchecked), [await a_speaker(unchecked) for _ in range(5)]
    known = await send(unchecked, speakers[0])
    new = await send(unchecked, speakers[1], text="завезли мицелий вешенки")
    agreed = await send(unchecked, speakers[2])
    disputed = await send(unchecked, speakers[3])
    corrected = await send(unchecked, speakers[4])
    await unchecked.correct(corrected.id, speakers[4], HEARD)
    for message_id, second in ((agreed.id, HEARD.upper()), (disputed.id, "совсем другие слова")):
        written = Hypothesis(text=second, duration_s=1.0, model="onnx:other", model_version="1" * 12)
        await unchecked.store_second_hypothesis(message_id, written)
    order = []
    while (item := await unchecked.next_review(reviewer)) is not None:
        order.append(item.transcription_id)
        await unchecked.review(item.transcription_id, reviewer, Verdict.SKIP)
    assert order == [disputed.id, new.id, known.id, agreed.id]


async def test_a_choice_among_many_is_used_again(unchecked: DbAssistClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what was reviewed or corrected since; what is worth more comes with the next choice."""
    monkeypatch.setattr("glas.db_assist.review_choice._MANY", 4)
    anna, boris = await a_reviewer(unchecked), await a_reviewer(unchecked)
    speakers = [await a_speaker(unchecked) for _ in range(6)]
    sent = [await send(unchecked, speaker) for speaker in speakers[:5]]
    assert (await taken(unchecked, anna)).transcription_id == sent[0].id
    assert (await taken(unchecked, boris)).transcription_id == sent[1].id
    await unchecked.review(sent[1].id, boris, Verdict.ACCEPT)
    await unchecked.correct(sent[2].id, speakers[2], SAID)
    later = await send(unchecked, speakers[5])
    await unchecked.rate(later.id, speakers[5], Score.BAD)
    order = []
    while (item := await unchecked.next_review(anna)) is not None:
        order.append(item.transcription_id)
        await unchecked.review(item.transcription_id, anna, Verdict.ACCEPT)
    assert order == [sent[0].id, sent[3].id, later.id, sent[4].id]


async def test_a_message_is_held_for_one_reviewer(database_settings: Settings) -> None:
    """The hold lasts until the review or for some minutes; the reviewer gets the same message again."""
    async with opened_with(database_settings, review_check_every=0) as client:
        speaker, anna, boris = await a_speaker(client), await a_reviewer(client), await a_reviewer(client)
        sent = [await send(client, speaker) for _ in range(2)]
        first, again, second = [await taken(client, one) for one in (anna, anna, boris)]
        assert first.transcription_id == again.transcription_id
        assert {first.transcription_id, second.transcription_id} == {one.id for one in sent}
        assert again.held_until > first.held_until
        with pytest.raises(ConflictError):
            await client.review(second.transcription_id, anna, Verdict.ACCEPT)
        await client.set_reviewer(boris, is_reviewer=False)
        await client.review(first.transcription_id, anna, Verdict.ACCEPT)
        assert (await taken(client, anna)).transcription_id == second.transcription_id
        await client.review(second.transcription_id, anna, Verdict.ACCEPT)
    async with opened_with(database_settings, review_check_every=0, review_minutes=1e-6) as client:
        carol = await a_reviewer(client)
        third = await send(client, speaker)
        await client.next_review(carol)
        assert (await taken(client, carol)).transcription_id == third.id
        assert (await taken(client, anna)).transcription_id == third.id
        with pytest.raises(ConflictError):
            await client.review(third.id, carol, Verdict.ACCEPT)
        assert (await client.review(third.id, anna, Verdict.ACCEPT)).rank is Rank.REVIEWER


async def test_reviewers_at_once_get_different_messages(db_assist: DbAssistClient) -> None:
    """The slower reviewer gets the next message."""
    speaker, reviewers = await a_speaker(db_assist), [await a_reviewer(db_assist) for _ in range(6)]
    sent = {(await send(db_assist, speaker)).id for _ in reviewers}
    items = await asyncio.gather(*(taken(db_assist, one) for one in reviewers))
    assert {item.transcription_id for item in items} == sent
