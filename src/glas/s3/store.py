"""The class `Store`: reads and writes objects in a local directory or in an S3 bucket.

The content of an object never changes. If an object exists, writing the same bytes under its key does nothing, and
writing other bytes under its key raises an error. After each write, the object is read and compared with the written
bytes.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, TypeAlias

import obstore
import structlog
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, S3Store

from glas.domain.errors import ConflictError, NotFoundError, ServiceFaultError
from glas.domain.object_keys import transcription_key
from glas.s3.directory import create_file, delete_files, sync_names
from glas.s3.requests import lacks_bucket, request

PART_BYTES = 8 * 1024 * 1024
_PARTS_AT_ONCE = 2
_SMALL_BYTES = 128 * 1024
_LISTED_AT_ONCE = 1000
_PAUSES_S = (0.1, 0.5)  # before the second and the third attempt at a write that did not arrive whole

Data: TypeAlias = bytes | memoryview

_log = structlog.stdlib.get_logger("glas.s3")


class Stored(NamedTuple):
    """Key, sha256 and size of an object that was written, and was read to check that it has the written bytes."""

    key: str
    sha256: str
    size_bytes: int


class Store:
    """An object store, made by `open_store`. There is no method `close`, because nothing stays open."""

    def __init__(self, inner: LocalStore | S3Store, directory: Path | None) -> None:
        self._inner = inner
        self._directory = directory

    @property
    def kind(self) -> str:
        """Kind of the store: `directory` or `s3`."""
        return "s3" if self._directory is None else "directory"

    async def put(self, key: str, data: Data) -> Stored:
        """Write an object, then read it and compare; if the bytes differ, repeat this, at most three times in all.

        Args:
            key: key of the object; if the same bytes are stored under it already, nothing is written.
            data: the content of the object; if it is larger than 8 MiB, it is sent in parts.

        Raises:
            ConflictError: other bytes are stored under the key already.
            ServiceUnreachableError: the endpoint cannot be reached.
            ServiceFaultError: the endpoint refuses the object, or after each of three attempts, the bytes that were
                read differ from `data`.
        """
        sha256 = hashlib.sha256()
        await _add(sha256, data)
        wanted = Stored(key, sha256.hexdigest(), len(data))
        for pause_s in (*_PAUSES_S, None):
            is_new = await self._create(key, data)
            found = await self.digest(key)
            if found == wanted.sha256:
                if self._directory is not None:
                    # Necessary even if the object existed: its writer may have been killed before syncing the name.
                    await sync_names(self._directory, [key])
                return wanted
            if found is not None and not is_new:
                raise ConflictError(f"other bytes are stored under {key} already (sha256 {found[:12]}…)", param="key")
            _log.warning(
                "an object that was written could not be read back",
                key=key,
                size_bytes=wanted.size_bytes,
                is_there=found is not None,
            )
            await self.delete([key])
            if pause_s is not None:
                await asyncio.sleep(pause_s)
        raise ServiceFaultError(
            f"{key} was written {len(_PAUSES_S) + 1} times, and each time other bytes were read back"
        )

    async def size(self, key: str) -> int:
        """Return the size of an object in bytes.

        Raises:
            NotFoundError: the object does not exist.
            ServiceError: the store cannot be reached, or refuses the request.
        """
        with self._request("head", key):
            return (await obstore.head_async(self._inner, key))["size"]

    async def read(self, key: str, start: int, length: int) -> bytes:
        """Read `length` bytes of an object from `start` on, or fewer if the object ends earlier.

        `start` must be less than the size of the object.
        """
        with self._request("get", key):
            return bytes(await obstore.get_range_async(self._inner, key, start=start, length=length))

    async def stream(
        self, key: str, start: int = 0, end: int | None = None, *, part_bytes: int = PART_BYTES
    ) -> AsyncIterator[bytes]:
        """Yield the bytes of an object from `start` up to `end`, part by part; `end` is None for the end of the object.

        Each part is read by a separate request. A single request for all bytes would exceed the time limit of the HTTP
        client if the caller processes the bytes slowly. Objects never change, so all parts belong to the same content.
        """
        end = await self.size(key) if end is None else end
        for position in range(start, end, part_bytes):
            yield await self.read(key, position, min(part_bytes, end - position))

    async def keys(self, transcription_id: int) -> list[str]:
        """Return the keys of all objects of a message, including temporary files that interrupted writes have left."""
        with self._request("list", str(transcription_id)):
            try:
                # obstore compares whole path segments, so the prefix `1` does not match the directory `12`.
                found = await obstore.list(self._inner, prefix=str(transcription_id)).collect_async()
            except BaseError as error:
                if lacks_bucket(error):
                    return []
                raise
        return sorted(meta["path"] for meta in found)

    async def listed(self) -> AsyncIterator[list[tuple[str, int]]]:
        """Yield the key and the size in bytes of every object, in no particular order.

        Each yielded list describes at most a thousand objects.
        """
        with self._request("list", "the bucket"):
            try:
                async for some in obstore.list(self._inner, chunk_size=_LISTED_AT_ONCE):
                    yield [(meta["path"], meta["size"]) for meta in some]
            except BaseError as error:
                if not lacks_bucket(error):
                    raise

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; objects that do not exist count as deleted."""
        with self._request("delete", ", ".join(keys[:3])):
            if isinstance(self._inner, LocalStore) and self._directory is not None:
                await delete_files(self._inner, self._directory, keys)
            else:
                await obstore.delete_async(self._inner, list(keys))

    async def check(self) -> None:
        """Raise an error if the object store cannot be reached.

        Raises:
            ServiceError: the object store cannot be reached, or refuses the access key.
        """
        try:
            await self.size(transcription_key(1))
        except NotFoundError:
            return

    async def digest(self, key: str) -> str | None:
        """Read an object and return its sha256; return None if the object does not exist."""
        sha256 = hashlib.sha256()
        try:
            async for part in self.stream(key):
                await _add(sha256, part)
        except NotFoundError:
            return None
        return sha256.hexdigest()

    async def _create(self, key: str, data: Data) -> bool:
        """Write an object if no object has this key; return whether the object was written."""
        with self._request("put", key):
            try:
                if isinstance(self._inner, LocalStore) and self._directory is not None:
                    await create_file(self._inner, self._directory, key, _parts(data), PART_BYTES)
                    return True
                return await self._create_object(key, data)
            except AlreadyExistsError:
                return False
            except FileNotFoundError as error:
                raise ServiceFaultError(f"{key} cannot be written: no such bucket") from error

    async def _create_object(self, key: str, data: Data) -> bool:
        if len(data) <= PART_BYTES:
            await obstore.put_async(self._inner, key, bytes(data), mode="create", use_multipart=False)
            return True
        # S3 cannot refuse to overwrite an object in an upload in parts. Only the workflow of a message writes its keys,
        # so no other writer can create the object between these two requests.
        try:
            await obstore.head_async(self._inner, key)
        except FileNotFoundError:
            await obstore.put_async(
                self._inner, key, _parts(data), chunk_size=PART_BYTES, max_concurrency=_PARTS_AT_ONCE
            )
            return True
        return False

    def _request(self, operation: str, subject: str) -> AbstractContextManager[None]:
        return request(operation, subject, is_directory=self._directory is not None)


async def _add(sha256: "hashlib._Hash", data: Data) -> None:
    """Add data to a sha256 hash.

    Small data are hashed in the calling thread, because this takes less time than using another thread.
    """
    if len(data) <= _SMALL_BYTES:
        sha256.update(data)
    else:
        await asyncio.to_thread(sha256.update, data)


def _parts(data: Data) -> Iterator[bytes]:
    view = memoryview(data)
    for start in range(0, max(1, len(view)), PART_BYTES):
        yield bytes(view[start : start + PART_BYTES])
