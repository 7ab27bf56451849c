"""Write one object if its key is free, into a directory or into a bucket."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore, S3Store

from glas.system.files import to_disk

PART_BYTES = 8 * 1024 * 1024

_PARTS_AT_ONCE = 2

Data: TypeAlias = bytes | memoryview


async def create(store: LocalStore | S3Store, directory: Path | None, key: str, data: Data) -> bool:
    """Write an object; return whether its key was free.

    Args:
        store: the store.
        directory: directory of a store whose objects are files; None for a bucket.
        key: key of the object.
        data: the whole object; more than 8 MiB are sent in parts.

    Raises:
        FileNotFoundError: there is no such bucket.
        BaseError: obstore's; the endpoint cannot be reached, or refuses the object.
    """
    try:
        if directory is None:
            return await _create_object(store, key, data)
        await _create_file(store, directory, key, data)
    except AlreadyExistsError:
        return False
    return True


async def delete_file(store: LocalStore | S3Store, key: str) -> None:
    """Delete a file; one that does not exist counts as deleted."""
    try:
        await obstore.delete_async(store, key)
    except FileNotFoundError:
        return


async def _create_file(store: LocalStore | S3Store, directory: Path, key: str, data: Data) -> None:
    """Write a file under a temporary name, sync it to disk, then rename it.

    obstore's LocalStore is atomic (it writes `name#1` and links or renames it) but never calls fsync, as strace
    showed. After a power cut the name could exist without the bytes.
    """
    draft = f"{key}.{uuid.uuid4().hex}.part"
    try:
        await obstore.put_async(store, draft, _parts(data), chunk_size=PART_BYTES)
        await asyncio.to_thread(to_disk, directory / draft)
        await obstore.rename_async(store, draft, key, overwrite=False)
    except BaseException:
        await delete_file(store, draft)
        raise
    await asyncio.to_thread(to_disk, (directory / key).parent, directory)


async def _create_object(store: LocalStore | S3Store, key: str, data: Data) -> bool:
    if len(data) <= PART_BYTES:
        await obstore.put_async(store, key, bytes(data), mode="create", use_multipart=False)
        return True
    # S3 has no condition for an upload in parts; the one writer of a message's key is its own workflow.
    try:
        await obstore.head_async(store, key)
    except FileNotFoundError:
        await obstore.put_async(store, key, _parts(data), chunk_size=PART_BYTES, max_concurrency=_PARTS_AT_ONCE)
        return True
    return False


def _parts(data: Data) -> Iterator[bytes]:
    view = memoryview(data)
    for start in range(0, max(1, len(view)), PART_BYTES):
        yield bytes(view[start : start + PART_BYTES])
