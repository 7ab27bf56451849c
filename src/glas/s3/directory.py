"""Store objects as files of a directory, so that a written object is not lost if the power fails.

`LocalStore` of the library obstore is atomic: it writes a file `name#1`, and then links or renames this file. But
`LocalStore` never calls fsync (we observed this with strace). So after a loss of power, a written file could be missing
or empty. Therefore this module calls fsync.
"""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import obstore
from obstore.store import LocalStore

from glas.system.files import to_disk


async def create_file(store: LocalStore, directory: Path, key: str, parts: Iterator[bytes], part_bytes: int) -> None:
    """Write an object as a file with a temporary name, write its content to the disk (fsync), then rename the file.

    The caller must call `sync_names` afterwards, so that the new name is also on the disk.

    Args:
        store: the object of obstore that writes into the directory.
        directory: the directory of the object store.
        key: key of the object, which is also the path of the file in `directory`.
        parts: the content of the object, in pieces.
        part_bytes: number of bytes that obstore writes in one step.

    Raises:
        AlreadyExistsError: an object with this key exists already.
    """
    draft = f"{key}.{uuid.uuid4().hex}.part"
    try:
        await obstore.put_async(store, draft, parts, chunk_size=part_bytes)
        await asyncio.to_thread(to_disk, directory / draft)
        await obstore.rename_async(store, draft, key, overwrite=False)
    except BaseException:
        await _delete_file(store, draft)
        raise


async def delete_files(store: LocalStore, directory: Path, keys: Sequence[str]) -> None:
    """Delete the files of objects; files that do not exist count as deleted."""
    for key in keys:
        await _delete_file(store, key)
    await sync_names(directory, keys)


async def sync_names(directory: Path, keys: Sequence[str]) -> None:
    """Call fsync for the directories in which the objects with the keys `keys` are, or were before their deletion.

    After this, it is certain that new files stay and deleted files stay deleted, even if the power fails.
    """
    await asyncio.to_thread(_sync_names, directory, keys)


def _sync_names(directory: Path, keys: Sequence[str]) -> None:
    for folder in {(directory / key).parent for key in keys}:
        with suppress(FileNotFoundError):  # the directory was deleted together with its last object
            to_disk(folder)
    to_disk(directory)


async def _delete_file(store: LocalStore, key: str) -> None:
    with suppress(FileNotFoundError):
        await obstore.delete_async(store, key)
