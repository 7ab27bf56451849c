"""Write the checkpoint, so that a server can be measured with it.

python -m benchmarks.whisper_small DIRECTORY dynamic    may be heard at its true length; three tokens a second
python -m benchmarks.whisper_small DIRECTORY 12         must be heard in the full window; twelve tokens for each text
"""

import sys
from pathlib import Path

from benchmarks.whisper_small.checkpoint import end_after, end_by_length, make_checkpoint


def main(directory: Path, kind: str) -> None:
    """Write it; about 1 GB."""
    make_checkpoint(directory)
    if kind == "dynamic":
        end_by_length(directory)
    else:
        end_after(directory, int(kind))
    card = f"---\ndynamic_context: {str(kind == 'dynamic').lower()}\n---\nRandom weights: it hears nothing.\n"
    (directory / "README.md").write_text(card, encoding="utf-8")


if __name__ == "__main__":
    match sys.argv[1:]:
        case [place, kind]:
            main(Path(place), kind)
        case _:
            raise SystemExit(__doc__)
