"""Find the sample recordings that come with the program."""

from pathlib import Path


def samples_dir() -> Path | None:
    """Return the directory of the sample recordings: in the installed package, or in a checkout of the repository."""
    package = Path(__file__).resolve().parents[1]
    candidates = (package / "samples", package.parents[1] / "samples")
    return next((path for path in candidates if path.is_dir()), None)
