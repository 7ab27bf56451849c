"""After /forget no file below the data directory contains a word or a sound of the person."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio

from glas.clients.model_record_bodies import NewsItem
from glas.domain.model_records import ModelState
from glas.localisation import catalogue
from glas.recognition.gate_report import FIGURES, write_report
from glas.recognition.references import ReferenceSet, Utterance
from glas.settings import BotSettings, Settings
from glas.system.message_files import note_messages
from glas.training.datasets import open_dataset, read_version
from glas.training.datasets.making import Rules, make_version
from tests.parts.bots import House, open_house
from tests.parts.corrections import ask, shows
from tests.parts.judged import entry, judged
from tests.parts.recogniser import Recogniser, open_recogniser
from tests.parts.reviews import OGG, speaker
from tests.telegram.server import TelegramServer

HEARD = "Квазимодулированный птеродактиль переносит заседание на четверг."
RIGHT = "Квазимодулированный птеродактиль Шмякинберг переносит заседание на четверг."
NEWS = "Квазимодулированный птеродактиль Шмякин берг переносит заседание."
MARKS = ("квазимодулированн", "птеродактил", "шмякин", "Квазимодулированн", "Птеродактил", "Шмякин")
PLAIN = "Самая обычная встреча будет в пятницу."
ADMIN = 5_760_000_001
OTHER = (Path(__file__).parents[2] / "samples" / "message-2.ogg").read_bytes()
in_the_module = pytest.mark.asyncio(loop_scope="module")


class Place(NamedTuple):
    """A place where a test found data that should be deleted."""

    path: str
    what: str


def traces(root: Path, sounds: tuple[bytes, ...]) -> Iterator[Place]:
    """Return all files below a directory that contain a word, in UTF-8, UTF-16 or escaped JSON, or a sound."""
    needles = {mark: [mark.encode(), mark.encode("utf-16-le"), ascii(mark)[1:-1].encode()] for mark in MARKS}
    needles |= {f"sound {number}": [sound] for number, sound in enumerate(sounds)}
    for path in sorted(root.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            for what, forms in needles.items():
                if any(form in content for form in forms):
                    yield Place(str(path.relative_to(root)), what)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def recogniser() -> AsyncIterator[Recogniser]:
    """A recogniser of this module."""
    async with open_recogniser() as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, recogniser: Recogniser) -> AsyncIterator[House]:
    """The system; no news are sent, so their words are still stored."""
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path_factory.mktemp("forgetting"),
        admin_user_ids=str(ADMIN),
        bot=BotSettings(announce_s=3600),
    )
    with TelegramServer() as telegram:
        async with open_house(settings, telegram, recogniser.client) as opened:
            yield opened


def learn(settings: Settings, version: str) -> tuple[Path, Path]:
    """Leave the files of a round of learning: a report, and the clips of a round that was killed."""
    dataset = open_dataset(settings.export_dir, read_version(settings.data_dir / "datasets", version))
    utterances = [Utterance(one.audio, one.audio.name, one.text, one.speaker) for one in dataset.train]
    report = settings.data_dir / "rounds" / version / "report"
    write_report(report, judged(utterances), ReferenceSet("test", tuple(utterances)), catalogue("ru"))
    work = settings.models_dir / ".second.work"
    note_messages(work, [one.audio for one in utterances])
    (work / "clips").mkdir()
    for number, one in enumerate(utterances):
        (work / "clips" / f"{number}.txt").write_text(one.text, encoding="utf-8")
        shutil.copyfile(one.audio, work / "clips" / f"{number}.wav")
    return report, work


@in_the_module
async def test_nothing_of_a_person_is_left_in_any_file(house: House, recogniser: Recogniser) -> None:
    """Messages, corrections, words, reviews, exports, versions, reports, clips, news and durable work."""
    services, settings = house.services, house.settings
    await house.start(ADMIN)
    recogniser.text = PLAIN
    boris = await speaker(house)
    await house.archived(await house.answer(house.telegram.speak(boris, OTHER)))
    anna = await speaker(house)
    recogniser.text = HEARD
    answer = await house.answer(house.telegram.speak(anna, OGG))
    row = await house.archived(answer)
    request = await ask(house, anna, answer)
    house.telegram.say(anna, RIGHT, reply_to=request["message_id"])
    await shows(house, answer, RIGHT)
    await house.answer(house.telegram.say(anna, "/words"))
    await services.db_assist.add_words(anna, ["Птеродактиль"])
    shown = await house.answer(house.telegram.say(ADMIN, "/review"))
    await house.press(ADMIN, shown, "⏭")
    await services.data_loader.export_now()
    made = make_version(settings.export_dir, settings.data_dir / "datasets", Rules(test_share=0, dev_share=0))
    assert [one.id for one in made.version.entries] == [row.id]
    report, work = learn(settings, made.path.stem)
    news = (NewsItem(transcription_id=row.id, text_before=HEARD, text_after=NEWS),)
    first = await services.db_assist.record_model(
        entry("first", ModelState.CHAMPION, n_people=1, message_ids=(row.id,), news=news)
    )
    wav = next((settings.export_dir / "0" / str(row.id)).glob("*.wav")).read_bytes()
    sounds = (OGG[200:-200], wav[2000:4000])
    before = {place.path for place in traces(settings.data_dir, sounds)}
    assert {"glas.db", "durable.sqlite", f"rounds/{made.path.stem}/report/index.html"} <= {
        path.removesuffix("-wal") for path in before
    }
    assert any(path.startswith("models/.second.work") for path in before)
    assert any(path.startswith("downloads/") for path in before)
    assert any(path.startswith("s3/") for path in before)
    question = await house.answer(house.telegram.say(anna, "/forget"))
    await house.press(anna, question, "🗑")
    await house.until(lambda: any("Удалено всё" in text for text in house.shown()))
    await house.until(lambda: not work.exists() and not (report / "index.html").exists(), "the end of the export")
    assert (report / FIGURES).exists(), "figures name nobody"
    dataset = open_dataset(settings.export_dir, read_version(settings.data_dir / "datasets", made.path.stem))
    assert (dataset.train, dataset.n_gone) == ((), 1)
    found = await services.db_assist.model(first.ref)
    assert found is not None
    assert (found.n_people, found.n_withdrawn, found.n_news) == (1, 1, 0)
    # The press itself is work of the person, and goes as soon as it has ended.
    for _ in range(75):
        if not (left := list(traces(settings.data_dir, sounds))):
            break
        await asyncio.sleep(0.2)
    assert not left, "\n".join(map(str, left))


@in_the_module
async def test_the_rest_stays(house: House) -> None:
    """The messages of other people are not changed."""
    found = list((house.settings.data_dir / "s3").rglob("*_transcription.txt"))
    assert [path.read_text(encoding="utf-8") for path in found] == [PLAIN]
