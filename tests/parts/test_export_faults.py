"""The export with faults: killed, interrupted, changed from outside, stopped; it always ends complete."""

import asyncio
import json
import multiprocessing
import shutil
import signal
import wave
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr

from glas.audio.decoder import DecoderPool
from glas.clients.data_loader import DataLoaderClient
from glas.clients.data_loader_bodies import ExportProgress
from glas.clients.http import open_http
from glas.data_loader.app import create_app
from glas.data_loader.folders import locked
from glas.domain.errors import ConflictError, ServiceFaultError, ServiceUnreachableError
from glas.domain.messages import Score
from glas.launch.connections import entered
from glas.s3 import open_store
from glas.settings import Settings
from tests.parts.export_child import export_until_killed
from tests.parts.export_world import World, exported, opened_world
from tests.parts.export_world import decoder as decoder  # noqa: PLC0414 - fixtures, found here by their names
from tests.parts.export_world import voices as voices  # noqa: PLC0414
from tests.parts.export_world import world as world  # noqa: PLC0414
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


@pytest.mark.parametrize("fault", ["missing", "damaged", "no audio"])
async def test_one_bad_original_stops_nothing(world: World, voices: list[bytes], fault: str) -> None:
    """The message is reported and left out; when it is right again, a complete comparison exports it."""
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
    """The next run continues where this run stopped."""
    speaker = await world.person(1)
    number = await world.message(speaker, voices[0])
    here, world.store = world.store, open_store(endpoint="http://127.0.0.1:9")
    with pytest.raises(ServiceUnreachableError):
        await world.export()
    world.store = here
    await world.export()
    assert world.folders() == [f"0/{number}"]


async def test_a_full_run_mends_what_hands_have_done(world: World, voices: list[bytes]) -> None:
    """Removed or added files, and a lost or broken index, are repaired."""
    for number in range(2):
        speaker = await world.person(number)
        await world.correct(await world.message(speaker, voices[number]), speaker, REFERENCE)
    await world.export()
    right = {name: content for name, (content, _) in world.files().items()}
    first, second = world.folders()
    (world.directory / first / f"{first[2:]}_audio.wav").unlink()
    (world.directory / second / "note.txt").write_text("a stranger's", encoding="utf-8")
    shutil.copytree(world.directory / second, world.directory / "2" / "4711")
    for shard in world.shards():
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


async def test_never_two_at_once(world: World) -> None:
    """A second export is refused, in one process or in several."""
    world.directory.mkdir()
    with locked(world.directory, lambda _: None), pytest.raises(ConflictError, match="running already"):
        await world.export()
    await world.export()


async def _speak(world: World, voices: list[bytes]) -> None:
    """Make seven messages, of which four are exported, rated and changed again, so that each step has work."""
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
    """After SIGKILL at any step, only complete directories exist, and the next run completes the export."""
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
    """The service with an S3 bucket: progress while it runs, and a second export is refused."""
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
    """The export stops at once and leaves no incomplete files, and the next one completes it."""
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
