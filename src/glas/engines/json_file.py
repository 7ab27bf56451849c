"""Read the small JSON files that describe a model."""

import json
from pathlib import Path
from typing import Any

from glas.domain.errors import ModelLoadError


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file; return an empty object if there is no such file.

    Raises:
        ModelLoadError: the file does not contain a JSON object.
    """
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelLoadError(f"{path} is not JSON: {error}.") from error
    if not isinstance(content, dict):
        raise ModelLoadError(f"{path}: expected a JSON object, got {type(content).__name__}.")
    return content
