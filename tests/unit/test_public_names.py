"""Test that only marked adapters use private names of libraries, because releases may change such names."""

import ast
from collections.abc import Iterator
from pathlib import Path

from glas.engines.layouts import GIGAAM_V3_CTC, T_ONE, vocabulary_of

SOURCE = Path(__file__).parents[2] / "src" / "glas"

# By their documentation public, in spite of the underscore: of named tuples, of `os`, of ctypes.
_PUBLIC = {"_replace", "_asdict", "_fields", "_make", "_exit", "_fields_"}
_MARK = "ADAPTER: "


def is_private(name: str) -> bool:
    """Return whether a name begins with one underscore and is not documented."""
    return name.startswith("_") and not name.startswith("__") and name not in _PUBLIC


def private_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Return lines and names: attributes of other objects, imports, and names in strings for `getattr`."""
    own = set(_own(tree))
    for node in ast.walk(tree):
        for name in filter(is_private, _used(node, own)):
            yield node.lineno, name  # type: ignore[attr-defined] # all these nodes have one


def _used(node: ast.AST, own: set[str]) -> list[str]:
    """Return the names of other objects that a node uses."""
    match node:
        case ast.Attribute(value=ast.Name(id="self" | "cls")):
            return []
        case ast.Attribute(attr=name):
            return [name] if name not in own else []
        case ast.ImportFrom(module=module, names=names):
            return [*(module or "").split("."), *(one.name for one in names)]
        case ast.Import(names=names):
            return [part for one in names for part in one.name.split(".")]
        case ast.Call(func=ast.Name(id="getattr" | "setattr" | "hasattr"), args=[_, ast.Constant(value=str(name)), *_]):
            return [name]
    return []


def _own(tree: ast.Module) -> Iterator[str]:
    """Return the names that a module defines or sets on its objects."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Attribute(attr=name, value=ast.Name(id="self" | "cls"), ctx=ast.Store()):
                yield name


def adapters() -> list[Path]:
    """Return the marked modules."""
    return [path for path in sorted(SOURCE.rglob("*.py")) if path.read_text("utf-8").startswith(f'"""{_MARK}')]


def test_only_adapters_use_private_names() -> None:
    marked = adapters()
    found = [
        f"{path.relative_to(SOURCE)}:{line}: {name}"
        for path in sorted(SOURCE.rglob("*.py"))
        if path not in marked
        for line, name in private_names(ast.parse(path.read_text("utf-8")))
    ]
    assert found == []


def test_there_is_one_adapter_for_each_library() -> None:
    assert [path.relative_to(SOURCE).as_posix() for path in adapters()] == ["durable/dbos_adapter.py"]


def test_private_names_are_seen() -> None:
    """All forms are found; a module's own names and documented names are not reported."""
    code = """
import library._inner
from library import _secret, known
from library._inner import thing
known._attribute
getattr(known, "_vocab", None)
class Own:
    def __init__(self):
        self._mine = 1
    def same(self, other):
        return self._mine == other._mine and row._replace(a=1)
"""
    assert sorted(name for _, name in private_names(ast.parse(code))) == [
        "_attribute",
        "_inner",
        "_inner",
        "_secret",
        "_vocab",
    ]


def test_a_vocabulary_is_read_from_the_files_of_its_model(tmp_path: Path) -> None:
    """Vocabularies are read as onnx-asr reads them: a token and its number in each line, or the list of T-one."""
    (tmp_path / "v3_vocab.txt").write_text("▁ 0\nа 1\n<blk> 2\n", "utf-8")
    assert vocabulary_of(tmp_path, GIGAAM_V3_CTC) == ("▁", "а", "<blk>")
    (tmp_path / "config.json").write_text('{"decoder_params": {"vocabulary": ["а", "б", " "]}}', "utf-8")
    assert vocabulary_of(tmp_path, T_ONE) == ("а", "б", " ")
    assert vocabulary_of(tmp_path / "nothing", T_ONE) == ()
