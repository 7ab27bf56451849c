"""Record from which messages the files of a directory were made, to delete the files when a message is deleted.

A training, for example, writes reports and other files that contain words or sound of exported messages. Each directory
with such files also contains a list of these messages. When a message is no longer exported, for example because a
person deleted this message, these lists show which files must be deleted.
"""

import json
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from glas.system.files import make_directory, replace_text, to_disk

LIST: Final = "messages.json"


def note_messages(folder: Path, audio: Iterable[Path], *, harmless: Collection[str] = ()) -> None:
    """Write the list of messages of a directory. Call this before words or sound of these messages are written.

    Args:
        folder: the directory, which is created if it is missing.
        audio: paths of recordings; recordings that are not part of an export are ignored.
        harmless: names of files in the directory that contain neither words nor sound, and are never deleted.
    """
    numbers = sorted({number for path in audio if (number := message_of(path)) is not None})
    if not numbers:
        return
    make_directory(folder)
    replace_text(folder / LIST, json.dumps({"messages": numbers, "harmless": sorted(harmless)}) + "\n")


def message_of(audio: Path) -> int | None:
    """Return the id of the message to which an audio file belongs; None if the file is not part of an export."""
    name = audio.parent.name
    return int(name) if name.isdecimal() and (audio.parent / f"{name}.json").is_file() else None


def delete_stale(places: Iterable[Path], exported: Collection[int]) -> list[Path]:
    """Delete the files with words or sound in each directory that lists a message which is no longer exported.

    Args:
        places: directories that are searched, with all their subdirectories.
        exported: ids of all messages that are exported now.

    Returns:
        The directories in which files were deleted.
    """
    stale = [path.parent for place in places for path in place.rglob(LIST) if not _read(path)[0] <= set(exported)]
    for folder in stale:
        delete_messages(folder)
    return stale


def delete_messages(folder: Path) -> None:
    """Delete all files with words or sound in a directory; the list of messages is deleted last."""
    harmless = _read(folder / LIST)[1]
    for path in folder.iterdir():
        if path.name in harmless or path.name == LIST:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    # Delete the list only when the deletions are on the disk. If files reappeared after a loss of power, the list would
    # be needed to delete them again.
    to_disk(folder)
    (folder / LIST).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def _read(path: Path) -> tuple[set[int], set[str]]:
    """Read the list of a directory: the ids of its messages, and the names of its files without words or sound.

    If the list cannot be read, return the id of a message that does not exist, so that `delete_stale` deletes the files
    of the directory.
    """
    try:
        told = json.loads(path.read_bytes())
        return set(told["messages"]), set(told["harmless"])
    except (OSError, ValueError, TypeError, KeyError):
        return {-1}, set()
