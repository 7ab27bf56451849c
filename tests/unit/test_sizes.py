"""Test that no module has more than 300 lines, and no function more than 60 lines."""

import ast
from collections.abc import Iterator

from tests.conftest import ROOT

SOURCE = ROOT / "src" / "glas"
MOST_LINES_OF_A_MODULE = 300
MOST_LINES_OF_A_FUNCTION = 60


def functions(text: str) -> Iterator[tuple[str, int]]:
    """Return the names of all functions and methods with their lines; decorators and docstrings count."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            yield node.name, node.end_lineno - first + 1


def test_no_module_is_long() -> None:
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in SOURCE.rglob("*.py")}
    assert len(lines) > 100
    assert {str(path): n for path, n in lines.items() if n > MOST_LINES_OF_A_MODULE} == {}


def test_no_function_is_long() -> None:
    found = {
        f"{path.relative_to(SOURCE)}: {name}": n
        for path in SOURCE.rglob("*.py")
        for name, n in functions(path.read_text("utf-8"))
        if n > MOST_LINES_OF_A_FUNCTION
    }
    assert found == {}


def test_functions_are_measured_whole() -> None:
    text = 'class A:\n    @wraps\n    async def b(self):\n        """Do it."""\n\n        return 1\n'
    assert list(functions(text)) == [("b", 5)]
