"""The object store, with a directory and with a real SeaweedFS: the same tests for both."""

import asyncio
import hashlib
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import obstore
import pytest

from glas.domain.errors import (
    ConflictError,
    InvalidParameterError,
    NotFoundError,
    ServiceFaultError,
    ServiceUnreachableError,
)
from glas.domain.object_keys import audio_key, checked_key, transcription_key
from glas.s3 import PART_BYTES, Store, open_store
from tests.seaweed import ACCESS_KEY, SECRET_KEY, Seaweed, started_seaweed

_ids = itertools.count(1000)


@pytest.fixture(params=["directory", "seaweed"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Both kinds of store."""
    if request.param == "directory":
        return open_store(directory=tmp_path / "s3")
    return _open(request.getfixturevalue("seaweed"))


@pytest.fixture
def number() -> int:
    """An id that no other test has used, because the tests share one server."""
    return next(_ids)


def _open(seaweed: Seaweed, access_key: str | None = ACCESS_KEY, secret_key: str | None = SECRET_KEY) -> Store:
    return open_store(endpoint=seaweed.endpoint, access_key=access_key, secret_key=secret_key)


async def test_what_is_put_is_there_with_its_digest(store: Store, number: int) -> None:
    """Key, sha256 and size are those of the bytes."""
    data = os.urandom(20_000)
    stored = await store.put(audio_key(number, "ogg"), data)
    assert stored == (f"{number}/{number}_audio.ogg", hashlib.sha256(data).hexdigest(), 20_000)
    assert b"".join([part async for part in store.stream(stored.key)]) == data
    assert await store.size(stored.key) == 20_000


async def test_the_same_again_is_the_same_answer(store: Store, number: int) -> None:
    """A repeated write changes nothing; other bytes are refused and have no effect."""
    key = transcription_key(number)
    first = await store.put(key, "Привет".encode())
    assert await store.put(key, "Привет".encode()) == first
    with pytest.raises(ConflictError, match="other bytes"):
        await store.put(key, "Пока".encode())
    assert (await store.read(key, 0, 100)).decode() == "Привет"


async def test_many_at_once_write_one(store: Store, number: int) -> None:
    """Of several writers with different bytes one succeeds, and the others get an error."""
    key = transcription_key(number)
    results = await asyncio.gather(*(store.put(key, b"%d" % one) for one in range(4)), return_exceptions=True)
    winners = [result for result in results if not isinstance(result, BaseException)]
    losers = [result for result in results if isinstance(result, ConflictError)]
    assert (len(winners), len(losers)) == (1, 3)
    assert hashlib.sha256(await store.read(key, 0, 9)).hexdigest() == winners[0].sha256


async def test_nothing_is_an_object_too(store: Store, number: int) -> None:
    """The object of a message without speech is an empty text."""
    stored = await store.put(transcription_key(number), b"")
    assert stored.size_bytes == 0
    assert [part async for part in store.stream(stored.key)] == []


async def test_large_objects_travel_in_parts(store: Store, number: int) -> None:
    """Not more than 8 MiB are read at once, and a range may begin anywhere."""
    data = os.urandom(2 * PART_BYTES + 12_345)
    key = audio_key(number, "wav")
    await store.put(key, data)
    parts = [part async for part in store.stream(key)]
    assert [len(part) for part in parts] == [PART_BYTES, PART_BYTES, 12_345]
    assert b"".join(parts) == data
    assert await store.read(key, PART_BYTES - 5, 10) == data[PART_BYTES - 5 : PART_BYTES + 5]
    assert b"".join([part async for part in store.stream(key, 7, PART_BYTES + 9)]) == data[7 : PART_BYTES + 9]
    assert (await store.put(key, data)).size_bytes == len(data)
    with pytest.raises(ConflictError):
        await store.put(key, data[:-1])


async def test_missing_objects_are_not_found(store: Store, number: int) -> None:
    """Reading such an object is an error, deleting it is not."""
    for reading in (store.size(transcription_key(number)), store.read(transcription_key(number), 0, 1)):
        with pytest.raises(NotFoundError):
            await reading
    await store.delete([transcription_key(number)])
    await store.check()


async def test_keys_of_one_message_only(store: Store, number: int) -> None:
    """The keys of message 1000 do not include those of message 10001."""
    for one in (number, number * 10 + 1):
        await store.put(transcription_key(one), b"text")
    await store.put(audio_key(number, "mp3"), b"sound")
    assert await store.keys(number) == [audio_key(number, "mp3"), transcription_key(number)]
    await store.delete(await store.keys(number))
    assert await store.keys(number) == []
    assert await store.keys(number * 10 + 1) == [transcription_key(number * 10 + 1)]


@pytest.mark.parametrize(("damages", "outcome"), [(1, "stored"), (2, "stored"), (3, "refused")])
async def test_a_write_that_did_not_arrive_is_repeated(
    store: Store, number: int, monkeypatch: pytest.MonkeyPatch, damages: int, outcome: str
) -> None:
    """The bytes that are read back decide; after three attempts the caller gets an error, and no wrong object stays."""
    real, left = obstore.put_async, itertools.count()

    async def damaging(inner: Any, key: str, data: bytes | Iterator[bytes], **options: Any) -> object:
        whole = data if isinstance(data, bytes) else b"".join(data)
        return await real(inner, key, whole[:3] if next(left) < damages else whole, **options)

    monkeypatch.setattr(obstore, "put_async", damaging)
    monkeypatch.setattr("glas.s3.store._PAUSES_S", (0, 0))
    if outcome == "stored":
        assert (await store.put(transcription_key(number), b"whole text")).size_bytes == 10
    else:
        with pytest.raises(ServiceFaultError, match="written 3 times"):
            await store.put(transcription_key(number), b"whole text")
        assert await store.keys(number) == []


async def test_strangers_are_refused(seaweed: Seaweed) -> None:
    """Requests without a key or with a wrong key are refused, by our client and over plain HTTP."""
    await _open(seaweed).put(transcription_key(1), b"secret")
    for store in (
        _open(seaweed, access_key=None, secret_key=None),
        _open(seaweed, secret_key="a-secret-that-is-not-the-one"),
    ):
        with pytest.raises(ServiceFaultError, match="refuses the access key"):
            await store.read(transcription_key(1), 0, 1)
        with pytest.raises(ServiceFaultError, match="refuses the access key"):
            await store.put(transcription_key(2), b"x")
    async with httpx.AsyncClient(base_url=seaweed.endpoint, trust_env=False, timeout=60) as http:
        for answer in (await http.get("/glas/1/1_transcription.txt"), await http.put("/glas/1/2", content=b"x")):
            assert answer.status_code == httpx.codes.FORBIDDEN


async def test_an_endpoint_that_is_away_is_unreachable(tmp_path: Path) -> None:
    """Reading and writing raise an error that permits another attempt."""
    with started_seaweed(tmp_path) as seaweed:
        store = _open(seaweed)
        await store.put(transcription_key(1), b"text")
    with pytest.raises(ServiceUnreachableError, match="object store cannot be reached"):
        await store.read(transcription_key(1), 0, 4)
    with pytest.raises(ServiceUnreachableError):
        await store.put(transcription_key(2), b"text")


@pytest.mark.parametrize(
    "key",
    [
        "",
        "7",
        "7/8_audio.ogg",
        "../7/7_audio.ogg",
        "7/7_audio.",
        "7/7_audio.ogg.part",
        "7/7_other.txt",
        "07/07_audio.ogg",
    ],
)
def test_other_names_are_no_keys(key: str) -> None:
    """A key of another form is refused."""
    with pytest.raises(InvalidParameterError, match="expected a key"):
        checked_key(key)


@pytest.mark.parametrize("extension", ["../x", "", "OGG", "o/g", "waytoolong"])
def test_extensions_are_plain(extension: str) -> None:
    """An extension is a few small letters."""
    with pytest.raises(InvalidParameterError):
        audio_key(1, extension)


async def test_a_full_directory_is_our_fault(tmp_path: Path) -> None:
    """A directory that cannot be written to raises the right error."""
    store = open_store(directory=tmp_path / "s3")
    shutil.rmtree(tmp_path / "s3")
    (tmp_path / "s3").write_bytes(b"a file where the directory was")
    with pytest.raises(ServiceFaultError, match="directory"):
        await store.put(transcription_key(1), b"text")


async def test_files_are_made_lasting_before_they_are_named(tmp_path: Path) -> None:
    """The order of system calls is: sync the bytes, give the name, sync the directories."""
    script = (
        "import asyncio, sys; from pathlib import Path; from glas.s3 import open_store\n"
        "asyncio.run(open_store(directory=Path(sys.argv[1])).put('7/7_audio.ogg', b'OggS'))"
    )
    calls = "trace=fsync,link,linkat,rename,renameat,renameat2"
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    command = ["strace", "-f", "-y", "-e", calls, sys.executable, "-c", script, str(tmp_path / "s3")]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    if "ptrace" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr
    named = [line for line in done.stderr.splitlines() if "7_audio.ogg" in line or "fsync" in line]
    kinds = ["sync" if "fsync" in line else "name" for line in named]
    assert kinds[-3:] == ["name", "sync", "sync"]
    assert "sync" in kinds[:-3]
