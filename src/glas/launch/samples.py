"""Sample messages that come with the program."""

from pathlib import Path


def samples_dir() -> Path | None:
    """Return the directory of the sample messages: in the installed package, or beside the sources of a checkout."""
    package = Path(__file__).resolve().parents[1]
    candidates = (package / "samples", package.parents[1] / "samples")
    return next((path for path in candidates if path.is_dir()), None)
