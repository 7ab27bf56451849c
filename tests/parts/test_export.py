"""The export with a real db_assist: what comes out, what must not, and that it always ends in agreement."""

import asyncio
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import wave
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr

from glas.audio.decoder import DecoderPool
from glas.audio.limits import DecodeLimits
from glas.clients.data_loader import DataLoaderClient, ExportProgress
from glas.clients.http import open_http
from glas.data_loader.app import create_app
from glas.data_loader.folders import locked
from glas.data_loader.record import TEST, TRAIN, pseudonym, split_of
from glas.domain.errors import ConflictError, ServiceFaultError, ServiceUnreachableError
from glas.domain.messages import Score
from glas.launch.assembly import entered
from glas.s3 import open_store
from glas.settings import Settings
from tests.conftest import Sample
from tests.parts.export_child import export_until_killed
from tests.parts.export_world import BOT, World, exported, opened_world
from tests.seaweed import ACCESS_KEY, SECRET_KEY, Seaweed

REFERENCE = "что-то было сказано"
STEPS = (
    "original fetched",
    "folder built",
    "place free",
    "folder placed",
    "page committed",
    "manifest written",
    "dataset written",
)


@pytest.fixture(scope="module")
def decoder() -> Iterator[DecoderPool]:
    """Decoding children for all tests here."""
    with DecoderPool(2, DecodeLimits()) as pool:
        yield pool


@pytest.fixture(scope="session")
def voices(samples: list[Sample]) -> list[bytes]:
    """Voice messages."""
    return [sample.path.read_bytes() for sample in samples]


@pytest.fixture
async def world(settings: Settings, decoder: DecoderPool) -> AsyncIterator[World]:
    """A world with a directory as store."""
    async with opened_world(settings, decoder=decoder) as made:
        yield made


async def test_what_comes_out(world: World, voices: list[bytes]) -> None:
    """Three files for a message, a fourth when somebody said what was said."""
    speaker = await world.person(1)
    plain = await world.message(speaker, voices[0], "первый текст")
    corrected = await world.message(speaker, voices[1], "что та сказана")
    await world.rate(corrected, speaker, Score.BAD)
    await world.correct(corrected, speaker, REFERENCE)
    report = await world.export()
    assert (report.n_written, report.n_messages, report.n_references) == (2, 2, 1)
    assert world.folders() == [f"0/{plain}", f"1/{corrected}"]
    folder = world.directory / f"1/{corrected}"
    assert {path.name for path in folder.iterdir()} == {
        f"{corrected}_audio.wav",
        f"{corrected}_transcription.txt",
        f"{corrected}_reference.txt",
        f"{corrected}.json",
    }
    assert (folder / f"{corrected}_transcription.txt").read_text(encoding="utf-8") == "что та сказана"
    assert (folder / f"{corrected}_reference.txt").read_text(encoding="utf-8") == REFERENCE
    told = world.record(f"1/{corrected}")
    assert told["hypothesis"]["text"] == "что та сказана"
    assert (told["reference"]["text"], told["reference"]["by"]) == (REFERENCE, "speaker")
    assert told["duration_s"] == pytest.approx(report.audio_s - world.record(f"0/{plain}")["duration_s"])
    with wave.open(str(folder / f"{corrected}_audio.wav")) as audio:
        assert (audio.getframerate(), audio.getnchannels(), audio.getsampwidth()) == (16_000, 1, 2)
        assert audio.getnframes() / 16_000 == told["duration_s"] > 1
        assert np.abs(np.frombuffer(audio.readframes(-1), "<i2")).max() > 1000


async def test_the_manifest_begins_with_the_worst(world: World, voices: list[bytes]) -> None:
    """Largest error rate first; where nobody said what was said, the lowest rating."""
    speaker = await world.person(1)
    said = ["что-то было сказано", "то что было сказано", None, None, None]
    scores = [Score.NORMAL, Score.BAD, Score.BEST, Score.BAD, None]
    numbers = [await world.message(speaker, voices[0], "что-то было сказано") for _ in said]
    for number, reference, score in zip(numbers, said, scores, strict=True):
        if reference:
            await world.correct(number, speaker, reference)
        if score:
            await world.rate(number, speaker, score)
    await world.export()
    rows = world.manifest()
    expected = [numbers[one] for one in (1, 0, 3, 4, 2)]
    assert [row["audio_filepath"].rpartition("/")[2] for row in rows] == [f"{one}_audio.wav" for one in expected]
    assert rows[0]["wer"] > rows[1]["wer"] == 0
    assert set(rows[0]) >= {"audio_filepath", "text", "pred_text", "wer", "duration", "language"}
    assert all((world.directory / row["audio_filepath"]).is_file() for row in rows)


async def test_an_engine_never_becomes_the_reference(world: World, voices: list[bytes]) -> None:
    """Not even when the text was rated perfect: text is what a human wrote, or null."""
    speaker = await world.person(1)
    number = await world.message(speaker, voices[0], "идеальный текст")
    await world.rate(number, speaker, Score.BEST)
    await world.export()
    assert world.record(f"3/{number}")["reference"] is None
    assert not (world.directory / f"3/{number}/{number}_reference.txt").exists()
    assert [(row["text"], row["pred_text"]) for row in world.manifest()] == [(None, "идеальный текст")]
    (shard,) = (world.directory / "dataset").iterdir()
    assert pq.read_table(shard, columns=["text", "pred_text"]).to_pylist() == [
        {"text": None, "pred_text": "идеальный текст"}
    ]


async def test_what_must_not_come_out(world: World, voices: list[bytes]) -> None:
    """Nothing without consent, nothing forwarded, nothing unfinished; and no id of Telegram's."""
    silent, speaker = await world.person(1, consents=False), await world.person(2)
    await world.message(silent, voices[0])
    await world.message(speaker, voices[0], is_forwarded=True)
    await world.archive(await world.begin(speaker), voices[0])
    await world.db_assist.fail(await world.begin(speaker), "audio_corrupt")
    only = await world.message(speaker, voices[0])
    report = await world.export()
    assert world.folders() == [f"0/{only}"]
    assert (report.n_messages, len(world.manifest())) == (1, 1)
    for content, _ in world.files().values():
        for secret in (str(speaker), str(BOT), "file-90", "unique-90", "90000"):
            assert secret.encode() not in content


async def test_a_second_run_changes_nothing(world: World, voices: list[bytes]) -> None:
    """Not a byte and not a time, whether it asks for news or compares everything."""
    for number in range(3):
        speaker = await world.person(number)
        await world.correct(await world.message(speaker, voices[number]), speaker, REFERENCE)
    await world.export()
    before = world.files()
    for options in ({}, {"full": True}):
        report = await world.export(**options)
        assert (report.n_written, report.n_removed, report.n_shards) == (0, 0, 0)
        assert world.files() == before


async def test_a_rerated_message_moves(world: World, voices: list[bytes]) -> None:
    """The old folder goes, manifest and dataset follow, and the audio is not decoded anew."""
    speaker = await world.person(1)
    number = await world.message(speaker, voices[0])
    await world.rate(number, speaker, Score.BAD)
    await world.export()
    inode = (world.directory / f"1/{number}/{number}_audio.wav").stat().st_ino
    await world.rate(number, speaker, Score.BEST)
    report = await world.export()
    assert (report.n_written, report.n_moved) == (1, 1)
    assert world.folders() == [f"3/{number}"]
    assert not (world.directory / "1").exists()
    assert (world.directory / f"3/{number}/{number}_audio.wav").stat().st_ino == inode
    assert [row["audio_filepath"] for row in world.manifest()] == [f"3/{number}/{number}_audio.wav"]
    (shard,) = (world.directory / "dataset").iterdir()
    assert pq.read_table(shard, columns=["score"]).to_pylist() == [{"score": 3}]


async def test_consent_withdrawn_and_given_again(world: World, voices: list[bytes]) -> None:
    """The copies go and come back; the originals stay, since the service was not withdrawn."""
    speaker, other = await world.person(1), await world.person(2)
    mine, theirs = await world.message(speaker, voices[0]), await world.message(other, voices[1])
    await world.export()
    await world.consent(speaker, granted=False)
    report = await world.export()
    assert (report.n_removed, world.folders()) == (1, [f"0/{theirs}"])
    assert len(world.manifest()) == sum(pq.read_metadata(one).num_rows for one in _shards(world)) == 1
    assert await world.store.keys(mine) != []
    await world.consent(speaker, granted=True)
    await world.export()
    assert world.folders() == [f"0/{mine}", f"0/{theirs}"]


async def test_forgetting_takes_everything(world: World, voices: list[bytes]) -> None:
    """Folders, lines, rows, and the objects themselves."""
    speaker = await world.person(1)
    number = await world.message(speaker, voices[0], "тайна")
    await world.export()
    await world.db_assist.forget(speaker)
    report = await world.export()
    assert (report.n_removed, report.n_messages, world.folders(), world.manifest()) == (1, 0, [], [])
    assert _shards(world) == []
    assert await world.store.keys(number) == []
    left = b"".join(path.read_bytes() for path in world.directory.rglob("*") if path.is_file())
    assert "тайна".encode() not in left


@pytest.mark.parametrize("fault", ["missing", "damaged", "no audio"])
async def test_one_bad_original_stops_nothing(world: World, voices: list[bytes], fault: str) -> None:
    """It is told and left out; when it is right again, a comparison of everything brings it in."""
    speaker = await world.person(1)
    bad, good = await world.message(speaker, voices[0]), await world.message(speaker, voices[1])
    path = world.directory.parent / "s3" / str(bad) / f"{bad}_audio.ogg"
    if fault == "no audio":
        await world.store.delete(await world.store.keys(bad))
        bad = await world.message(speaker, b"OggS and then nothing of the kind")
    elif fault == "damaged":
        path.write_bytes(voices[2])
    else:
        path.unlink()
    report = await world.export()
    assert (report.n_failed, world.folders()) == (2 if fault == "no audio" else 1, [f"0/{good}"])
    if fault != "no audio":
        path.write_bytes(voices[0])
        await world.export(full=True)
        assert world.folders() == [f"0/{bad}", f"0/{good}"]


async def test_a_store_that_is_away_stops_the_run(world: World, voices: list[bytes]) -> None:
    """Nothing is forgotten: the next run goes on."""
    speaker = await world.person(1)
    number = await world.message(speaker, voices[0])
    here, world.store = world.store, open_store(endpoint="http://127.0.0.1:9")
    with pytest.raises(ServiceUnreachableError):
        await world.export()
    world.store = here
    await world.export()
    assert world.folders() == [f"0/{number}"]


async def test_a_full_run_mends_what_hands_have_done(world: World, voices: list[bytes]) -> None:
    """Files taken away or added, an index lost or broken: everything comes right again."""
    for number in range(2):
        speaker = await world.person(number)
        await world.correct(await world.message(speaker, voices[number]), speaker, REFERENCE)
    await world.export()
    right = {name: content for name, (content, _) in world.files().items()}
    first, second = world.folders()
    (world.directory / first / f"{first[2:]}_audio.wav").unlink()
    (world.directory / second / "note.txt").write_text("a stranger's", encoding="utf-8")
    shutil.copytree(world.directory / second, world.directory / "2" / "4711")
    for shard in _shards(world):
        shard.rename(shard.with_name("train-99999.parquet"))
    (world.directory / "manifest.jsonl").write_text("{}\n", encoding="utf-8")
    await world.export(full=True)
    assert {name: content for name, (content, _) in world.files().items()} == right
    index = world.directory / ".export" / "index.sqlite"
    index.write_bytes(b"not a database, by any means" * 100)
    await world.export()
    assert {name: content for name, (content, _) in world.files().items()} == right


async def test_a_file_taken_away_is_told_and_mended(world: World, voices: list[bytes]) -> None:
    """The dataset cannot be written then; the next run compares everything."""
    speaker = await world.person(1)
    first = await world.message(speaker, voices[0])
    await world.export()
    (world.directory / f"0/{first}/{first}_audio.wav").unlink()
    second = await world.message(speaker, voices[1])
    with pytest.raises(ServiceFaultError, match="taken away"):
        await world.export()
    report = await world.export()
    assert (report.is_full, report.n_messages) == (True, 2)
    assert world.folders() == [f"0/{first}", f"0/{second}"]


async def test_another_share_moves_speakers(world: World, voices: list[bytes]) -> None:
    """The split is part of the export: when the setting changes, all of it follows at once."""
    for number in range(2):
        await world.message(await world.person(number), voices[number])
    await world.export(test_share=0)
    assert [path.name for path in _shards(world)] == ["train-00000.parquet"]
    await world.export(test_share=0.999999)
    assert [path.name for path in _shards(world)] == ["test-00000.parquet"]


def test_speakers_never_cross() -> None:
    """A speaker's side depends on nothing but the speaker and the share; a larger share only takes people over."""
    speakers = [pseudonym(one) for one in range(4000)]
    assert len(set(speakers)) == 4000
    tests = [{one for one in speakers if split_of(one, test_share=share) == TEST} for share in (0, 0.1, 0.3)]
    assert not tests[0]
    assert tests[1] < tests[2]
    assert 300 < len(tests[1]) < 500
    assert split_of(pseudonym(1), test_share=0) == TRAIN


async def test_never_two_at_once(world: World) -> None:
    """In one process or in several: the second hears of it."""
    world.directory.mkdir()
    with locked(world.directory, lambda _: None), pytest.raises(ConflictError, match="running already"):
        await world.export()
    await world.export()


async def test_datasets_loads_it_without_torch(world: World, voices: list[bytes], tmp_path: Path) -> None:
    """Three lines, offline, and torch is not even looked at."""
    for number in range(12):
        speaker = await world.person(number)
        message = await world.message(speaker, voices[number % 6], "что та сказана")
        if number % 2:
            await world.correct(message, speaker, REFERENCE)
    await world.export(test_share=0.4)
    script = """if True:
        import sys, json
        from datasets import Audio, load_dataset
        data = load_dataset(sys.argv[1])
        rate = data["train"].features["audio"].sampling_rate
        data = data.cast_column("audio", Audio(decode=False))
        print(json.dumps([{
            "split": split, "text": row["text"], "pred": row["pred_text"], "speaker": row["speaker"],
            "path": row["audio"]["path"], "bytes": len(row["audio"]["bytes"]),
            "riff": row["audio"]["bytes"][:4].decode(),
        } for split in data for row in data[split]]))
        print(json.dumps([rate, "torch" in sys.modules]))
    """
    environment = os.environ | {
        "HF_HUB_OFFLINE": "1",
        "USE_TORCH": "0",
        "HF_HOME": str(tmp_path / "hf"),
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, "-c", script, str(world.directory / "dataset")]
    done = await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = done.stdout.splitlines()
    rows, (rate, has_torch) = json.loads(lines[-2]), json.loads(lines[-1])
    assert (len(rows), rate, has_torch) == (12, 16_000, False)
    assert {row["split"] for row in rows} == {"train", "test"}
    sizes = {path.name: path.stat().st_size for _, path in exported(world.directory)}
    assert all(row["bytes"] == sizes[row["path"]] and row["riff"] == "RIFF" for row in rows)
    assert sorted(row["text"] or "" for row in rows) == [""] * 6 + [REFERENCE] * 6
    sides = {row["speaker"]: row["split"] for row in rows}
    assert all(sides[row["speaker"]] == row["split"] for row in rows)


def _shards(world: World) -> list[Path]:
    return sorted((world.directory / "dataset").glob("*"))


async def _speak(world: World, voices: list[bytes]) -> None:
    """Seven messages: four of them exported, rated and changed again, so that every step has something to do."""
    people = [await world.person(number) for number in range(3)]
    numbers = [await world.message(people[one % 3], voices[one % 6]) for one in range(7)]
    for number, person in zip(numbers[:3], people, strict=True):
        await world.rate(number, person, Score.BAD)
    await world.export()
    for number, person in zip(numbers[:3], people, strict=True):
        await world.rate(number, person, Score.BEST)
        await world.correct(number, person, REFERENCE)
    await world.consent(people[2], granted=False)
    await world.message(people[0], voices[4])


@pytest.mark.slow
async def test_killed_anywhere_it_leaves_nothing_half(
    settings: Settings, decoder: DecoderPool, voices: list[bytes]
) -> None:
    """SIGKILL at every step, first and later: only whole folders, and the next run ends as an undisturbed one does."""
    async with opened_world(settings, decoder=decoder) as world:
        await _speak(world, voices)
        undisturbed = world.directory
        before = undisturbed.with_name("before")
        shutil.copytree(undisturbed, before, symlinks=True)
        await world.export()
    right = {name: path.read_bytes() for name, path in exported(undisturbed)}
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.parts.export_child"])
    for step, times in [*((step, 1) for step in STEPS), ("folder built", 3), ("folder placed", 2)]:
        directory = undisturbed.with_name(f"killed after {step} {times}")
        shutil.copytree(before, directory)
        child = context.Process(target=export_until_killed, args=(settings.data_dir, directory, step, times))
        child.start()
        await asyncio.to_thread(child.join)
        assert child.exitcode == -signal.SIGKILL, (step, times)
        _assert_nothing_half(directory)
        async with opened_world(settings, decoder=decoder) as world:
            world.directory = directory
            await world.export()
        assert {name: path.read_bytes() for name, path in exported(directory)} == right, (step, times)


def _assert_nothing_half(directory: Path) -> None:
    for folder in directory.glob("[0-9]/*"):
        told = json.loads((folder / f"{folder.name}.json").read_text(encoding="utf-8"))
        with wave.open(str(folder / told["audio_file"])) as audio:
            assert audio.getnframes() == round(told["duration_s"] * 16_000)
        assert (folder / told["hypothesis"]["file"]).read_text(encoding="utf-8") == told["hypothesis"]["text"]
        assert int(folder.parent.name) == told["score"]
    numbers = [folder.name for folder in directory.glob("[0-9]/*")]
    assert len(numbers) == len(set(numbers)), "a message stands twice"
    for line in (directory / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        json.loads(line)
    for shard in (directory / "dataset").iterdir():
        pq.read_table(shard)


async def test_through_the_client_over_seaweed(
    settings: Settings, seaweed: Seaweed, decoder: DecoderPool, voices: list[bytes]
) -> None:
    """The service itself: progress while it runs, a second one refused, and the store a bucket."""
    keys = {"s3_endpoint": seaweed.endpoint, "s3_access_key": ACCESS_KEY, "s3_secret_key": SecretStr(SECRET_KEY)}
    settings = settings.model_copy(update=keys | {"s3_bucket": "export"})
    store = open_store(endpoint=seaweed.endpoint, bucket="export", access_key=ACCESS_KEY, secret_key=SECRET_KEY)
    async with opened_world(settings, store, decoder) as world:
        speaker = await world.person(1)
        numbers = [await world.message(speaker, voices[one % 6]) for one in range(8)]
        app = create_app(settings, key=None, db_assist=world.db_assist)
        async with entered([app]), open_http(url=None, app=app) as http:
            client, looks = DataLoaderClient(http), list[ExportProgress]()
            running = asyncio.create_task(client.export_now(on_progress=looks.append))
            while not (await client.export_state()).is_running:  # noqa: ASYNC110 - it is about to begin
                await asyncio.sleep(0)
            with pytest.raises(ConflictError, match="running already"):
                await client.export_now()
            report = await running
        assert report.n_messages == len(numbers) == looks[-1].n_seen
        assert world.folders() == sorted(f"0/{number}" for number in numbers)
        assert len(world.manifest()) == len(numbers)


async def test_stopping_the_service_stops_the_export(world: World, settings: Settings, voices: list[bytes]) -> None:
    """At once, without a trace, and the next one completes it."""
    speaker = await world.person(1)
    for one in range(8):
        await world.message(speaker, voices[one % 6])
    app = create_app(settings, key=None, db_assist=world.db_assist)
    async with entered([app]), open_http(url=None, app=app) as http:
        client = DataLoaderClient(http)
        await client.start_export()
        while not (await client.export_state()).progress.n_seen:  # noqa: ASYNC110 - only to be in the middle
            await asyncio.sleep(0.01)
    _assert_folders_whole(world.directory)
    await world.export()
    assert len(world.folders()) == 8


def _assert_folders_whole(directory: Path) -> None:
    for folder in directory.glob("[0-9]/*"):
        assert len(list(folder.iterdir())) == 3
