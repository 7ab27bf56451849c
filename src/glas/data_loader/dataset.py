"""Write the files that describe all messages: a NeMo manifest, and a Parquet dataset for the library `datasets`.

The Parquet files contain the sound of the messages, so the Parquet files can be used without the other files of the
export. Rows are written in groups, and only one group is in memory at a time.
"""

import errno
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from glas.data_loader.folders import wav_bytes
from glas.data_loader.record import Record, manifest_row
from glas.domain.transcription import SAMPLE_RATE_HZ

_GROUP_BYTES = 32 * 1024 * 1024
_GROUP_ROWS = 256

_COLUMNS: dict[str, pa.DataType] = {
    "id": pa.int64(),
    "text": pa.string(),
    "pred_text": pa.string(),
    "wer": pa.float64(),
    "duration": pa.float64(),
    "language": pa.string(),
    "score": pa.int64(),
    "confidence": pa.float64(),
    "speaker": pa.string(),
    "model": pa.string(),
    "model_version": pa.string(),
}
_NAMES = {pa.int64(): "int64", pa.string(): "string", pa.float64(): "float64"}

# `datasets` reads the types of the columns here; without them it would treat the audio as a struct of bytes.
_FEATURES = {"audio": {"sampling_rate": SAMPLE_RATE_HZ, "_type": "Audio"}} | {
    name: {"dtype": _NAMES[kind], "_type": "Value"} for name, kind in _COLUMNS.items()
}
SCHEMA = pa.schema(
    [pa.field("audio", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))]
    + [pa.field(name, kind) for name, kind in _COLUMNS.items()],
    metadata={"huggingface": json.dumps({"info": {"features": _FEATURES}})},
)


def write_manifest(path: Path, records: Iterable[Record]) -> None:
    """Write the NeMo manifest: one line of JSON for each message, in the order of `records`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        for record in records:
            file.write(json.dumps(manifest_row(record), ensure_ascii=False) + "\n")


def write_shard(path: Path, records: Iterable[Record], *, directory: Path) -> None:
    """Write one Parquet file of the dataset.

    Args:
        path: path of the new Parquet file.
        records: the messages that the file contains.
        directory: directory of the export, which contains the audio files of the messages.
    """
    # Audio does not compress, and its column statistics would contain whole recordings.
    plain = [name for name in SCHEMA.names if name != "audio"]
    compression = {"audio.bytes": "NONE", "audio.path": "NONE"} | dict.fromkeys(plain, "ZSTD")
    with pq.ParquetWriter(
        path, SCHEMA, compression=compression, use_dictionary=plain, write_statistics=plain
    ) as writer:
        for group in _groups(records):
            writer.write_table(_table(group, directory), row_group_size=len(group))


def _groups(records: Iterable[Record]) -> Iterator[list[Record]]:
    group: list[Record] = []
    n_bytes = 0
    for record in records:
        size = wav_bytes(record.duration_s)
        if group and (len(group) >= _GROUP_ROWS or n_bytes + size > _GROUP_BYTES):
            yield group
            group, n_bytes = [], 0
        group.append(record)
        n_bytes += size
    if group:
        yield group


def _table(group: list[Record], directory: Path) -> pa.Table:
    rows = [_row(record) for record in group]
    columns = [pa.array([row[name] for row in rows], kind) for name, kind in _COLUMNS.items()]
    return pa.Table.from_arrays([_audio(group, directory), *columns], schema=SCHEMA)


def _audio(group: list[Record], directory: Path) -> pa.StructArray:
    """Return the audio files of a group of messages as an array of Arrow, with all bytes in one buffer.

    A list of Python `bytes` objects would need three times as much memory.
    """
    sizes = [wav_bytes(record.duration_s) for record in group]
    offsets = np.cumsum([0, *sizes], dtype=np.int32)
    data = bytearray(int(offsets[-1]))
    with memoryview(data) as view:
        for record, start, size in zip(group, offsets, sizes, strict=False):
            _read_into(view[start : start + size], directory / record.folder / record.audio_file)
    sound = pa.Array.from_buffers(pa.binary(), len(group), [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    return pa.StructArray.from_arrays([sound, pa.array([one.audio_file for one in group])], ["bytes", "path"])


def _read_into(target: memoryview, path: Path) -> None:
    with path.open("rb", buffering=0) as file:
        while len(target):
            n_read = file.readinto(target)
            if not n_read:
                raise FileNotFoundError(errno.ENOENT, "shorter than it was written", str(path))
            target = target[n_read:]


def _row(record: Record) -> dict[str, Any]:
    return {
        "id": record.id,
        "text": None if record.reference is None else record.reference.text,
        "pred_text": record.hypothesis.text,
        "wer": record.wer,
        "duration": record.duration_s,
        "language": record.language,
        "score": int(record.score),
        "confidence": record.hypothesis.confidence,
        "speaker": record.speaker,
        "model": record.hypothesis.model,
        "model_version": record.hypothesis.model_version,
    }
