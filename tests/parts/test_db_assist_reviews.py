"""db_assist: the effects of reviews, and who is paid for them; on both databases."""

import pytest

from glas.clients.db_assist import DbAssistClient
from glas.domain.corrections import Rank, Sound
from glas.domain.errors import (
    ConflictError,
    ImplausibleCorrectionError,
    InvalidParameterError,
    NotFoundError,
)
from glas.domain.ledger import Reason, Refusal
from glas.domain.people import Purpose
from glas.domain.reviews import REVIEWERS_LISTEN_SINCE, Verdict
from tests.parts.reviewers import a_reviewer, a_speaker, taken
from tests.parts.reviewers import checked as checked  # noqa: PLC0414 - fixtures, found here by their names
from tests.parts.reviewers import unchecked as unchecked  # noqa: PLC0414
from tests.parts.voices import HEARD, send

SAID = "привет это проверка голосовых сообщений"


async def test_what_a_reviewer_says_becomes_the_reference(unchecked: DbAssistClient) -> None:
    """Accepted or corrected words become the reference; skipped and unclear messages get none; exports see it."""
    speaker, reviewer = await a_speaker(unchecked), await a_reviewer(unchecked)
    sent = [(await send(unchecked, speaker)).id for _ in Verdict]
    cursor = (await unchecked.changed_since()).next_cursor
    verdicts = {}
    for verdict in Verdict:
        item = await taken(unchecked, reviewer)
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
        Verdict.OTHER_VOICE: None,
    }
    changes = {one.transcription_id: one.verdict for one in (await unchecked.changed_since(cursor)).items}
    assert changes == {
        verdicts[Verdict.ACCEPT]: None,
        verdicts[Verdict.CORRECT]: None,
        verdicts[Verdict.BAD_AUDIO]: Verdict.BAD_AUDIO,
        verdicts[Verdict.NOT_SPEECH]: Verdict.NOT_SPEECH,
        verdicts[Verdict.OTHER_VOICE]: Verdict.OTHER_VOICE,
    }
    assert set(verdicts.values()) == set(sent)
    made = (await unchecked.export_user(reviewer)).reviews
    assert [(one.transcription_id, one.verdict) for one in made] == [(verdicts[one], one) for one in Verdict]


async def test_two_reviewers_who_agree(checked: DbAssistClient) -> None:
    """The second reviewer sees what the first one saw; both are paid once; the reference is agreed."""
    speaker, anna, boris = await a_speaker(checked), await a_reviewer(checked), await a_reviewer(checked)
    sent = await send(checked, speaker)
    await taken(checked, anna)
    alone = await checked.review(sent.id, anna, Verdict.CORRECT, SAID)
    assert (alone.rank, alone.is_agreed, alone.paid_hundredths) == (Rank.REVIEWER, False, 0)
    assert await checked.next_review(anna) is None
    assert (await taken(checked, boris)).text == HEARD
    for _ in range(2):
        both = await checked.review(sent.id, boris, Verdict.CORRECT, SAID.capitalize() + "!")
        assert (both.rank, both.is_agreed, both.paid_hundredths) == (Rank.AGREED, True, 500)
    row = await checked.transcription(sent.id)
    assert (row.reference, row.rank) == (SAID, Rank.AGREED)
    for person in (anna, boris):
        (entry,) = await checked.transactions(person)
        assert (entry.reason, entry.amount_hundredths, entry.transcription_id) == (Reason.REVIEW, 500, sent.id)
    assert (await checked.review(sent.id, anna, Verdict.CORRECT, SAID)).paid_hundredths == 500
    assert await checked.next_review(await a_reviewer(checked)) is None
    assert (await checked.check_ledger()).is_balanced


async def test_an_author_and_a_reviewer_who_agree(checked: DbAssistClient) -> None:
    """This also applies if the author's words were doubtful. The author is paid for the correction as usual."""
    reviewer, speaker = await a_reviewer(checked), await a_speaker(checked)
    before = await send(checked, speaker)
    await checked.correct(before.id, speaker, SAID)
    assert (await taken(checked, reviewer)).text == HEARD
    result = await checked.review(before.id, reviewer, Verdict.CORRECT, SAID)
    assert (result.rank, result.paid_hundredths) == (Rank.AGREED, 500)
    doubtful = await send(checked, speaker)
    await checked.correct(doubtful.id, speaker, SAID, sound=Sound.DENIES)
    await taken(checked, reviewer)
    assert (await checked.review(doubtful.id, reviewer, Verdict.CORRECT, SAID)).rank is Rank.AGREED
    assert (await checked.transcription(doubtful.id)).reference == SAID
    after = await send(checked, speaker)
    await taken(checked, reviewer)
    assert (await checked.review(after.id, reviewer, Verdict.CORRECT, SAID)).rank is Rank.REVIEWER
    corrected = await checked.correct(after.id, speaker, SAID, sound=Sound.DENIES)
    assert (corrected.rank, corrected.paid_hundredths, corrected.is_first) == (Rank.AGREED, 100, True)
    assert sum(one.amount_hundredths for one in await checked.transactions(reviewer)) == 3 * 500


async def test_two_people_who_contradict_each_other(unchecked: DbAssistClient) -> None:
    """The text stays, nobody is paid, and a third person decides; after three reviews nobody is asked any more."""
    speaker, reviewers = await a_speaker(unchecked), [await a_reviewer(unchecked) for _ in range(4)]
    sent = await send(unchecked, speaker)
    await taken(unchecked, reviewers[0])
    await unchecked.review(sent.id, reviewers[0], Verdict.ACCEPT)
    assert await unchecked.next_review(reviewers[1]) is None
    await unchecked.correct(sent.id, speaker, SAID)
    await taken(unchecked, reviewers[1])
    result = await unchecked.review(sent.id, reviewers[1], Verdict.NOT_SPEECH)
    assert (result.rank, result.is_agreed) == (Rank.AUTHOR, False)
    (change,) = [one for one in (await unchecked.changed_since()).items if one.transcription_id == sent.id]
    assert change.verdict is None
    await taken(unchecked, reviewers[2])
    third = await unchecked.review(sent.id, reviewers[2], Verdict.ACCEPT)
    assert (third.rank, third.is_agreed, third.paid_hundredths) == (Rank.AGREED, True, 500)
    assert (await unchecked.transcription(sent.id)).reference == HEARD
    paid = [len(await unchecked.transactions(one)) for one in reviewers]
    assert paid == [1, 0, 1, 0]
    assert await unchecked.next_review(reviewers[3]) is None


async def test_a_reviewer_alone_does_not_displace_a_reference(checked: DbAssistClient) -> None:
    """A reference by an author or by another reviewer stays; nobody is paid."""
    speaker, anna, boris = await a_speaker(checked), await a_reviewer(checked), await a_reviewer(checked)
    mine, theirs = await send(checked, speaker), await send(checked, speaker)
    await checked.correct(mine.id, speaker, SAID)
    for reviewer, words in ((anna, SAID + " раз"), (boris, SAID + " два")):
        for _ in range(2):
            item = await taken(checked, reviewer)
            await checked.review(item.transcription_id, reviewer, Verdict.CORRECT, words)
    rows = [await checked.transcription(one.id) for one in (mine, theirs)]
    assert [(row.reference, row.rank) for row in rows] == [(SAID, Rank.AUTHOR), (SAID + " раз", Rank.REVIEWER)]
    assert [await checked.transactions(one) for one in (anna, boris)] == [(), ()]


async def test_the_same_sound_is_reviewed_and_paid_once(checked: DbAssistClient) -> None:
    """Another message with the same samples is not offered, and the same file is not paid twice."""
    speaker, anna = await a_speaker(checked), await a_reviewer(checked)
    first = await send(checked, speaker, samples="same")
    await taken(checked, anna)
    await checked.correct(first.id, speaker, SAID)
    assert (await checked.review(first.id, anna, Verdict.CORRECT, SAID)).paid_hundredths == 500
    await send(checked, speaker, samples="same")
    assert await checked.next_review(anna) is None
    file = await send(checked, speaker, file=first.file_unique_id)
    await taken(checked, anna)
    await checked.correct(file.id, speaker, SAID)
    again = await checked.review(file.id, anna, Verdict.CORRECT, SAID)
    assert (again.is_agreed, again.paid_hundredths, again.refusal_reason) == (True, 0, Refusal.SAME_AUDIO)


async def test_words_must_be_possible(db_assist: DbAssistClient) -> None:
    """There must be words, and not more than can be said in the time; only some verdicts have words."""
    speaker, reviewer = await a_speaker(db_assist), await a_reviewer(db_assist)
    sent = await send(db_assist, speaker)
    await taken(db_assist, reviewer)
    for words in ("!!! ???", "абвгд " * 100):
        with pytest.raises(ImplausibleCorrectionError):
            await db_assist.review(sent.id, reviewer, Verdict.CORRECT, words)
    for verdict, given in ((Verdict.CORRECT, None), (Verdict.ACCEPT, SAID), (Verdict.SKIP, SAID)):
        with pytest.raises(InvalidParameterError):
            await db_assist.review(sent.id, reviewer, verdict, given)
    assert (await taken(db_assist, reviewer)).transcription_id == sent.id


async def test_who_leaves_meanwhile(checked: DbAssistClient) -> None:
    """A withdrawn consent or a deleted message ends a review; a reviewer whose data was deleted is not paid."""
    speaker, other = await a_speaker(checked), await a_speaker(checked)
    anna, boris = await a_reviewer(checked), await a_reviewer(checked)
    sent = await send(checked, speaker)
    await taken(checked, anna)
    await checked.set_consent(speaker, Purpose.TRAINING, granted=False, text_version=REVIEWERS_LISTEN_SINCE)
    with pytest.raises(ConflictError):
        await checked.review(sent.id, anna, Verdict.ACCEPT)
    assert await checked.next_review(anna) is None
    await checked.set_consent(speaker, Purpose.TRAINING, granted=True, text_version=REVIEWERS_LISTEN_SINCE)
    await taken(checked, anna)
    await checked.forget(speaker)
    with pytest.raises(NotFoundError):
        await checked.review(sent.id, anna, Verdict.ACCEPT)
    kept = await send(checked, other)
    await taken(checked, anna)
    await checked.review(kept.id, anna, Verdict.ACCEPT)
    await checked.forget(anna)
    await taken(checked, boris)
    assert (await checked.review(kept.id, boris, Verdict.ACCEPT)).rank is Rank.AGREED
    assert (await checked.statistics()).paid_hundredths == 500
    assert (await checked.check_ledger()).is_balanced
