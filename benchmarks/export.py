"""Measure the speed of exports, and of plain copying of the files in the same run.

A real db_assist over SQLite and a store in a directory hold messages of consenting speakers. The first run decodes all
of them in confined processes and writes directories, manifest and dataset, every file made lasting; the second finds
nothing to do; the full one compares everything. The peer copies the originals with shutil, which decodes nothing and
waits for no disk, and once more with an fsync after each. The machine may be shared: read the ratios.

    python benchmarks/export.py [MESSAGES]
"""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import structlog

from glas.audio.decoder import DecoderPool
from glas.audio.limits import DecodeLimits
from glas.clients.db_assist import DbAssistClient
from glas.clients.db_assist_bodies import Finished, NewTranscription
from glas.clients.http import open_http
from glas.data_loader.export import ExportOptions, run_export
from glas.db_assist.app import create_app
from glas.domain.messages import MediaKind, Score
from glas.domain.object_keys import audio_key
from glas.domain.people import Purpose
from glas.s3 import Store, open_store
from glas.settings import Settings

SAMPLES = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "samples").glob("*.ogg"))]
SPEAKERS = 20


async def fill(db_assist: DbAssistClient, store: Store, messages: int) -> None:
    """Make messages of a few speakers, each rated, every third corrected."""
    for speaker in range(1, SPEAKERS + 1):
        await db_assist.register(speaker)
        await db_assist.set_consent(speaker, Purpose.TRAINING, granted=True, text_version="1")
    for one in range(messages):
        speaker = one % SPEAKERS + 1
        new = NewTranscription(
            tg_id=speaker,
            bot_id=1,
            chat_id=speaker,
            message_id=one + 1,
            file_id=f"file{one}",
            file_unique_id=f"file{one}",
            media_kind=MediaKind.VOICE,
        )
        number = (await db_assist.create_transcription(new)).id
        stored = await store.put(audio_key(number, "ogg"), SAMPLES[one % len(SAMPLES)])
        await db_assist.archive(number, audio_key=stored.key, sha256=stored.sha256, size_bytes=stored.size_bytes)
        await db_assist.finish(number, Finished(text="что та сказана тут", duration_s=4, model="embedded"))
        await db_assist.rate(number, speaker, Score(one % 3 + 1))
        if one % 3 == 0:
            await db_assist.correct(number, speaker, "что-то сказано тут")


def copied(source: Path, target: Path, *, lasting: bool) -> float:
    """Seconds to copy every original."""
    began = time.perf_counter()
    for path in source.rglob("*_audio.ogg"):
        copy = target / path.name
        shutil.copyfile(path, copy)
        if lasting:
            with copy.open("rb") as file:
                os.fsync(file.fileno())
    return time.perf_counter() - began


async def measure(directory: Path, messages: int) -> None:
    """Fill, export three times, copy, and print."""
    app = create_app(Settings(_env_file=None, data_dir=directory), key=None)
    async with app.router.lifespan_context(app), open_http(url=None, app=app) as http:
        db_assist, store = DbAssistClient(http), open_store(directory=directory / "s3")
        began = time.perf_counter()
        await fill(db_assist, store, messages)
        print(f"{messages} messages of {SPEAKERS} speakers, made in {time.perf_counter() - began:.1f} s")
        with DecoderPool(2, DecodeLimits()) as decoder:
            for name, full in (("first run", False), ("nothing to do", False), ("compare all", True)):
                options = ExportOptions(directory / "downloads", full=full)
                report = await run_export(options, db_assist=db_assist, store=store, decoder=decoder)
                rate = messages / report.wall_s
                print(f"  {name:<14} {report.wall_s:8.3f} s  {rate:9.0f} messages/s  ({report.n_written} written)")
        for name, lasting in (("copy", False), ("copy + fsync", True)):
            target = directory / name
            target.mkdir()
            seconds = copied(directory / "s3", target, lasting=lasting)
            print(f"  {name:<14} {seconds:8.3f} s  {messages / seconds:9.0f} messages/s")
        print(f"  audio {report.audio_s / 60:.1f} min")


def main() -> None:
    """Measure in a temporary directory."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(measure(Path(directory), int(sys.argv[1]) if len(sys.argv) > 1 else 500))


if __name__ == "__main__":
    main()
