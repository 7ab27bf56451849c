"""Write and read the log of deletions, a file beside the database; the restore of a backup repeats these deletions.

The log contains ids of rows and messages but no Telegram ids. The first line of the log contains the name of the
installation, so that the log of another installation is never used. With PostgreSQL there is no such file, and a backup
makes the log from the rows of the database.
"""

import contextlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from glas.system.files import append_line, put_in_place, to_disk

FILE: Final = "deletions.jsonl"

_log = structlog.stdlib.get_logger("glas.db")


class Deletion(BaseModel):
    """One request to delete all data about a person, or single messages of a person."""

    model_config = ConfigDict(frozen=True)

    user_id: int | None
    """The id of the person's row. This id does not show who the person is. None for messages of an unknown person."""
    transcription_ids: tuple[int, ...]
    deletion_datetime: datetime
    is_of_messages: bool = False
    """Whether only messages of the person were deleted, and not the other data of the person."""


class _Head(BaseModel):
    installation: str


class DeletionLog:
    """The log of deletions in one file; lines are appended and never changed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def installation(self) -> str:
        """Return the name of the installation; if the log does not exist, create the log with a new name."""
        if not self.path.exists():
            draft = self._draft(secrets.token_hex(8), ())
            # If two processes do this at the same time, only one of them creates the log.
            with contextlib.suppress(FileExistsError):
                self.path.hardlink_to(draft)
            draft.unlink()
            to_disk(self.path.parent)
        return _Head.model_validate_json(self._lines()[0]).installation

    def add(self, deletion: Deletion) -> None:
        """Append a deletion to the log, and return when it is on the disk."""
        self.installation()
        append_line(self.path, deletion.model_dump_json())

    def read(self) -> list[Deletion]:
        """Return all deletions in the log.

        An incomplete line is ignored: the program crashed while it wrote the line, so the deletion had not begun.
        """
        found = list[Deletion]()
        for line in self._lines()[1:]:
            try:
                found.append(Deletion.model_validate_json(line))
            except ValidationError:
                _log.warning("a line of the log of deletions cannot be read", path=str(self.path))
        return found

    def write(self, installation: str, deletions: Iterable[Deletion]) -> None:
        """Replace the log by a new file; the old file stays until the new file is completely on the disk."""
        put_in_place(self._draft(installation, deletions), self.path)

    def _draft(self, installation: str, deletions: Iterable[Deletion]) -> Path:
        draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        lines = [_Head(installation=installation), *deletions]
        draft.write_text("".join(f"{line.model_dump_json()}\n" for line in lines), encoding="utf-8")
        to_disk(draft)
        return draft

    def _lines(self) -> list[str]:
        try:
            return self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []


def merged(*logs: Iterable[Deletion]) -> list[Deletion]:
    """Return the deletions of several logs, in the order of time; each deletion occurs only once in the result."""
    return sorted({deletion for log in logs for deletion in log}, key=lambda one: one.deletion_datetime)
