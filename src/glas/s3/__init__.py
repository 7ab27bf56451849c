"""The object store: one class for a local directory or an S3 bucket.

An object is never changed: writing the same bytes again has no effect, other bytes under its key are refused. A write
succeeds only after the object was read back and compared.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import obstore
import structlog
from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, S3Store

from glas import tracing
from glas.domain.errors import (
    ConflictError,
    InvalidParameterError,
    NotFoundError,
    ServiceFaultError,
    ServiceUnreachableError,
)
from glas.domain.object_keys import transcription_key
from glas.s3.directory import create_file, delete_files, sync_names
from glas.system.files import make_directory

if TYPE_CHECKING:
    from obstore.store import S3Config  # exists for type checkers only

PART_BYTES = 8 * 1024 * 1024
_SMALL_BYTES = 128 * 1024

_PARTS_AT_ONCE = 2
_LISTED_AT_ONCE = 1000
_PAUSES_S = (0.1, 0.5)  # before the second and the third attempt at a write that did not arrive whole
_CONNECT_S = 3
_REQUEST_S = 30  # one part, there or back
_NO_BUCKET = "NoSuchBucket"
_RETRY_S = 15  # how long obstore itself tries again when the endpoint refuses or answers 5xx

Data: TypeAlias = bytes | memoryview

_log = structlog.stdlib.get_logger("glas.s3")


class Stored(NamedTuple):
    """An object that was written and read back."""

    key: str
    sha256: str
    size_bytes: int


class Store:
    """An object store, made by `open_store`. It need not be closed."""

    def __init__(self, inner: LocalStore | S3Store, directory: Path | None) -> None:
        self._inner = inner
        self._directory = directory

    @property
    def kind(self) -> str:
        """`directory` or `s3`."""
        return "s3" if self._directory is None else "directory"

    async def put(self, key: str, data: Data) -> Stored:
        """Write an object and read it back; repeat the write if both differ.

        Args:
            key: key of the object; if it already has the same bytes, nothing is written.
            data: the whole object; more than 8 MiB are sent in parts.

        Raises:
            ConflictError: the key already has other bytes.
            ServiceUnreachableError: the endpoint cannot be reached.
            ServiceFaultError: the endpoint refuses the object, or what is read back is never the same.
        """
        sha256 = hashlib.sha256()
        await _add(sha256, data)
        wanted = Stored(key, sha256.hexdigest(), len(data))
        for pause_s in (*_PAUSES_S, None):
            is_new = await self._create(key, data)
            found = await self.digest(key)
            if found == wanted.sha256:
                if self._directory is not None:
                    # Also where it was there: who wrote it may have been killed before its name was on the disk.
                    await sync_names(self._directory, [key])
                return wanted
            if found is not None and not is_new:
                raise ConflictError(f"other bytes are stored under {key} already (sha256 {found[:12]}…)", param="key")
            _log.warning("a write did not arrive", key=key, size_bytes=wanted.size_bytes, is_there=found is not None)
            await self.delete([key])
            if pause_s is not None:
                await asyncio.sleep(pause_s)
        raise ServiceFaultError(f"{key} was written {len(_PAUSES_S) + 1} times, and never read back the same")

    async def size(self, key: str) -> int:
        """Return the size of an object in bytes.

        Raises:
            NotFoundError: the object does not exist.
            ServiceError: the store cannot be reached, or refuses the request.
        """
        with self._asked("head", key):
            return (await obstore.head_async(self._inner, key))["size"]

    async def read(self, key: str, start: int, length: int) -> bytes:
        """Read `length` bytes from `start`, fewer at the end of the object; the range must begin within it."""
        with self._asked("get", key):
            return bytes(await obstore.get_range_async(self._inner, key, start=start, length=length))

    async def stream(
        self, key: str, start: int = 0, end: int | None = None, *, part_bytes: int = PART_BYTES
    ) -> AsyncIterator[bytes]:
        """Yield an object from `start` up to `end`, part by part.

        Each part is a separate request, because a single long answer would exceed the client's time limit if its reader
        is slow. Objects never change, so the parts always fit together.
        """
        end = await self.size(key) if end is None else end
        for position in range(start, end, part_bytes):
            yield await self.read(key, position, min(part_bytes, end - position))

    async def keys(self, transcription_id: int) -> list[str]:
        """Return the keys of all objects of a message, including the remains of interrupted writes."""
        with self._asked("list", str(transcription_id)):
            try:
                # obstore compares whole path segments: 1 does not find 12.
                found = await obstore.list(self._inner, prefix=str(transcription_id)).collect_async()
            except BaseError as error:
                if _NO_BUCKET in str(error):  # SeaweedFS makes it with the first object
                    return []
                raise
        return sorted(meta["path"] for meta in found)

    async def listed(self) -> AsyncIterator[list[tuple[str, int]]]:
        """Yield keys and sizes in bytes of all objects, up to a thousand at a time, without order."""
        with self._asked("list", "the bucket"):
            try:
                async for some in obstore.list(self._inner, chunk_size=_LISTED_AT_ONCE):
                    yield [(meta["path"], meta["size"]) for meta in some]
            except BaseError as error:
                if _NO_BUCKET not in str(error):  # SeaweedFS makes it with the first object
                    raise

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; those that do not exist count as deleted."""
        with self._asked("delete", ", ".join(keys[:3])):
            if isinstance(self._inner, LocalStore) and self._directory is not None:
                await delete_files(self._inner, self._directory, keys)
            else:
                await obstore.delete_async(self._inner, list(keys))

    async def check(self) -> None:
        """Check that the store can be reached.

        Raises:
            ServiceError: it cannot be reached, or refuses our keys.
        """
        try:
            await self.size(transcription_key(1))
        except NotFoundError:
            return

    async def _create(self, key: str, data: Data) -> bool:
        """Write an object if its key is free; return whether it was written."""
        with self._asked("put", key):
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
        # S3 has no condition for an upload in parts; the one writer of a message's key is its own workflow.
        try:
            await obstore.head_async(self._inner, key)
        except FileNotFoundError:
            await obstore.put_async(
                self._inner, key, _parts(data), chunk_size=PART_BYTES, max_concurrency=_PARTS_AT_ONCE
            )
            return True
        return False

    async def digest(self, key: str) -> str | None:
        """Read an object and return its sha256; None if it does not exist."""
        sha256 = hashlib.sha256()
        try:
            async for part in self.stream(key):
                await _add(sha256, part)
        except NotFoundError:
            return None
        return sha256.hexdigest()

    @contextmanager
    def _asked(self, operation: str, subject: str) -> Iterator[None]:
        """Add a span, and turn obstore's errors into ours, with only their first line; the rest is a dump."""
        try:
            with tracing.span("s3", operation):
                yield
        except FileNotFoundError as error:
            raise NotFoundError(f"nothing is stored under {subject}", param="key") from error
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise ServiceFaultError(f"the object store refuses our keys: {_first_line(error)}") from error
        except BaseError as error:
            if self._directory is None:
                raise ServiceUnreachableError(f"the object store is away: {_first_line(error)}") from error
            raise ServiceFaultError(f"the directory of the object store fails: {_first_line(error)}") from error


def open_store(
    *,
    directory: Path | None = None,
    endpoint: str | None = None,
    bucket: str = "glas",
    access_key: str | None = None,
    secret_key: str | None = None,
) -> Store:
    """Open a store: a bucket at `endpoint`, or a directory if there is no endpoint. This uses no network.

    Args:
        directory: directory in which objects are files; it is created if it is missing.
        endpoint: address of an S3 server, e.g. `http://s3:8333`.
        bucket: name of the bucket.
        access_key: with `secret_key`; without both, requests are not signed.
        secret_key: see `access_key`.
    """
    if endpoint is None:
        if directory is None:
            raise InvalidParameterError("expected a directory or an endpoint, got neither")
        make_directory(directory)
        return Store(LocalStore(directory, automatic_cleanup=True), directory)
    config: S3Config = {"skip_signature": True}
    if access_key is not None and secret_key is not None:
        config = {"access_key_id": access_key, "secret_access_key": secret_key}
    inner = S3Store(
        bucket,
        config=config,
        endpoint=endpoint,
        region="us-east-1",  # part of the signature; servers of one's own accept this one
        virtual_hosted_style_request=False,
        client_options={
            "allow_http": endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=_CONNECT_S),
            "timeout": timedelta(seconds=_REQUEST_S),
        },
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=_RETRY_S)},
    )
    return Store(inner, None)


async def _add(sha256: "hashlib._Hash", data: Data) -> None:
    """Update a hash; small data are hashed here, because that takes less time than starting a thread."""
    if len(data) <= _SMALL_BYTES:
        sha256.update(data)
    else:
        await asyncio.to_thread(sha256.update, data)


def _parts(data: Data) -> Iterator[bytes]:
    view = memoryview(data)
    for start in range(0, max(1, len(view)), PART_BYTES):
        yield bytes(view[start : start + PART_BYTES])


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
