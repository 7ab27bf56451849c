"""Test that each measure in docs/security.md names an existing test."""

import ast
import re
from functools import cache

import pytest

from tests.conftest import ROOT

DOCS = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
_TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
_NAMED = sorted(set(_TEST.findall(DOCS)))


@cache
def _tests_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions)


@pytest.mark.parametrize(("file", "name"), _NAMED)
def test_the_named_test_exists(file: str, name: str) -> None:
    assert name.startswith("test_")
    assert name in _tests_of(file)


def test_each_threat_names_a_test_or_says_why_there_is_none() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for part in DOCS.split("\n### ")[1:]
        for line in part.split("\n## ")[0].splitlines()
        if line.startswith("| ") and not line.startswith(("| threat", "| ---"))
    ]
    assert len(rows) > 30
    for threat, _measure, tests in rows:
        assert _TEST.search(tests) or tests.removesuffix(" |").startswith("none: "), threat


def test_the_way_to_report_a_fault_is_named() -> None:
    assert "(../SECURITY.md)" in DOCS
    assert "Report" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")
