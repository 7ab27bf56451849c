"""A tiny model whose weights can be replaced under its name, and whose texts tell which weights gave them."""

from pathlib import Path

from tests.models.gigaam_layout import gigaam_ctc

LETTERS = (("а", "б", "в"), ("б", "в", "а"), ("в", "а", "б"))


def write_weights(directory: Path, turn: int) -> None:
    """Put weights in place, whole; weights of another turn write other letters for the same sound."""
    aside = gigaam_ctc(directory.with_name(f"{directory.name}.aside"), int8_says=LETTERS[turn % len(LETTERS)])
    directory.mkdir(exist_ok=True)
    for path in aside.iterdir():
        path.replace(directory / path.name)
    aside.rmdir()
