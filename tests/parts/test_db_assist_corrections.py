"""db_assist: corrections, their ranks, history and payment; with SQLite and PostgreSQL."""

import pytest

from glas.clients.db_assist import DbAssistClient
from glas.domain.corrections import Rank, Sound
from glas.domain.errors import ConflictError, ForbiddenError, ImplausibleCorrectionError, NotFoundError
from glas.domain.ledger import Reason, Refusal
from glas.domain.messages import MessageKind
from glas.domain.people import Purpose, Role
from tests.parts.voices import BOT, HEARD, send, someone

CORRECTED = "Привет, это проверка голосового сообщенья!"
JOKE = "кто последний, тот моет посуду целую неделю"


async def _person(client: DbAssistClient, role: Role = Role.USER) -> int:
    tg_id = someone()
    await client.register(tg_id)
    await client.set_role(tg_id, role)
    return tg_id


async def test_a_correction_is_kept_and_paid_once(db_assist: DbAssistClient) -> None:
    """A later correction replaces the words; the first one determines the payment."""
    tg_id = await _person(db_assist)
    sent = await send(db_assist, tg_id)
    first = await db_assist.correct(sent.id, tg_id, f"  {CORRECTED} ")
    assert (first.paid_hundredths, first.is_first, first.transcription.reference) == (100, True, CORRECTED)
    assert (first.rank, first.is_applied, first.before) == (Rank.AUTHOR, True, HEARD)
    assert first.transcription.text == HEARD
    again = await db_assist.correct(sent.id, tg_id, CORRECTED)
    assert again.change_id == first.change_id
    other = await db_assist.correct(sent.id, tg_id, HEARD + " ещё раз")
    for result in (again, other):
        assert (result.paid_hundredths, result.balance_hundredths, result.is_first) == (100, 100, False)
    assert other.before == CORRECTED
    assert (await db_assist.transcription(sent.id)).reference == HEARD + " ещё раз"
    assert [entry.reason for entry in await db_assist.transactions(tg_id)] == [Reason.CORRECTION]
    assert [one.reference for one in await db_assist.correction_history(sent.id)] == [CORRECTED, HEARD + " ещё раз"]


async def test_a_correction_that_changes_nothing_is_not_paid(db_assist: DbAssistClient) -> None:
    """Equal words with another comma are a reference but are not paid."""
    tg_id = await _person(db_assist)
    sent = await send(db_assist, tg_id)
    result = await db_assist.correct(sent.id, tg_id, "Привет! Это проверка голосового сообщения.")
    assert (result.refusal_reason, result.paid_hundredths) == (Refusal.UNCHANGED, 0)
    later = await db_assist.correct(sent.id, tg_id, CORRECTED)
    assert (later.refusal_reason, later.paid_hundredths) == (Refusal.UNCHANGED, 0)


@pytest.mark.parametrize(
    ("heard", "reference", "duration_s"),
    [
        (HEARD, "абвгд " * 100, 10),
        (HEARD, JOKE, 10),
        (HEARD, "да", 10),
        ("привет", HEARD, 0.5),
        ("она", "да", 2),
        ("", "привет", 2),
    ],
    ids=["too long for the time", "another text", "one word of many", "too fast", "short ones", "nothing heard"],
)
async def test_doubtful_words_are_kept_and_are_no_reference(
    db_assist: DbAssistClient, heard: str, reference: str, duration_s: float
) -> None:
    """Doubtful words never become a reference, even if the author insists."""
    tg_id = await _person(db_assist)
    sent = await send(db_assist, tg_id, duration_s=duration_s, text=heard)
    result = await db_assist.correct(sent.id, tg_id, reference)
    assert (result.rank, result.is_applied, result.paid_hundredths) == (Rank.DOUBTFUL, False, 0)
    assert result.refusal_reason is Refusal.DOUBTFUL
    assert result.transcription.shown_text == heard
    assert (await db_assist.correct(sent.id, tg_id, reference)).change_id == result.change_id
    insisted = await db_assist.correct(sent.id, tg_id, reference, is_confirmed=True)
    row = await db_assist.transcription(sent.id)
    assert insisted.is_applied
    assert (row.reference, row.shown_text, row.rank) == (None, reference.strip(), Rank.DOUBTFUL)
    assert await db_assist.transactions(tg_id) == ()
    history = await db_assist.correction_history(sent.id)
    assert [(one.rank, one.is_applied) for one in history] == [
        (Rank.DOUBTFUL, False),
        (Rank.DOUBTFUL, True),
    ]


async def test_a_doubtful_correction_does_not_displace_a_good_one(db_assist: DbAssistClient) -> None:
    """The exception is that the author insists. The first correction that is not doubtful determines the payment."""
    tg_id = await _person(db_assist)
    sent = await send(db_assist, tg_id)
    assert (await db_assist.correct(sent.id, tg_id, JOKE, is_confirmed=True)).paid_hundredths == 0
    assert (await db_assist.correct(sent.id, tg_id, CORRECTED)).paid_hundredths == 100
    assert not (await db_assist.correct(sent.id, tg_id, JOKE)).is_applied
    assert (await db_assist.transcription(sent.id)).reference == CORRECTED
    assert (await db_assist.statistics()).n_corrections == 1


async def test_the_sound_goes_before_the_letters(db_assist: DbAssistClient) -> None:
    """Similar words that the sound denies are doubtful; different words that the sound supports are not."""
    tg_id = await _person(db_assist)
    near, far = await send(db_assist, tg_id), await send(db_assist, tg_id)
    assert (await db_assist.correct(near.id, tg_id, CORRECTED, sound=Sound.DENIES)).rank is Rank.DOUBTFUL
    assert (await db_assist.correct(far.id, tg_id, JOKE, sound=Sound.SUPPORTS)).rank is Rank.AUTHOR
    assert [one.sound for one in await db_assist.correction_history(far.id)] == [Sound.SUPPORTS]


async def test_without_words_there_is_no_correction(db_assist: DbAssistClient) -> None:
    """A correction without words is refused."""
    tg_id = await _person(db_assist)
    sent = await send(db_assist, tg_id)
    with pytest.raises(ImplausibleCorrectionError):
        await db_assist.correct(sent.id, tg_id, "!!! ???")
    assert await db_assist.correction_history(sent.id) == ()


async def test_a_correction_is_taken_back(db_assist: DbAssistClient) -> None:
    """Each step back restores earlier words; the payment stays and is not made again; exports see each step."""
    tg_id = await _person(db_assist)
    await db_assist.set_consent(tg_id, Purpose.TRAINING, granted=True, text_version="1")
    sent = await send(db_assist, tg_id)
    first = await db_assist.correct(sent.id, tg_id, CORRECTED)
    second = await db_assist.correct(sent.id, tg_id, HEARD + " ещё раз")
    with pytest.raises(ConflictError):
        await db_assist.take_back(sent.id, tg_id, first.change_id)
    with pytest.raises(ForbiddenError):
        await db_assist.take_back(sent.id, await _person(db_assist), second.change_id)
    with pytest.raises(NotFoundError):
        await db_assist.take_back(sent.id, tg_id, 10**9)
    cursor = (await db_assist.changed_since()).next_cursor
    for _ in range(2):
        back = await db_assist.take_back(sent.id, tg_id, second.change_id)
        assert (back.transcription.reference, back.before) == (CORRECTED, HEARD + " ещё раз")
    (change,) = (await db_assist.changed_since(cursor)).items
    assert change.transcription is not None
    assert change.transcription.reference == CORRECTED
    empty = await db_assist.take_back(sent.id, tg_id, back.change_id)
    assert empty.transcription.reference == HEARD + " ещё раз"
    third = await send(db_assist, tg_id)
    only = await db_assist.correct(third.id, tg_id, CORRECTED)
    gone = await db_assist.take_back(third.id, tg_id, only.change_id)
    assert (gone.transcription.reference, gone.transcription.shown_text, gone.rank) == (None, HEARD, None)
    assert (await db_assist.transcription(third.id)).rank is None
    again = await db_assist.correct(third.id, tg_id, HEARD + " ещё")
    assert (again.paid_hundredths, again.is_first) == (100, False)
    assert len(await db_assist.transactions(tg_id)) == 2
    assert (await db_assist.check_ledger()).is_balanced


async def test_messages_that_show_a_text_are_remembered(db_assist: DbAssistClient) -> None:
    """Each message of the bot is stored once; a text is found by it or by its recording; `/forget` deletes them."""
    tg_id = await _person(db_assist)
    sent = await send(db_assist, tg_id)
    for _ in range(2):
        await db_assist.attach(sent.id, MessageKind.DOCUMENT, tg_id, 777_001)
    await db_assist.attach(sent.id, MessageKind.SUBTITLES, tg_id, 777_002)
    assert [one.kind for one in await db_assist.attached(sent.id)] == [MessageKind.DOCUMENT, MessageKind.SUBTITLES]
    assert (await db_assist.by_message(BOT, tg_id, 777_002)).id == sent.id
    assert (await db_assist.by_recording(BOT, tg_id, sent.message_id)).id == sent.id
    await db_assist.detach(sent.id, tg_id, 777_001)
    assert len(await db_assist.attached(sent.id)) == 1
    await db_assist.correct(sent.id, tg_id, CORRECTED)
    assert [one.reference for one in (await db_assist.export_user(tg_id)).corrections] == [CORRECTED]
    await db_assist.forget(tg_id)
    assert await db_assist.attached(sent.id) == ()
    assert await db_assist.correction_history(sent.id) == ()
    with pytest.raises(NotFoundError):
        await db_assist.attach(sent.id, MessageKind.PART, tg_id, 1)
