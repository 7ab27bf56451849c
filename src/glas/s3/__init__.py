"""The object store: a local directory or an S3 bucket behind one class.

Objects are written once: the same bytes under the same key are the same object, other bytes are refused. What was
written is read back and compared before a write counts as done.
"""

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import obstore
import structlog
from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, S3Store

from glas.domain.errors import (
    ConflictError,
    InvalidParameterError,
    NotFoundError,
    ServiceFaultError,
    ServiceUnreachableError,
)
from glas.domain.object_keys import transcription_key
from glas.system.files import to_disk

if TYPE_CHECKING:
    from obstore.store import S3Config  # exists for type checkers only

PART_BYTES = 8 * 1024 * 1024
_SMALL_BYTES = 128 * 1024

_PARTS_AT_ONCE = 2
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
    """One store; made by `open_store`. It holds no resource that would have to be closed."""

    def __init__(self, inner: LocalStore | S3Store, directory: Path | None) -> None:
        self._inner = inner
        self._directory = directory

    @property
    def kind(self) -> str:
        """`directory` or `s3`."""
        return "s3" if self._directory is None else "directory"

    async def put(self, key: str, data: Data) -> Stored:
        """Write an object, read it back, and repeat if it did not arrive whole.

        Args:
            key: where; if the same bytes are there already, nothing is written.
            data: the whole object; more than 8 MiB travel in parts.

        Raises:
            ConflictError: other bytes are there.
            ServiceUnreachableError: the endpoint does not answer.
            ServiceFaultError: it answers, but the object does not arrive or is refused.
        """
        sha256 = hashlib.sha256()
        await _add(sha256, data)
        wanted = Stored(key, sha256.hexdigest(), len(data))
        for pause_s in (*_PAUSES_S, None):
            is_new = await self._create(key, data)
            found = await self.digest(key)
            if found == wanted.sha256:
                return wanted
            if found is not None and not is_new:
                raise ConflictError(f"other bytes are stored under {key} already (sha256 {found[:12]}…)", param="key")
            _log.warning("a write did not arrive", key=key, size_bytes=wanted.size_bytes, is_there=found is not None)
            await self.delete([key])
            if pause_s is not None:
                await asyncio.sleep(pause_s)
        raise ServiceFaultError(
            f"{key} was written {len(_PAUSES_S) + 1} times, and what was read back was never the same"
        )

    async def size(self, key: str) -> int:
        """Bytes of an object.

        Raises:
            NotFoundError: there is none.
            ServiceError: the store is away or refuses.
        """
        with self._errors_of(key):
            return (await obstore.head_async(self._inner, key))["size"]

    async def read(self, key: str, start: int, length: int) -> bytes:
        """Read `length` bytes from `start`, fewer at the end of the object; the range must begin within it."""
        with self._errors_of(key):
            return bytes(await obstore.get_range_async(self._inner, key, start=start, length=length))

    async def stream(
        self, key: str, start: int = 0, end: int | None = None, *, part_bytes: int = PART_BYTES
    ) -> AsyncIterator[bytes]:
        """Read from `start` up to `end`, part by part.

        Every part is a request of its own: one long answer would run into the client's time limit whenever the
        reader is slow, and since objects never change the parts fit together.
        """
        end = await self.size(key) if end is None else end
        for position in range(start, end, part_bytes):
            yield await self.read(key, position, min(part_bytes, end - position))

    async def keys(self, transcription_id: int) -> list[str]:
        """Everything that is stored of one message, remains of interrupted writes too."""
        with self._errors_of(str(transcription_id)):
            try:
                # obstore compares whole path segments: 1 does not find 12.
                found = await obstore.list(self._inner, prefix=str(transcription_id)).collect_async()
            except BaseError as error:
                if _NO_BUCKET in str(error):  # SeaweedFS makes it with the first object
                    return []
                raise
        return sorted(meta["path"] for meta in found)

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; those that are not there count as deleted."""
        with self._errors_of(", ".join(keys[:3])):
            if self._directory is None:
                await obstore.delete_async(self._inner, list(keys))
                return
            for key in keys:
                await _delete_file(self._inner, key)
            await asyncio.to_thread(to_disk, self._directory)

    async def check(self) -> None:
        """Ask whether the store answers.

        Raises:
            ServiceError: it does not, or refuses our keys.
        """
        try:
            await self.size(transcription_key(1))
        except NotFoundError:
            return

    async def _create(self, key: str, data: Data) -> bool:
        """Write an object unless there is one; says whether it was written."""
        with self._errors_of(key):
            try:
                if self._directory is not None:
                    return await self._create_file(self._directory, key, data)
                return await self._create_object(key, data)
            except AlreadyExistsError:
                return False
            except FileNotFoundError as error:
                raise ServiceFaultError(f"{key} cannot be written: no such bucket") from error

    async def _create_file(self, directory: Path, key: str, data: Data) -> bool:
        """Write beside, make it last, then give it its name.

        obstore's LocalStore is atomic (it writes `name#1` and links or renames it) but never calls fsync, as strace
        showed: after a power cut the name could be there and the bytes not.
        """
        draft = f"{key}.{uuid.uuid4().hex}.part"
        try:
            await obstore.put_async(self._inner, draft, _parts(data), chunk_size=PART_BYTES)
            await asyncio.to_thread(to_disk, directory / draft)
            await obstore.rename_async(self._inner, draft, key, overwrite=False)
        except BaseException:
            await _delete_file(self._inner, draft)
            raise
        await asyncio.to_thread(to_disk, (directory / key).parent, directory)
        return True

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
        """The sha256 of what is stored, read whole; None if nothing is."""
        sha256 = hashlib.sha256()
        try:
            async for part in self.stream(key):
                await _add(sha256, part)
        except NotFoundError:
            return None
        return sha256.hexdigest()

    @contextmanager
    def _errors_of(self, subject: str) -> Iterator[None]:
        """Turn obstore's errors into ours; only their first line, the rest is a dump of the request."""
        try:
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
    """A store in a bucket of `endpoint`, or without one in `directory`. Nothing is asked of the network yet.

    Args:
        directory: where objects are files; made when missing.
        endpoint: address of an S3 server, e.g. `http://s3:8333`.
        bucket: name of the bucket.
        access_key: with `secret_key`; without both, requests are not signed.
        secret_key: see `access_key`.
    """
    if endpoint is None:
        if directory is None:
            raise InvalidParameterError("expected a directory or an endpoint, got neither")
        return Store(LocalStore(directory, mkdir=True, automatic_cleanup=True), directory)
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
    """Hash more bytes; a voice message's take less time than the way to a thread."""
    if len(data) <= _SMALL_BYTES:
        sha256.update(data)
    else:
        await asyncio.to_thread(sha256.update, data)


def _parts(data: Data) -> Iterator[bytes]:
    view = memoryview(data)
    for start in range(0, max(1, len(view)), PART_BYTES):
        yield bytes(view[start : start + PART_BYTES])


async def _delete_file(store: LocalStore | S3Store, key: str) -> None:
    try:
        await obstore.delete_async(store, key)
    except FileNotFoundError:
        return


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
