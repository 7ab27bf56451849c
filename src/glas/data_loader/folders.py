"""Write the directories of the export under temporary names, sync them to disk, and rename them when they are complete.

    downloads/{score}/{id}/{id}_audio.wav, {id}_transcription.txt, {id}_transcription.json,
                                            {id}_reference.txt, {id}.json
    downloads/.export/                      the lock, the index, and unfinished directories and files

A program that reads the export never finds a directory in which a file is missing. While the directory of a message is
replaced, the message has no directory for a moment. A message never has two directories.
"""

import contextlib
import os
import shutil
import wave
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from glas.data_loader.record import Record
from glas.domain.errors import ConflictError
from glas.domain.messages import Score
from glas.domain.transcription import SAMPLE_RATE_HZ, Samples
from glas.system import files

_SCORES = tuple(str(int(score)) for score in Score)
_PCM16_BYTES = 2
_HEADER_BYTES = 44


@contextlib.contextmanager
def locked(directory: Path, on_step: Callable[[str], None]) -> Iterator["Folders"]:
    """Lock and open the directories of an export, so that no other export can open them at the same time.

    Raises:
        ConflictError: another export is running in this directory, in this process or in another process.
    """
    inner = directory / ".export"
    files.make_directory(inner)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(files.locked(inner / "lock"))
        except BlockingIOError as error:
            raise ConflictError(f"an export into {directory} is running already") from error
        yield Folders(directory, on_step)


class Folders:
    """The files and directories of an export that this process has locked.

    Methods that handle one message may be called from several threads at the same time. All other methods may be called
    from only one thread at a time.
    """

    def __init__(self, directory: Path, on_step: Callable[[str], None]) -> None:
        self.directory = directory
        self.index_path = directory / ".export" / "index.sqlite"
        self.dataset = directory / "dataset"
        self._staging = directory / ".export" / "staging"
        self._on_step = on_step

    def begin(self) -> None:
        """Prepare an export: delete the files that an interrupted export has left, and create missing directories."""
        shutil.rmtree(self._staging, ignore_errors=True)
        self._staging.mkdir()
        files.make_directory(self.dataset)

    def end(self) -> None:
        """Finish an export: delete temporary files, and the directories of scores that contain no message any more."""
        shutil.rmtree(self._staging, ignore_errors=True)
        for score in _SCORES:
            with contextlib.suppress(OSError):
                (self.directory / score).rmdir()

    def draft(self, name: str) -> Path:
        """Return the temporary path of a new directory or file."""
        return self._staging / name

    def is_complete(self, record: Record) -> bool:
        """Return whether all files of a message exist and its WAV file has the right size."""
        folder = self.directory / record.folder
        names = {record.audio_file, record.hypothesis.file, f"{record.id}.json"}
        if record.reference is not None:
            names.add(record.reference.file)
        if record.recognition_file is not None:
            names.add(record.recognition_file)
        try:
            found = {entry.name for entry in folder.iterdir()}
            audio_bytes = (folder / record.audio_file).stat().st_size
        except OSError:
            return False
        return found == names and audio_bytes == wav_bytes(record.duration_s)

    def reuse_audio(self, known: Record, draft: Path, name: str) -> bool:
        """Put the WAV file of an earlier export into the directory `draft`; return whether this file existed."""
        source = self.directory / known.folder / known.audio_file
        try:
            os.link(source, draft / name)
        except FileNotFoundError:
            return False
        except OSError:  # a file system without hard links
            shutil.copy2(source, draft / name)
            files.to_disk(draft / name)
        return True

    def write_texts(self, record: Record, draft: Path) -> None:
        """Write the texts and the JSON file of a message into the directory `draft`, and sync them to disk."""
        texts = {record.hypothesis.file: record.hypothesis.text, f"{record.id}.json": record.model_dump_json(indent=1)}
        if record.reference is not None:
            texts[record.reference.file] = record.reference.text
        for name, text in texts.items():
            (draft / name).write_text(text, encoding="utf-8", newline="")
            files.to_disk(draft / name)
        files.to_disk(draft)

    def place(self, draft: Path, record: Record) -> None:
        """Remove other directories of the message; then rename the finished directory `draft` to its name."""
        self.remove(record.id)
        self._on_step("place free")
        target = self.directory / record.folder
        files.make_directory(target.parent)
        draft.rename(target)
        files.to_disk(target.parent)

    def remove(self, transcription_id: int) -> None:
        """Remove the directory of a message.

        The export has a directory for each score, with the directories of the messages that got this score. The score
        of the message is not known here, so this method looks into all these directories.
        """
        for score in _SCORES:
            old = self.draft(f"{transcription_id}.old.{score}")
            with contextlib.suppress(FileNotFoundError):
                (self.directory / score / str(transcription_id)).rename(old)
                files.to_disk(self.directory / score)
                shutil.rmtree(old)

    def strangers(self, folders: set[str], shards: Iterable[str]) -> tuple[list[str], list[str]]:
        """Return all directories of messages except `folders`, and all dataset files except `shards`."""
        found = [
            f"{score}/{entry.name}"
            for score in _SCORES
            if (self.directory / score).is_dir()
            for entry in (self.directory / score).iterdir()
            if entry.name.isdecimal()
        ]
        files = [entry.name for entry in self.dataset.iterdir() if entry.suffix == ".parquet"]
        return sorted(set(found) - folders), sorted(set(files) - set(shards))

    def publish(self, draft: Path, target: Path) -> bool:
        """Replace the file `target` by the finished file `draft`; return False if both have the same content."""
        if target.exists() and _is_same(draft, target):
            draft.unlink()
            return False
        files.put_in_place(draft, target)
        return True


def wav_bytes(duration_s: float) -> int:
    """Return the size in bytes, with the header, of the WAV file of a recording that lasts `duration_s`."""
    return _HEADER_BYTES + _PCM16_BYTES * round(duration_s * SAMPLE_RATE_HZ)


def write_wav(path: Path, blocks: Iterable[Samples]) -> float:
    """Write samples as 16 kHz mono PCM16, and sync the file to disk; return the duration in seconds.

    Args:
        path: path of the new WAV file.
        blocks: float32 arrays of shape `(n_samples,)` in -1..1.
    """
    n_samples = 0
    with path.open("wb") as file:
        with wave.open(file, "wb") as writer:
            writer.setparams((1, _PCM16_BYTES, SAMPLE_RATE_HZ, 0, "NONE", ""))
            for block in blocks:
                n_samples += len(block)
                writer.writeframesraw(np.rint(np.clip(block, -1, 1) * 32767).astype("<i2").tobytes())
        file.flush()
        os.fsync(file.fileno())
    return n_samples / SAMPLE_RATE_HZ


def _is_same(left: Path, right: Path) -> bool:
    if left.stat().st_size != right.stat().st_size:
        return False
    with left.open("rb") as one, right.open("rb") as other:
        while block := one.read(1 << 20):
            if block != other.read(1 << 20):
                return False
    return True
