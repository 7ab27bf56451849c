"""data_loader through its typed client, with both stores, in this process and over TCP."""

import asyncio
import hashlib
import itertools
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from glas.clients.data_loader import PART_BYTES, DataLoaderClient
from glas.clients.data_loader_bodies import Expected
from glas.clients.db_assist import DbAssistClient
from glas.clients.http import open_http
from glas.data_loader.app import create_app, make_store
from glas.domain.decoding import PLAIN, UNSPECIFIED
from glas.domain.errors import (
    ConflictError,
    EmptyAudioError,
    InvalidParameterError,
    NotFoundError,
    ServiceUnreachableError,
    UnsupportedFormatError,
)
from glas.domain.kept import KeptRecognition
from glas.domain.transcription import Word
from glas.launch.connections import entered
from glas.settings import AudioSettings, Settings
from tests.conftest import Sample
from tests.seaweed import ACCESS_KEY, SECRET_KEY, Seaweed

KEY = "a-key-for-tests-that-is-long-enough"
NOBODY = "http://127.0.0.1:9"

_ids = itertools.count(50_000)


@pytest.fixture
def number() -> int:
    """An id that no other test has used, because the tests share one server."""
    return next(_ids)


@pytest.fixture(params=["directory", "seaweed"])
def store_settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Settings with either kind of store."""
    settings = settings.model_copy(update={"audio": AudioSettings(max_upload_mb=24)})
    if request.param == "directory":
        return settings
    seaweed: Seaweed = request.getfixturevalue("seaweed")
    return settings.model_copy(
        update={
            "s3_endpoint": seaweed.endpoint,
            "s3_access_key": ACCESS_KEY,
            "s3_secret_key": SecretStr(SECRET_KEY),
        }
    )


@pytest.fixture(params=["in process", "over TCP"])
async def http(request: pytest.FixtureRequest, store_settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The service over either transport."""
    async with running(store_settings) as app:
        if request.param == "in process":
            async with open_http(url=None, app=app, token=KEY) as client:
                yield client
        else:
            async with listening(app) as url, open_http(url=url, token=KEY) as client:
                yield client


@pytest.fixture
def data_loader(http: httpx.AsyncClient) -> DataLoaderClient:
    """The typed client."""
    return DataLoaderClient(http)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[FastAPI]:
    """The app with its lifespan; these tests send no requests to db_assist."""
    async with open_http(url=NOBODY) as nobody:
        app = create_app(settings, key=KEY, db_assist=DbAssistClient(nobody))
        async with entered([app]):
            yield app


@asynccontextmanager
async def listening(app: FastAPI) -> AsyncIterator[str]:
    """The app behind a real socket."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
        task = asyncio.create_task(server.serve(sockets=[sock]))
        while not server.started:  # noqa: ASYNC110 - only a flag
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        server.should_exit = True
        await task


@pytest.fixture(scope="session")
def voice(samples: list[Sample]) -> bytes:
    """A voice message."""
    return samples[0].path.read_bytes()


async def test_original_bytes_are_kept(data_loader: DataLoaderClient, number: int, voice: bytes) -> None:
    """The extension comes from the bytes; storing the same bytes twice has no further effect."""
    stored = await data_loader.store_audio(number, voice)
    assert stored.key == f"{number}/{number}_audio.ogg"
    assert (stored.sha256, stored.size_bytes) == (hashlib.sha256(voice).hexdigest(), len(voice))
    assert await data_loader.store_audio(number, voice) == stored
    assert await data_loader.fetch_audio(stored.key) == voice
    assert await data_loader.fetch_audio(stored.key, 100, 200) == voice[100:200]
    assert await data_loader.fetch_audio(stored.key, len(voice) - 5) == voice[-5:]


async def test_other_bytes_are_refused(data_loader: DataLoaderClient, number: int, voice: bytes, wav: bytes) -> None:
    """Other bytes for the same message are refused, in any format."""
    stored = await data_loader.store_audio(number, voice)
    for other in (voice + b"more", wav):
        with pytest.raises(ConflictError, match="other bytes"):
            await data_loader.store_audio(number, other)
    assert await data_loader.fetch_audio(stored.key) == voice


@pytest.fixture(scope="session")
def wav(long_wav: bytes) -> bytes:
    """A second of sound as WAV."""
    return long_wav[:32_044]


async def test_what_is_no_audio_is_not_kept(data_loader: DataLoaderClient, number: int) -> None:
    """The bytes decide, and not the name of the file."""
    with pytest.raises(EmptyAudioError):
        await data_loader.store_audio(number, b"")
    with pytest.raises(UnsupportedFormatError, match="HLS playlist"):
        await data_loader.store_audio(number, b"#EXTM3U\nfile:///etc/passwd")
    with pytest.raises(NotFoundError):
        await data_loader.fetch_audio(f"{number}/{number}_audio.ogg")


@pytest.mark.parametrize("text", ["Привет, «мир»!\nВторая строка\u00a0— ё.", ""])
async def test_texts_are_kept(data_loader: DataLoaderClient, number: int, text: str) -> None:
    """Each letter is kept; another text for the same message is refused."""
    stored = await data_loader.store_transcription(number, text)
    assert stored.key == f"{number}/{number}_transcription.txt"
    assert await data_loader.fetch_transcription(stored.key) == text
    with pytest.raises(ConflictError):
        await data_loader.store_transcription(number, text + "!")


KEPT = """{
  "schema_version": 1,
  "recognition": {
    "hypothesis": {
      "text": "раз",
      "duration_s": 1.5,
      "segments": [{"start_s": 0.25, "end_s": 1, "text": "раз", "words": [
        {"text": "раз", "start_s": 0.25, "end_s": 1, "confidence": 0.5}
      ], "of_a_later_version": 1}],
      "model": "embedded",
      "model_version": "0123456789ab"
    },
    "processing_s": 0.1
  }
}"""


async def test_recognitions_are_kept(
    data_loader: DataLoaderClient, http: httpx.AsyncClient, number: int, store_settings: Settings
) -> None:
    """Storing a recognition twice has no further effect; another one is refused; version 1 is still readable."""
    kept = KeptRecognition.model_validate_json(KEPT)
    assert kept.recognition.hypothesis.words == (Word(text="раз", start_s=0.25, end_s=1, confidence=0.5),)
    assert kept.settings == UNSPECIFIED
    assert await data_loader.fetch_recognition(number) is None
    stored = await data_loader.store_recognition(number, kept)
    assert (stored.key, stored.extension) == (f"{number}/{number}_transcription.json", "json")
    assert await data_loader.store_recognition(number, kept) == stored
    assert await data_loader.fetch_recognition(number) == kept
    assert (await http.get(f"/objects/{stored.key}")).headers["content-type"] == "application/json"
    other = kept.model_copy(update={"settings": PLAIN})
    with pytest.raises(ConflictError):
        await data_loader.store_recognition(number, other)
    for junk in ("{}", "", KEPT.replace(": 1,", ": 2,", 1), KEPT.replace("0.25", "-1")):
        answer = await http.put(f"/objects/{number}/recognition", content=junk)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_parameter")
    assert await data_loader.fetch_recognition(number) == kept
    await data_loader.delete(number)
    assert await data_loader.fetch_recognition(number) is None
    await make_store(store_settings).put(stored.key, KEPT.replace(": 1,", ": 2,", 1).encode())
    assert await data_loader.fetch_recognition(number) is None


async def test_large_recordings_come_in_parts(data_loader: DataLoaderClient, number: int, wav: bytes) -> None:
    """No answer is larger than 8 MiB."""
    data = wav[:44] + os.urandom(2 * PART_BYTES + 1001)
    stored = await data_loader.store_audio(number, data)
    parts = [part async for part in data_loader.stream_audio(stored.key)]
    assert [len(part) for part in parts] == [PART_BYTES, PART_BYTES, 1045]
    assert b"".join(parts) == data


_RANGES = [
    ("bytes=0-3", 206, slice(0, 4)),
    ("bytes=100-", 206, slice(100, None)),
    ("bytes=-7", 206, slice(-7, None)),
    ("bytes=0-99999999", 206, slice(0, None)),
    ("bytes=0-1,5-6", 200, slice(0, None)),
    ("bytes=5-2", 200, slice(0, None)),
    ("lines=1-2", 200, slice(0, None)),
]


async def test_players_get_their_ranges(http: httpx.AsyncClient, number: int, voice: bytes) -> None:
    """Ranges follow RFC 9110; for ranges that are not supported, the whole object is sent."""
    stored = await DataLoaderClient(http).store_audio(number, voice)
    for asked, status, expected in _RANGES:
        answer = await http.get(f"/objects/{stored.key}", headers={"Range": asked})
        assert (answer.status_code, answer.content) == (status, voice[expected]), asked
        assert answer.headers["content-type"] == "audio/ogg"
        assert answer.headers["cache-control"] == "private, no-store"
        start, end, _ = expected.indices(len(voice))
        told = f"bytes {start}-{end - 1}/{len(voice)}" if status == httpx.codes.PARTIAL_CONTENT else None
        assert answer.headers.get("content-range") == told


async def test_ranges_behind_the_end(http: httpx.AsyncClient, number: int, voice: bytes) -> None:
    """The answer 416 contains the length, and our client raises the right error."""
    client = DataLoaderClient(http)
    stored = await client.store_audio(number, voice)
    answer = await http.get(f"/objects/{stored.key}", headers={"Range": f"bytes={len(voice)}-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(voice)}")
    with pytest.raises(InvalidParameterError, match="range"):
        await client.fetch_audio(stored.key, len(voice))
    head = await http.head(f"/objects/{stored.key}")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(voice)))


async def test_deleting(data_loader: DataLoaderClient, number: int, voice: bytes) -> None:
    """Objects are deleted by message and by key; a repetition has no effect, and other messages stay."""
    audio = await data_loader.store_audio(number, voice)
    text = await data_loader.store_transcription(number, "текст")
    neighbour = await data_loader.store_transcription(number * 10, "сосед")
    await data_loader.delete_keys([audio.key, audio.key])
    with pytest.raises(NotFoundError):
        await data_loader.fetch_audio(audio.key)
    assert await data_loader.fetch_transcription(text.key) == "текст"
    for _ in range(2):
        await data_loader.delete(number)
    with pytest.raises(NotFoundError):
        await data_loader.fetch_transcription(text.key)
    assert await data_loader.fetch_transcription(neighbour.key) == "сосед"


async def test_lost_objects_are_found_and_put_back(
    data_loader: DataLoaderClient, http: httpx.AsyncClient, number: int, voice: bytes
) -> None:
    """Missing and damaged objects are found, and only the lost bytes may replace them. Metrics count them."""
    audio = await data_loader.store_audio(number, voice)
    text = await data_loader.store_transcription(number, "текст")
    other = hashlib.sha256(b"other").hexdigest()
    good = [Expected(key=one.key, size_bytes=one.size_bytes, sha256=one.sha256) for one in (audio, text)]
    assert await data_loader.lost(good) == frozenset()
    bad = [good[0].model_copy(update={"size_bytes": 1}), good[1].model_copy(update={"sha256": other})]
    bad.append(Expected(key=f"{number}0/{number}0_audio.ogg", size_bytes=1))
    assert await data_loader.lost(bad) == {one.key for one in bad}
    with pytest.raises(InvalidParameterError, match="expected the bytes that were lost"):
        await data_loader.store_audio(number, voice, lost_sha256=other)
    # What stands in its place is not what it should be: another text was stored under this key.
    right = hashlib.sha256("другой".encode()).hexdigest()
    assert (await data_loader.store_transcription(number, "другой", lost_sha256=right)).sha256 == right
    assert await data_loader.fetch_transcription(text.key) == "другой"
    assert await data_loader.store_audio(number, voice, lost_sha256=audio.sha256) == audio
    with pytest.raises(ServiceUnreachableError):
        await data_loader.export_now()
    lines = (await http.get("/metrics")).text.splitlines()
    for line in (
        'glas_store_written_objects_total{kind="audio"} 2.0',
        f'glas_store_written_bytes_total{{kind="audio"}} {2.0 * len(voice)}',
        'glas_store_written_objects_total{kind="transcription"} 2.0',
        "glas_store_lost_objects_total 3.0",
        'glas_export_runs_total{outcome="service_unreachable"} 1.0',
    ):
        assert line in lines
