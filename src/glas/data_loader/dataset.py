"""The files made from all messages: NeMo's manifest, and a dataset in Parquet that Hugging Face's `datasets` loads.

Audio is embedded, so that the dataset can be copied alone. Rows are written group by group: memory holds one group.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

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
}
_NAMES = {pa.int64(): "int64", pa.string(): "string", pa.float64(): "float64"}

# `datasets` reads its features from here; without them it would take the audio for a struct of bytes.
_FEATURES = {"audio": {"sampling_rate": SAMPLE_RATE_HZ, "_type": "Audio"}} | {
    name: {"dtype": _NAMES[kind], "_type": "Value"} for name, kind in _COLUMNS.items()
}
SCHEMA = pa.schema(
    [pa.field("audio", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))]
    + [pa.field(name, kind) for name, kind in _COLUMNS.items()],
    metadata={"huggingface": json.dumps({"info": {"features": _FEATURES}})},
)


def write_manifest(path: Path, records: Iterable[Record]) -> None:
    """Write one line of JSON for each message, in the given order."""
    with path.open("w", encoding="utf-8", newline="") as file:
        for record in records:
            file.write(json.dumps(manifest_row(record), ensure_ascii=False) + "\n")


def write_shard(path: Path, records: Iterable[Record], *, directory: Path) -> None:
    """Write a dataset file.

    Args:
        path: of the new file.
        records: its messages.
        directory: the export, where their audio lies.
    """
    # Sound neither repeats nor compresses; statistics of it would be whole recordings.
    plain = [name for name in SCHEMA.names if name != "audio"]
    compression = {"audio.bytes": "NONE", "audio.path": "NONE"} | dict.fromkeys(plain, "ZSTD")
    with pq.ParquetWriter(
        path, SCHEMA, compression=compression, use_dictionary=plain, write_statistics=plain
    ) as writer:
        for group in _groups(records, directory):
            writer.write_table(pa.Table.from_pylist(group, schema=SCHEMA), row_group_size=len(group))


def _groups(records: Iterable[Record], directory: Path) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    n_bytes = 0
    for record in records:
        audio = (directory / record.folder / record.audio_file).read_bytes()
        if group and (len(group) >= _GROUP_ROWS or n_bytes + len(audio) > _GROUP_BYTES):
            yield group
            group, n_bytes = [], 0
        group.append(_row(record, audio))
        n_bytes += len(audio)
    if group:
        yield group


def _row(record: Record, audio: bytes) -> dict[str, Any]:
    return {
        "audio": {"bytes": audio, "path": record.audio_file},
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
    }
