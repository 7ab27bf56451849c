"""A small system for tests of exports: a real db_assist with SQLite, an object store, people, messages and consents."""

import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from glas.audio.decoder import DecoderPool
from glas.audio.limits import DecodeLimits
from glas.clients.data_loader_bodies import ExportReport
from glas.clients.db_assist import DbAssistClient
from glas.clients.db_assist_bodies import Finished, NewTranscription
from glas.clients.http import open_http
from glas.data_loader.export import ExportOptions, run_export
from glas.db_assist.app import create_app
from glas.domain.messages import MediaKind, Score
from glas.domain.object_keys import audio_key
from glas.domain.people import Purpose
from glas.launch.connections import entered
from glas.s3 import Store, open_store
from glas.settings import Settings
from tests.conftest import Sample

BOT = 7_000_000_001
_TG_IDS = 5_000_000_000  # what no export may contain begins like this

_message_ids = itertools.count(9_000_000)


@dataclass
class World:
    """The objects that an export needs.

    Attributes:
        db_assist: the real one, in this process.
        store: the objects.
        decoder: decodes them.
        directory: the export.
        options: further options of the export.
    """

    db_assist: DbAssistClient
    store: Store
    decoder: DecoderPool
    directory: Path
    options: dict[str, Any] = field(default_factory=dict)

    async def export(self, **options: Any) -> ExportReport:
        """Run an export."""
        chosen = ExportOptions(self.directory, **(self.options | options))
        return await run_export(chosen, db_assist=self.db_assist, store=self.store, decoder=self.decoder)

    async def person(self, number: int, *, consents: bool = True) -> int:
        """Register somebody; returns their Telegram id."""
        tg_id = _TG_IDS + number
        await self.db_assist.register(tg_id)
        if consents:
            await self.consent(tg_id, granted=True)
        return tg_id

    async def consent(self, tg_id: int, *, granted: bool) -> None:
        """Agree to training, or withdraw."""
        await self.db_assist.set_consent(tg_id, Purpose.TRAINING, granted=granted, text_version="1")

    async def begin(self, tg_id: int, *, is_forwarded: bool = False) -> int:
        """Create the row of a new message; return its id."""
        number = next(_message_ids)
        new = NewTranscription(
            tg_id=tg_id,
            bot_id=BOT,
            chat_id=tg_id,
            message_id=number,
            file_id=f"file-{number}",
            file_unique_id=f"unique-{number}",
            media_kind=MediaKind.VOICE,
            is_forwarded=is_forwarded,
        )
        return (await self.db_assist.create_transcription(new)).id

    async def message(
        self, tg_id: int, audio: bytes, text: str = "что то сказано", *, is_forwarded: bool = False
    ) -> int:
        """Create a message that is archived and recognised; return its id."""
        number = await self.begin(tg_id, is_forwarded=is_forwarded)
        await self.archive(number, audio)
        await self.finish(number, text)
        return number

    async def finish(self, number: int, text: str) -> None:
        """Recognise a message."""
        finished = Finished(text=text, duration_s=3, confidence=0.5, model="embedded", model_version="0123456789ab")
        await self.db_assist.finish(number, finished)

    async def archive(self, number: int, audio: bytes) -> None:
        """Store a message's original."""
        stored = await self.store.put(audio_key(number, "ogg"), audio)
        await self.db_assist.archive(number, audio_key=stored.key, sha256=stored.sha256, size_bytes=stored.size_bytes)

    async def rate(self, number: int, tg_id: int, score: Score) -> None:
        """Store a person's rating of their own message."""
        await self.db_assist.rate(number, tg_id, score)

    async def correct(self, number: int, tg_id: int, reference: str) -> None:
        """Store a correction by the author."""
        await self.db_assist.correct(number, tg_id, reference)

    def folders(self) -> list[str]:
        """Return the directories of messages: score/id."""
        return sorted(f"{path.parent.name}/{path.name}" for path in self.directory.glob("[0-9]/*"))

    def record(self, folder: str) -> dict[str, Any]:
        """Return the JSON of a message in the export."""
        number = folder.rpartition("/")[2]
        told: dict[str, Any] = json.loads((self.directory / folder / f"{number}.json").read_text(encoding="utf-8"))
        return told

    def manifest(self) -> list[dict[str, Any]]:
        """The manifest's lines."""
        lines = (self.directory / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def shards(self) -> list[Path]:
        """The dataset's files."""
        return sorted((self.directory / "dataset").glob("*"))

    def files(self) -> dict[str, tuple[bytes, int]]:
        """Every exported file with its bytes and the time of its last change, nanoseconds."""
        return {name: (path.read_bytes(), path.stat().st_mtime_ns) for name, path in exported(self.directory)}


def exported(directory: Path) -> Iterator[tuple[str, Path]]:
    """Return the export's files without its own index and lock."""
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if path.is_file() and not name.startswith(".export"):
            yield name, path


@asynccontextmanager
async def opened_world(
    settings: Settings, store: Store | None = None, decoder: DecoderPool | None = None
) -> AsyncIterator[World]:
    """Open a world in the directory of the settings; another process may open it again later."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    app = create_app(settings, key=None)
    own = decoder or DecoderPool(2, DecodeLimits())
    try:
        async with entered([app]), open_http(url=None, app=app) as http:
            store = store or open_store(directory=settings.data_dir / "s3")
            yield World(DbAssistClient(http), store, own, settings.data_dir / "downloads")
    finally:
        if decoder is None:
            own.close()


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
