"""The figures of the dashboard are the results of their statements, on both databases, and are right."""

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from glas.clients.db_assist import DbAssistClient
from glas.db.session import database_url, open_database
from glas.db_assist.dashboard import _cells
from glas.domain.messages import Score
from glas.domain.people import Purpose
from glas.domain.transcription import Hypothesis
from glas.settings import Settings
from tests.parts.voices import message, send, someone

RIGHT = "привет это проверка голосовых сообщений"
"""One word in five differs from what is heard."""


async def _filled(client: DbAssistClient) -> None:
    anna, boris = someone(), someone()
    for person in (anna, boris):
        await client.register(person)
    await client.set_consent(anna, Purpose.TRAINING, granted=True, text_version="1")
    sent = [await send(client, anna, duration_s=60) for _ in range(3)]
    for one, score in zip(sent, (Score.BAD, Score.BEST, Score.BEST), strict=True):
        await client.rate(one.id, anna, score)
    await client.correct(sent[0].id, anna, RIGHT)
    await client.correct(sent[1].id, anna, sent[1].text or "")
    other = await send(client, boris, duration_s=30)
    await client.correct(other.id, boris, RIGHT)
    # Another model heard the same as the model in one recording, and what was said in the other.
    for number, words in ((sent[2].id, sent[2].text or ""), (other.id, RIGHT)):
        second = Hypothesis(text=words, duration_s=1, model="onnx:other", model_version="1" * 12)
        await client.store_second_hypothesis(number, second)
    failed = await client.create_transcription(message(boris))
    await client.fail(failed.id, "audio_corrupt")
    await client.create_transcription(message(boris))


async def test_figures_are_right(db_assist: DbAssistClient) -> None:
    await _filled(db_assist)
    found = (await db_assist.dashboard()).figures
    today = datetime.now(UTC).date()
    monday = (today - timedelta(days=today.weekday())).isoformat()
    version = ("onnx:test", "0123456789ab")
    expected = {
        "days": ((today.isoformat(), 6, 3.5, 2),),
        "scores": ((monday, *version, 1, 0, 2),),
        "errors_of_versions": ((monday, *version, 3, 15, 4),),
        "coins": (("correction", 2, found["coins"].rows[0][2]), ("rating", 3, 3 * 480)),
        "ledger": ((2, 3 * 480 + int(found["coins"].rows[0][2] or 0), 0),),
        "training": (("author", 2, 2.0),),
    }
    for name, rows in expected.items():
        assert found[name].rows == rows, name
    (failed,) = found["errors"].rows
    example = await db_assist.transcription(int(failed[3] or 0))
    assert (*failed[:2], example.failure_code) == ("audio_corrupt", 1, "audio_corrupt")
    assert (await db_assist.user(int(failed[4] or 0))).id == example.user_id
    assert found["second_texts"].rows == (("onnx:other", "1" * 12, *version, 2, 1, 1, 5, 0, 2),)
    assert found["waiting"].rows[0][0] == 1
    ((messages, words, confidence, right),) = found["reliability"].rows
    assert (messages, words, confidence, right) == (3, 15, 0.9, 1 - 4 / 15)


async def test_figures_are_what_their_statements_give(db_assist: DbAssistClient, database_settings: Settings) -> None:
    """A person who runs a shown statement gets the same figure."""
    await _filled(db_assist)
    found = await db_assist.dashboard()
    database = open_database(database_url(database_settings))
    async with database.reading() as session:
        for name, figure in found.figures.items():
            rows = tuple(_cells(row) for row in await session.execute(text(figure.sql)))
            if name == "second_texts":
                assert len(rows) == sum(int(row[4] or 0) for row in figure.rows) == 2
            elif name not in ("errors_of_versions", "reliability"):
                assert figure.rows == rows, name
            else:
                assert {row[4] for row in rows} == {RIGHT, "привет это проверка голосового сообщения"}
    await database.close()
    assert len(found.figures) == 10
    assert found.database == database.name


async def test_a_wrong_balance_is_found(db_assist: DbAssistClient, database_settings: Settings) -> None:
    await _filled(db_assist)
    database = open_database(database_url(database_settings))
    async with database.writing() as session:
        await session.execute(text("UPDATE users SET cash_hundredths = cash_hundredths + 1"))
    await database.close()
    assert (await db_assist.dashboard()).figures["ledger"].rows[0][2] == 2


async def test_an_empty_database_has_figures_too(db_assist: DbAssistClient) -> None:
    found = (await db_assist.dashboard()).figures
    assert found["ledger"].rows == ((0, 0, 0),)
    assert found["days"].rows == found["reliability"].rows == ()


async def test_figures_are_counted_once_for_many(db_assist: DbAssistClient) -> None:
    """Simultaneous callers wait for one count; a caller who accepts older figures gets them with their time."""
    await _filled(db_assist)
    found = await asyncio.gather(*(db_assist.dashboard() for _ in range(6)))
    assert len({one.counted_datetime for one in found}) <= 2
    last = max(found, key=lambda one: one.counted_datetime)
    await db_assist.create_transcription(message((await db_assist.people()).items[0].user.tg_id))
    assert await db_assist.dashboard(most_age_s=60) == last
    anew = await db_assist.dashboard()
    assert anew.counted_datetime > last.counted_datetime
    assert anew.figures["waiting"].rows[0][0] == 2
