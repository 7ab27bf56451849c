"""A tiny model whose weights can be replaced under its name; its texts show which weights wrote them."""

from pathlib import Path

from glas.engines.catalogue import choose
from tests.models.gigaam_layout import gigaam_ctc

LETTERS = (("а", "б", "в"), ("б", "в", "а"), ("в", "а", "б"))


def write_weights(directory: Path, turn: int) -> None:
    """Write weights in one step; each version of the weights writes other letters for the same sound."""
    aside = gigaam_ctc(directory.with_name(f"{directory.name}.aside"), int8_says=LETTERS[turn % len(LETTERS)])
    directory.mkdir(exist_ok=True)
    for path in aside.iterdir():
        path.replace(directory / path.name)
    aside.rmdir()


def write_two(models_dir: Path) -> list[str]:
    """Put two small models into a directory of models, the first of which is the champion; return their names."""
    models_dir.mkdir(parents=True, exist_ok=True)
    for turn in (0, 1):
        write_weights(models_dir / f"small-{turn}", turn)
    names = [f"onnx:{(models_dir / f'small-{turn}').resolve()}" for turn in (0, 1)]
    choose(names[0], models_dir)
    return names
