"""db_assist: which message a reviewer hears next, what becomes of what they say, and who is paid; on both databases."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from glas.clients.db_assist import DbAssistClient
from glas.clients.review_bodies import ReviewItem
from glas.domain.corrections import Rank, Sound
from glas.domain.errors import (
    ConflictError,
    ForbiddenError,
    ImplausibleCorrectionError,
    InvalidParameterError,
    NotFoundError,
)
from glas.domain.ledger import Reason, Refusal
from glas.domain.messages import Score, Transcription
from glas.domain.people import Purpose, Role
from glas.domain.reviews import REVIEWERS_LISTEN_SINCE, Verdict
from glas.settings import Settings
from tests.parts.voices import HEARD, heard, message, open_db_assist, send, someone

SAID = "привет это проверка голосовых сообщений"


async def _speaker(client: DbAssistClient, version: str = REVIEWERS_LISTEN_SINCE) -> int:
    """Somebody who agrees to training, by the words of a version."""
    tg_id = someone()
    await client.register(tg_id)
    await client.set_consent(tg_id, Purpose.TRAINING, granted=True, text_version=version)
    return tg_id


async def _reviewer(client: DbAssistClient) -> int:
    tg_id = someone()
    await client.register(tg_id)
    assert (await client.set_reviewer(tg_id, is_reviewer=True)).is_reviewer
    return tg_id


async def _taken(client: DbAssistClient, reviewer: int) -> ReviewItem:
    item = await client.next_review(reviewer)
    assert item is not None
    return item


@pytest.fixture
async def checked(database_settings: Settings) -> AsyncIterator[DbAssistClient]:
    """Every review is a check where one can be."""
    async with _opened(database_settings, review_check_every=1) as client:
        yield client


@pytest.fixture
async def unchecked(database_settings: Settings) -> AsyncIterator[DbAssistClient]:
    """No review is one."""
    async with _opened(database_settings, review_check_every=0) as client:
        yield client


@asynccontextmanager
async def _opened(settings: Settings, **changes: float) -> AsyncIterator[DbAssistClient]:
    rules = settings.db_assist.model_copy(update=changes)
    async with open_db_assist(settings.model_copy(update={"db_assist": rules})) as client:
        yield client


async def test_only_what_may_be_heard_is_offered(db_assist: DbAssistClient) -> None:
    """Voice messages of people who know that somebody listens; not one's own, not forwarded, not long, not silent."""
    reviewer = await _reviewer(db_assist)
    agreed, before = await _speaker(db_assist), await _speaker(db_assist, "2026-11-22")
    withdrawn = await _speaker(db_assist)
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
    item = await _taken(db_assist, reviewer)
    assert (item.transcription_id, item.text, item.file_id) == (sent.id, HEARD, sent.file_id)
    assert not {"user_id", "chat_id", "reference"} & ReviewItem.model_fields.keys()


async def test_only_reviewers_and_administrators_review(db_assist: DbAssistClient) -> None:
    """And only what was given to them."""
    speaker, reviewer, other = await _speaker(db_assist), await _reviewer(db_assist), someone()
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
    assert (await _taken(db_assist, other)).transcription_id == sent.id
    await db_assist.set_reviewer(reviewer, is_reviewer=False)
    with pytest.raises(ForbiddenError):
        await db_assist.next_review(reviewer)


async def test_the_worthiest_comes_first(unchecked: DbAssistClient) -> None:
    """A doubtful correction that waits; a bad rating; little confidence; a speaker of whom nothing was reviewed."""
    reviewer, speakers = await _reviewer(unchecked), [await _speaker(unchecked) for _ in range(5)]
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


async def test_a_message_is_held_for_one_reviewer(database_settings: Settings) -> None:
    """Until it is answered or the time is over; the same reviewer gets the same one again."""
    async with _opened(database_settings, review_check_every=0) as client:
        speaker, anna, boris = await _speaker(client), await _reviewer(client), await _reviewer(client)
        sent = [await send(client, speaker) for _ in range(2)]
        first, again, second = [await _taken(client, one) for one in (anna, anna, boris)]
        assert first.transcription_id == again.transcription_id
        assert {first.transcription_id, second.transcription_id} == {one.id for one in sent}
        assert again.held_until > first.held_until
        with pytest.raises(ConflictError):
            await client.review(second.transcription_id, anna, Verdict.ACCEPT)
        await client.set_reviewer(boris, is_reviewer=False)
        await client.review(first.transcription_id, anna, Verdict.ACCEPT)
        assert (await _taken(client, anna)).transcription_id == second.transcription_id
        await client.review(second.transcription_id, anna, Verdict.ACCEPT)
    async with _opened(database_settings, review_check_every=0, review_minutes=1e-6) as client:
        carol = await _reviewer(client)
        third = await send(client, speaker)
        await client.next_review(carol)
        assert (await _taken(client, carol)).transcription_id == third.id
        assert (await _taken(client, anna)).transcription_id == third.id
        with pytest.raises(ConflictError):
            await client.review(third.id, carol, Verdict.ACCEPT)
        assert (await client.review(third.id, anna, Verdict.ACCEPT)).rank is Rank.REVIEWER


async def test_reviewers_at_once_get_different_messages(db_assist: DbAssistClient) -> None:
    """Whoever is slower takes the next one."""
    speaker, reviewers = await _speaker(db_assist), [await _reviewer(db_assist) for _ in range(6)]
    sent = {(await send(db_assist, speaker)).id for _ in reviewers}
    items = await asyncio.gather(*(_taken(db_assist, one) for one in reviewers))
    assert {item.transcription_id for item in items} == sent


async def test_what_a_reviewer_says_becomes_the_reference(unchecked: DbAssistClient) -> None:
    """Accepted or corrected words; nothing of what was skipped or cannot be understood; exports see it."""
    speaker, reviewer = await _speaker(unchecked), await _reviewer(unchecked)
    sent = [(await send(unchecked, speaker)).id for _ in range(5)]
    cursor = (await unchecked.changed_since()).next_cursor
    verdicts = {}
    for verdict in Verdict:
        item = await _taken(unchecked, reviewer)
        verdicts[verdict] = item.transcription_id
        words = f" {SAID} " if verdict is Verdict.CORRECT else None
        for _ in range(2):
            result = await unchecked.review(item.transcription_id, reviewer, verdict, words)
            assert result.rank == (Rank.REVIEWER if verdict.gives_words else None)
            assert (result.is_agreed, result.paid_hundredths) == (False, 0)
        with pytest.raises(ConflictError):
            await unchecked.review(item.transcription_id, reviewer, Verdict.CORRECT, "что-то другое")
    assert await unchecked.next_review(reviewer) is None
    rows = {verdict: await unchecked.transcription(number) for verdict, number in verdicts.items()}
    assert {verdict: row.reference for verdict, row in rows.items()} == {
        Verdict.ACCEPT: HEARD,
        Verdict.CORRECT: SAID,
        Verdict.SKIP: None,
        Verdict.BAD_AUDIO: None,
        Verdict.NOT_SPEECH: None,
    }
    changes = {one.transcription_id: one.verdict for one in (await unchecked.changed_since(cursor)).items}
    assert changes == {
        verdicts[Verdict.ACCEPT]: None,
        verdicts[Verdict.CORRECT]: None,
        verdicts[Verdict.BAD_AUDIO]: Verdict.BAD_AUDIO,
        verdicts[Verdict.NOT_SPEECH]: Verdict.NOT_SPEECH,
    }
    assert set(verdicts.values()) == set(sent)
    made = (await unchecked.export_user(reviewer)).reviews
    assert [(one.transcription_id, one.verdict) for one in made] == [(verdicts[one], one) for one in Verdict]


async def test_two_reviewers_who_agree(checked: DbAssistClient) -> None:
    """The second one sees what the first one saw; both are paid, once; the reference is agreed."""
    speaker, anna, boris = await _speaker(checked), await _reviewer(checked), await _reviewer(checked)
    sent = await send(checked, speaker)
    await _taken(checked, anna)
    alone = await checked.review(sent.id, anna, Verdict.CORRECT, SAID)
    assert (alone.rank, alone.is_agreed, alone.paid_hundredths) == (Rank.REVIEWER, False, 0)
    assert await checked.next_review(anna) is None
    assert (await _taken(checked, boris)).text == HEARD
    for _ in range(2):
        both = await checked.review(sent.id, boris, Verdict.CORRECT, SAID.capitalize() + "!")
        assert (both.rank, both.is_agreed, both.paid_hundredths) == (Rank.AGREED, True, 500)
    row = await checked.transcription(sent.id)
    assert (row.reference, row.rank) == (SAID, Rank.AGREED)
    for person in (anna, boris):
        (entry,) = await checked.transactions(person)
        assert (entry.reason, entry.amount_hundredths, entry.transcription_id) == (Reason.REVIEW, 500, sent.id)
    assert (await checked.review(sent.id, anna, Verdict.CORRECT, SAID)).paid_hundredths == 500
    assert await checked.next_review(await _reviewer(checked)) is None
    assert (await checked.check_ledger()).is_balanced


async def test_an_author_and_a_reviewer_who_agree(checked: DbAssistClient) -> None:
    """Whoever was first; even if the author's words were doubtful. The author is paid for a correction as ever."""
    reviewer, speaker = await _reviewer(checked), await _speaker(checked)
    before = await send(checked, speaker)
    await checked.correct(before.id, speaker, SAID)
    assert (await _taken(checked, reviewer)).text == HEARD
    result = await checked.review(before.id, reviewer, Verdict.CORRECT, SAID)
    assert (result.rank, result.paid_hundredths) == (Rank.AGREED, 500)
    doubtful = await send(checked, speaker)
    await checked.correct(doubtful.id, speaker, SAID, sound=Sound.DENIES)
    await _taken(checked, reviewer)
    assert (await checked.review(doubtful.id, reviewer, Verdict.CORRECT, SAID)).rank is Rank.AGREED
    assert (await checked.transcription(doubtful.id)).reference == SAID
    after = await send(checked, speaker)
    await _taken(checked, reviewer)
    assert (await checked.review(after.id, reviewer, Verdict.CORRECT, SAID)).rank is Rank.REVIEWER
    corrected = await checked.correct(after.id, speaker, SAID, sound=Sound.DENIES)
    assert (corrected.rank, corrected.paid_hundredths, corrected.is_first) == (Rank.AGREED, 100, True)
    assert sum(one.amount_hundredths for one in await checked.transactions(reviewer)) == 3 * 500


async def test_two_people_who_contradict_each_other(unchecked: DbAssistClient) -> None:
    """What stands stays, nobody is paid, and a third one decides; after three nobody is asked any more."""
    speaker, reviewers = await _speaker(unchecked), [await _reviewer(unchecked) for _ in range(4)]
    sent = await send(unchecked, speaker)
    await _taken(unchecked, reviewers[0])
    await unchecked.review(sent.id, reviewers[0], Verdict.ACCEPT)
    assert await unchecked.next_review(reviewers[1]) is None
    await unchecked.correct(sent.id, speaker, SAID)
    await _taken(unchecked, reviewers[1])
    result = await unchecked.review(sent.id, reviewers[1], Verdict.NOT_SPEECH)
    assert (result.rank, result.is_agreed) == (Rank.AUTHOR, False)
    (change,) = [one for one in (await unchecked.changed_since()).items if one.transcription_id == sent.id]
    assert change.verdict is None
    await _taken(unchecked, reviewers[2])
    third = await unchecked.review(sent.id, reviewers[2], Verdict.ACCEPT)
    assert (third.rank, third.is_agreed, third.paid_hundredths) == (Rank.AGREED, True, 500)
    assert (await unchecked.transcription(sent.id)).reference == HEARD
    paid = [len(await unchecked.transactions(one)) for one in reviewers]
    assert paid == [1, 0, 1, 0]
    assert await unchecked.next_review(reviewers[3]) is None


async def test_a_reviewer_alone_does_not_displace_a_reference(checked: DbAssistClient) -> None:
    """Neither an author's nor another reviewer's; nobody is paid."""
    speaker, anna, boris = await _speaker(checked), await _reviewer(checked), await _reviewer(checked)
    mine, theirs = await send(checked, speaker), await send(checked, speaker)
    await checked.correct(mine.id, speaker, SAID)
    for reviewer, words in ((anna, SAID + " раз"), (boris, SAID + " два")):
        for _ in range(2):
            item = await _taken(checked, reviewer)
            await checked.review(item.transcription_id, reviewer, Verdict.CORRECT, words)
    rows = [await checked.transcription(one.id) for one in (mine, theirs)]
    assert [(row.reference, row.rank) for row in rows] == [(SAID, Rank.AUTHOR), (SAID + " раз", Rank.REVIEWER)]
    assert [await checked.transactions(one) for one in (anna, boris)] == [(), ()]


async def test_the_same_sound_is_reviewed_and_paid_once(checked: DbAssistClient) -> None:
    """Another message with the same samples waits for nobody; nor is the same file paid twice, however it comes."""
    speaker, anna = await _speaker(checked), await _reviewer(checked)
    first = await send(checked, speaker, samples="same")
    await _taken(checked, anna)
    await checked.correct(first.id, speaker, SAID)
    assert (await checked.review(first.id, anna, Verdict.CORRECT, SAID)).paid_hundredths == 500
    await send(checked, speaker, samples="same")
    assert await checked.next_review(anna) is None
    file = await send(checked, speaker, file=first.file_unique_id)
    await _taken(checked, anna)
    await checked.correct(file.id, speaker, SAID)
    again = await checked.review(file.id, anna, Verdict.CORRECT, SAID)
    assert (again.is_agreed, again.paid_hundredths, again.refusal_reason) == (True, 0, Refusal.SAME_AUDIO)


async def test_words_must_be_possible(db_assist: DbAssistClient) -> None:
    """Some, and not more than anybody says in the time; a verdict has words or none."""
    speaker, reviewer = await _speaker(db_assist), await _reviewer(db_assist)
    sent = await send(db_assist, speaker)
    await _taken(db_assist, reviewer)
    for words in ("!!! ???", "абвгд " * 100):
        with pytest.raises(ImplausibleCorrectionError):
            await db_assist.review(sent.id, reviewer, Verdict.CORRECT, words)
    for verdict, given in ((Verdict.CORRECT, None), (Verdict.ACCEPT, SAID), (Verdict.SKIP, SAID)):
        with pytest.raises(InvalidParameterError):
            await db_assist.review(sent.id, reviewer, verdict, given)
    assert (await _taken(db_assist, reviewer)).transcription_id == sent.id


async def test_who_leaves_meanwhile(checked: DbAssistClient) -> None:
    """A withdrawn consent or a deleted message ends a review; a reviewer who is forgotten is not paid."""
    speaker, other = await _speaker(checked), await _speaker(checked)
    anna, boris = await _reviewer(checked), await _reviewer(checked)
    sent = await send(checked, speaker)
    await _taken(checked, anna)
    await checked.set_consent(speaker, Purpose.TRAINING, granted=False, text_version=REVIEWERS_LISTEN_SINCE)
    with pytest.raises(ConflictError):
        await checked.review(sent.id, anna, Verdict.ACCEPT)
    assert await checked.next_review(anna) is None
    await checked.set_consent(speaker, Purpose.TRAINING, granted=True, text_version=REVIEWERS_LISTEN_SINCE)
    await _taken(checked, anna)
    await checked.forget(speaker)
    with pytest.raises(NotFoundError):
        await checked.review(sent.id, anna, Verdict.ACCEPT)
    kept: Transcription = await send(checked, other)
    await _taken(checked, anna)
    await checked.review(kept.id, anna, Verdict.ACCEPT)
    await checked.forget(anna)
    await _taken(checked, boris)
    assert (await checked.review(kept.id, boris, Verdict.ACCEPT)).rank is Rank.AGREED
    assert (await checked.statistics()).paid_hundredths == 500
    assert (await checked.check_ledger()).is_balanced
