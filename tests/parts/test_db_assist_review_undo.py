"""A reviewer holds two messages, undoes a review, sees figures; another voice is offered to nobody else."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from glas.clients.db_assist import DbAssistClient
from glas.db.session import database_url, open_database
from glas.db.tables import ReviewRow
from glas.domain.corrections import Rank
from glas.domain.errors import ConflictError, ForbiddenError, InvalidParameterError
from glas.domain.reviews import Verdict
from glas.settings import Settings
from tests.parts.reviewers import a_reviewer, a_speaker, taken
from tests.parts.reviewers import checked as checked  # noqa: PLC0414 - a fixture
from tests.parts.reviewers import unchecked as unchecked  # noqa: PLC0414 - a fixture
from tests.parts.voices import HEARD, send

SAID = "привет это проверка голосовых сообщений"


async def test_two_are_held_and_no_more(unchecked: DbAssistClient) -> None:
    """A repeated request returns the held messages; other reviewers get other messages."""
    anna, boris, speaker = await a_reviewer(unchecked), await a_reviewer(unchecked), await a_speaker(unchecked)
    sent = {(await send(unchecked, speaker)).id for _ in range(4)}
    first = await taken(unchecked, anna)
    second, again = await asyncio.gather(
        *(unchecked.next_review(anna, besides=first.transcription_id) for _ in range(2))
    )
    assert second is not None
    assert again is not None
    assert again.transcription_id == second.transcription_id != first.transcription_id
    third = await unchecked.next_review(anna, besides=next(iter(sent - {first.transcription_id})))
    assert third is not None
    hers = {first.transcription_id, second.transcription_id}
    assert third.transcription_id in hers
    his = await taken(unchecked, boris)
    assert his.transcription_id not in hers
    for number in hers:
        with pytest.raises(ConflictError):
            await unchecked.review(number, boris, Verdict.ACCEPT)
    await unchecked.review(first.transcription_id, anna, Verdict.ACCEPT)
    assert (await taken(unchecked, anna)).transcription_id == second.transcription_id
    last = await unchecked.next_review(anna, besides=second.transcription_id)
    assert last is not None
    assert last.transcription_id in sent - hers - {his.transcription_id}


@pytest.mark.parametrize("verdict", list(Verdict))
async def test_a_slip_is_taken_back(unchecked: DbAssistClient, verdict: Verdict) -> None:
    """The words before the review are valid again, and the message is held again."""
    anna, speaker = await a_reviewer(unchecked), await a_speaker(unchecked)
    sent = await send(unchecked, speaker)
    await taken(unchecked, anna)
    await unchecked.review(sent.id, anna, verdict, SAID if verdict is Verdict.CORRECT else None)
    cursor = (await unchecked.changed_since()).next_cursor
    for _ in range(2):
        item = await unchecked.take_back_review(sent.id, anna)
        assert (item.transcription_id, item.text) == (sent.id, HEARD)
    row = await unchecked.transcription(sent.id)
    assert (row.reference, row.rank) == (None, None)
    changes = (await unchecked.changed_since(cursor)).items
    assert [one.verdict for one in changes] == ([] if verdict is Verdict.SKIP else [None])
    assert (await unchecked.export_user(anna)).reviews == ()
    assert (await taken(unchecked, anna)).transcription_id == sent.id
    assert (await unchecked.review(sent.id, anna, Verdict.CORRECT, SAID)).rank is Rank.REVIEWER
    # The author's own correction is paid as the first one, as if nothing had been.
    assert (await unchecked.correct(sent.id, speaker, "привет это проба голосового сообщения")).paid_hundredths == 100


async def test_only_the_last_answer_is_taken_back(unchecked: DbAssistClient, database_settings: Settings) -> None:
    """Only its reviewer can do this, within some minutes."""
    anna, boris, speaker = await a_reviewer(unchecked), await a_reviewer(unchecked), await a_speaker(unchecked)
    first, second = await send(unchecked, speaker), await send(unchecked, speaker)
    for _ in range(2):
        await unchecked.review((await taken(unchecked, anna)).transcription_id, anna, Verdict.SKIP)
    for number, person in ((first.id, anna), (second.id, boris)):
        with pytest.raises(ConflictError):
            await unchecked.take_back_review(number, person)
    with pytest.raises(ForbiddenError):
        await unchecked.take_back_review(second.id, speaker)
    database = open_database(database_url(database_settings))
    async with database.writing() as session:
        await session.execute(update(ReviewRow).values(creation_datetime=datetime.now(UTC) - timedelta(minutes=6)))
    await database.close()
    with pytest.raises(ConflictError):
        await unchecked.take_back_review(second.id, anna)


async def test_nobody_tries_until_others_agree(checked: DbAssistClient) -> None:
    """A review is not taken back if a reviewer or the author has judged the message since."""
    anna, boris, speaker = await a_reviewer(checked), await a_reviewer(checked), await a_speaker(checked)
    sent = await send(checked, speaker)
    await taken(checked, anna)
    await checked.review(sent.id, anna, Verdict.CORRECT, SAID)
    await taken(checked, boris)
    await checked.review(sent.id, boris, Verdict.NOT_SPEECH)
    corrected = await send(checked, speaker)
    await checked.correct(corrected.id, speaker, SAID)
    await taken(checked, anna)
    assert (await checked.review(corrected.id, anna, Verdict.CORRECT, SAID)).paid_hundredths == 500
    for number, person in ((sent.id, boris), (corrected.id, anna)):
        with pytest.raises(ConflictError):
            await checked.take_back_review(number, person)


async def test_figures(checked: DbAssistClient) -> None:
    """The number of reviews, also since a given time, and how often other people agreed."""
    anna, boris, speaker = await a_reviewer(checked), await a_reviewer(checked), await a_speaker(checked)
    for answers in ((SAID, SAID), (SAID, "другое"), (SAID, None)):
        sent = await send(checked, speaker)
        for reviewer, words in zip((anna, boris), answers, strict=True):
            if words is not None:
                await taken(checked, reviewer)
                await checked.review(sent.id, reviewer, Verdict.CORRECT, words)
    figures = await checked.review_figures(anna)
    assert (figures.n_since, figures.n_reviews, figures.n_compared, figures.n_agreed) == (3, 3, 2, 1)
    assert (figures.paid_since_hundredths, figures.balance_hundredths) == (500, 500)
    later = await checked.review_figures(anna, datetime.now(UTC) + timedelta(seconds=1))
    assert (later.n_since, later.n_reviews, later.paid_since_hundredths) == (0, 3, 0)
    with pytest.raises(InvalidParameterError):
        await checked.review_figures(anna, datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake


async def test_a_foreign_voice_is_heard_by_nobody_else(checked: DbAssistClient) -> None:
    """Such a message is not exported any more, whatever words people have given."""
    anna, boris, speaker = await a_reviewer(checked), await a_reviewer(checked), await a_speaker(checked)
    sent = await send(checked, speaker)
    await checked.correct(sent.id, speaker, SAID)
    assert [one.is_exportable for one in (await checked.changed_since()).items] == [True]
    await taken(checked, anna)
    await checked.review(sent.id, anna, Verdict.OTHER_VOICE)
    assert await checked.next_review(boris) is None
    (change,) = (await checked.changed_since()).items
    assert (change.verdict, change.is_exportable) == (Verdict.OTHER_VOICE, False)
