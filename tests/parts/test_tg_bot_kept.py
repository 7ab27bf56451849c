"""The recognition is stored beside the text, so no recording is recognised twice."""

import functools
import io
import zipfile

import pytest
import pytest_asyncio

from glas.clients import packing
from glas.domain.decoding import UNSPECIFIED
from glas.domain.kept import KeptRecognition
from glas.domain.object_keys import audio_key, recognition_key, transcription_key
from glas.tg_bot.people import privacy
from tests.parts.bots import House, newcomer
from tests.parts.corrections import HEARD, RIGHT
from tests.parts.kept import OGG, VERSION, documents, pressed, speak
from tests.parts.recogniser import Recogniser
from tests.telegram.world import JsonObject

in_the_module = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def anna(house: House, recogniser: Recogniser) -> int:
    """A person who has pressed /start."""
    speak(recogniser, HEARD)
    return await newcomer(house)


@in_the_module
async def test_subtitles_recognise_nothing_again(house: House, anna: int, recogniser: Recogniser) -> None:
    """Subtitles use the stored words and times; corrected words replace the stored words."""
    answer = await house.answer(house.telegram.speak(anna, OGG))
    row = await house.archived(answer)
    kept = await house.services.data_loader.fetch_recognition(row.id)
    assert kept is not None
    heard = kept.recognition.hypothesis
    assert [word.text for word in heard.words] == [one["word"] for one in recogniser.words]
    assert [word.start_s for word in heard.words] == pytest.approx([one["start"] for one in recogniser.words])
    assert (heard.model, heard.model_version, heard.text) == (row.model, VERSION, row.text)
    assert (kept.schema_version, kept.settings) == (1, UNSPECIFIED)
    n_before = recogniser.n_transcribed
    assert "пятнадцать" in await pressed(house, anna, answer)
    await house.answer(house.telegram.say(anna, RIGHT, reply_to=answer["message_id"]))
    await house.until(lambda: "шестнадцать" in documents(house, anna)[-1].decode())
    assert "пятнадцать" not in await pressed(house, anna, answer)
    assert recogniser.n_transcribed == n_before
    assert await house.services.data_loader.fetch_recognition(row.id) == kept


@in_the_module
async def test_older_messages_are_recognised_once_more(house: House, anna: int, recogniser: Recogniser) -> None:
    """If no recognition is stored, another model gives the times, and the message the words."""
    answer = await house.answer(house.telegram.speak(anna, OGG))
    row = await house.archived(answer)
    await house.services.data_loader.delete_keys([recognition_key(row.id)])
    speak(recogniser, HEARD.replace("пятнадцать", "пятнашка"))
    n_before = recogniser.n_transcribed
    first = await pressed(house, anna, answer)
    assert "пятнадцать" in first
    assert "пятнашка" not in first
    kept = await house.services.data_loader.fetch_recognition(row.id)
    assert kept is not None
    assert kept.recognition.hypothesis.text == recogniser.text
    assert await pressed(house, anna, answer) == first
    assert recogniser.n_transcribed == n_before + 1


@in_the_module
async def test_a_known_file_has_a_copy(house: House, anna: int, recogniser: Recogniser) -> None:
    """The second message of a file is answered with the stored text, and gets a copy of the stored recognition."""
    first = await house.archived(await house.answer(house.telegram.speak(anna, OGG, file_id="kept-known")))
    n_before = recogniser.n_transcribed
    answer = await house.answer(house.telegram.speak(anna, OGG, file_id="kept-known"))
    second = await house.archived(answer)
    assert second.id != first.id
    fetch = house.services.data_loader.fetch_recognition
    assert await fetch(second.id) == await fetch(first.id) is not None
    assert "пятнадцать" in await pressed(house, anna, answer)
    assert recogniser.n_transcribed == n_before


@in_the_module
async def test_a_person_gets_it_and_has_it_deleted(house: House, anna: int) -> None:
    """`/mydata` contains the recognition; /forget deletes all objects of the message."""
    row = await house.archived(await house.answer(house.telegram.speak(anna, OGG)))
    await house.answer(house.telegram.say(anna, "/mydata"), final=False)
    await house.until(lambda: bool(documents(house, anna)))
    with zipfile.ZipFile(io.BytesIO(documents(house, anna)[-1])) as archive:
        expected = {"data.json", audio_key(row.id, "ogg"), transcription_key(row.id), recognition_key(row.id)}
        assert set(archive.namelist()) == expected
        kept = KeptRecognition.model_validate_json(archive.read(recognition_key(row.id)))
    assert kept == await house.services.data_loader.fetch_recognition(row.id)
    question = await house.answer(house.telegram.say(anna, "/forget"))
    await house.press(anna, question, "🗑")
    await house.until(lambda: "Удалено" in house.telegram.world.messages[(anna, question["message_id"])]["text"])
    assert not list((house.settings.data_dir / "s3" / str(row.id)).glob("*"))
    assert await house.services.data_loader.fetch_recognition(row.id) is None


@in_the_module
async def test_a_damaged_object_hinders_nobody(house: House, anna: int, recogniser: Recogniser) -> None:
    """Subtitles and the archive of the same file still work; the damaged object is not changed."""
    answer = await house.answer(house.telegram.speak(anna, OGG, file_id="kept-damaged"))
    row = await house.archived(answer)
    path = house.settings.data_dir / "s3" / recognition_key(row.id)
    later = path.read_bytes().replace(b'"schema_version":1', b'"schema_version":2')
    path.write_bytes(later)
    n_before = recogniser.n_transcribed
    assert "пятнадцать" in await pressed(house, anna, answer)
    assert recogniser.n_transcribed == n_before + 1
    assert path.read_bytes() == later
    again = await house.archived(await house.answer(house.telegram.speak(anna, OGG, file_id="kept-damaged")))
    assert await house.services.data_loader.fetch_recognition(again.id) is None


def with_files(house: House, person: int) -> list[JsonObject]:
    """Return messages of the bot with files, the oldest first."""
    return [one for one in house.telegram.answers(person) if "document" in one]


@in_the_module
async def test_large_data_comes_in_parts(house: House, anna: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Together the parts contain everything, byte for byte; a large recording is divided into files."""
    sizes = (30_000, 40_000, 170_000)
    sent = [OGG.ljust(size, b"\0") for size in sizes]
    rows = [await house.archived(await house.answer(house.telegram.speak(anna, data))) for data in sent]
    monkeypatch.setattr(privacy, "packed", functools.partial(packing.packed, part_bytes=80_000))
    house.telegram.say(anna, "/mydata")
    await house.until(lambda: any("последняя" in one["caption"] for one in with_files(house, anna)))
    files: dict[str, bytes] = {}
    parts = with_files(house, anna)
    for number, part in enumerate(parts, start=1):
        assert f"Часть {number}," in part["caption"]
        document = house.telegram.world.documents[(anna, part["message_id"])]
        with zipfile.ZipFile(io.BytesIO(document)) as archive:
            assert sum(one.file_size for one in archive.infolist()) <= 80_000
            assert not files.keys() & set(archive.namelist())
            files |= {name: archive.read(name) for name in archive.namelist()}
    assert len(parts) > 2
    for row, data in zip(rows, sent, strict=True):
        name = audio_key(row.id, "ogg")
        pieces = sorted(one for one in files if one.startswith(name))
        assert len(pieces) == -(-len(data) // 80_000)
        assert b"".join(files[piece] for piece in pieces) == data
        assert {transcription_key(row.id), recognition_key(row.id), "data.json"} <= files.keys()
