"""Test that docs/architecture.md agrees with the code: modules, classes, defaults of settings, and layers."""

import importlib
import re
import tomllib
from pathlib import Path

import pytest

from glas.settings import rows

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
DEFAULTS = {row.variable: row.default for row in rows()}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(glas(?:\.\w+)+)`", DOCS))))
def test_what_is_named_is_there(name: str) -> None:
    module, attributes = name, list[str]()
    while True:
        try:
            found: object = importlib.import_module(module)
            break
        except ModuleNotFoundError:
            module, _, last = module.rpartition(".")
            assert module, f"{name} is not there"
            attributes.insert(0, last)
    for attribute in attributes:
        found = getattr(found, attribute)


def test_settings_have_the_defaults_that_are_told() -> None:
    told = re.findall(r"`(GLAS_\w+)` \((\d+)", DOCS)
    assert len(told) > 10
    assert {name: float(default) for name, default in told} == {name: float(DEFAULTS[name]) for name, _ in told}
    assert set(re.findall(r"GLAS_\w+", DOCS)) == {name for name, _ in told}


def test_the_layers_are_those_that_are_checked() -> None:
    """The document lists every package in the row of its layer."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    checked = [set(re.findall(r"glas\.\w+", layer)) - {"glas.__main__"} for layer in contracts[0]["layers"]]
    table = DOCS.partition("## Layers")[2].partition("\n## ")[0]
    drawn = [set(re.findall(r"`(glas\.\w+)`", row)) for row in table.splitlines() if row.startswith("| ")][2:]
    assert drawn == [layer for layer in checked if layer]


def test_every_step_is_drawn_and_told() -> None:
    drawn = re.findall(r'\[\(?"(\d+) ', DOCS)
    assert drawn == re.findall(r"^\| (\d+) \|", DOCS, re.MULTILINE) == [str(step) for step in range(1, len(drawn) + 1)]
