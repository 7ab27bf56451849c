"""Convert checkpoints to CTranslate2's format once, and keep the results.

    <cache>/<name of the source>-<digest of the source's path>-<quantisation>/    the CTranslate2 model
        source.json                                                               files from which the model was made

The result of a conversion is written under a temporary name and renamed when it is complete, so that a crash leaves no
incomplete model. The conversion is repeated if a file of the source has changed since the conversion, or if a file of
the result has another length than at the end of the conversion.
"""

import contextlib
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from glas.domain.errors import ModelError, ModelFileMissingError, ModelLoadError
from glas.engines.folders import written_whole
from glas.engines.json_file import read_json
from glas.engines.whisper.checkpoint import CONFIG, CONVERTED_WEIGHTS, source_files
from glas.engines.whisper.convert import Quantisation, convert
from glas.system.files import locked, replace_text, sha256_of

RECORD = "source.json"

# This number is increased when the conversion of the same checkpoint gives another result.
_VERSION = 1

_LOCK = ".lock"


def converted(source: Path, cache: Path, quantisation: Quantisation) -> Path:
    """Return the directory of the CTranslate2 model for a checkpoint; convert the checkpoint if necessary.

    Args:
        source: directory of a checkpoint or of a CTranslate2 model. If it contains a CTranslate2 model, this directory
            is returned.
        cache: directory of conversions, which is created if it is missing.
        quantisation: number format in which the matrices are stored, such as int8.

    Raises:
        ModelFileMissingError: a file of the source is missing.
        ModelLoadError: the source is damaged.
        ModelError: the cache cannot be written.
    """
    if not source.is_dir():
        raise ModelFileMissingError(f"There is no model directory {source}.")
    if (source / CONVERTED_WEIGHTS).is_file():
        return source
    label = re.sub(r"[^A-Za-z0-9._-]+", "-", source.name)
    place = hashlib.sha256(str(source.resolve()).encode()).hexdigest()[:8]
    target = cache / f"{label}-{place}-{quantisation}"
    files = source_files(source)
    if _is_current(target, files):
        return target
    try:
        cache.mkdir(parents=True, exist_ok=True)
        # Only one conversion runs at a time, because each needs much memory.
        with locked(cache / _LOCK, waits=True):
            # Another process may have made the conversion while this process waited.
            if not _is_current(target, files):
                _make(source, files, target, quantisation)
    except OSError as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{cache}: the converted model cannot be written: {error}.") from error
    return target


def _make(source: Path, files: list[Path], target: Path, quantisation: Quantisation) -> None:
    # This is done before the weights are read, so that a file that changes meanwhile is not recorded as converted.
    record: dict[str, Any] = {"version": _VERSION, "source": {path.name: _state(path) for path in files}}
    digests = {path.name: sha256_of(path) for path in files}
    with written_whole(target) as part:
        convert(source, part, quantisation)
        record["sha256"] = digests
        record["sizes"] = {path.name: path.stat().st_size for path in sorted(part.iterdir())}
        (part / RECORD).write_text(json.dumps(record, indent=2), encoding="utf-8")


def _is_current(target: Path, files: list[Path]) -> bool:
    try:
        record = read_json(target / RECORD)
    except ModelLoadError:
        return False
    if record.get("version") != _VERSION or not _is_whole(target, record.get("sizes", {})):
        return False
    if record.get("source") == {path.name: _state(path) for path in files}:
        return True
    if record.get("sha256") != {path.name: sha256_of(path) for path in files}:
        return False
    # The files have the same content but new times. The new times are recorded, so that the next start need not read
    # the files again.
    record["source"] = {path.name: _state(path) for path in files}
    with contextlib.suppress(OSError):  # a read-only cache can be used, too
        replace_text(target / RECORD, json.dumps(record, indent=2))
    return True


def _is_whole(target: Path, sizes: dict[str, int]) -> bool:
    return {CONVERTED_WEIGHTS, CONFIG} <= set(sizes) and all(
        (target / name).is_file() and (target / name).stat().st_size == size for name, size in sizes.items()
    )


def _state(path: Path) -> list[int]:
    """Return size and modification time of a file, by which a change is detected without reading the file."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]
