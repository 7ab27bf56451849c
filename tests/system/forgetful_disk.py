"""A simulated disk that loses everything that was not synced, as after a loss of power.

The rules are those of POSIX, which are harder than those of common file systems. Bytes and size of a file are safe
after fsync or fdatasync of that file. A name that was given, changed or removed is safe after fsync of its directory,
and only then. Everything else may survive or not, in any order, and of a write any sectors. In one thing the rules
follow the file systems, since POSIX is silent: a rename happens or does not, also from one directory to another.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from tests.system.system_calls import Call, Link, Make, Remove, Rename, Resize, Sync, Write

Tree: TypeAlias = dict[str, "Tree | bytes"]
"""Files and directories by name."""

_SECTOR_BYTES = 512


def read_tree(directory: Path) -> Tree:
    """Return the contents of a directory, without the files that `is_passing` names."""
    return {
        path.name: read_tree(path) if path.is_dir() else path.read_bytes()
        for path in directory.iterdir()
        if not is_passing(path.name) and (path.is_dir() or path.is_file())
    }


def write_tree(tree: Tree, directory: Path) -> None:
    """Make a directory with these contents."""
    directory.mkdir(exist_ok=True)
    for name, content in tree.items():
        if isinstance(content, bytes):
            (directory / name).write_bytes(content)
        else:
            write_tree(content, directory / name)


def is_passing(name: str) -> bool:
    """Return whether a file is useless without its process, such as SQLite's index of its log."""
    return name.endswith("-shm")


class Disk:
    """The directory of a recorded program, call by call."""

    def __init__(self, root: Path, content: Tree | None = None) -> None:
        """Begin with contents that are synced.

        Args:
            root: the absolute path; the directory itself is safe.
            content: what lies in it; nothing if None.
        """
        self._root = root
        self._directory = _Directory.of(content or {})

    def play(self, calls: Iterable[Call]) -> None:
        """Apply the recorded calls of a program; ignore calls about other directories."""
        for call in calls:
            match call:
                case Make(path=path) if self._has(path):
                    self._make(call)
                case Write(path=path) | Resize(path=path) if self._has(path):
                    self._file(path).change(call)
                case Rename(path=path, target=target) if self._has(path) or self._has(target):
                    self._rename(call)
                case Link(path=path, target=target) if self._has(target):
                    _Naming(call.ended_ns, [(self._parent(target), target.name, self._node(path))]).happen()
                case Remove(path=path) if self._has(path):
                    _Naming(call.ended_ns, [(self._parent(path), path.name, None)]).happen()
                case Sync(path=None):
                    self._directory.sync(call.began_ns, deeply=True)
                case Sync(path=Path() as path) if path == self._root or self._has(path):
                    self._node(path).sync(call.began_ns)

    def now(self) -> Tree:
        """Return the contents that programs see."""
        return self._directory.now()

    def after_power_loss(self, dice: random.Random | None = None) -> Tree:
        """Return the contents after a loss of power: of unsynced data nothing, or a random part."""
        return self._directory.left(None if dice is None else _Luck(dice))

    def _has(self, path: Path) -> bool:
        return self._root in path.parents and not is_passing(path.name)

    def _node(self, path: Path) -> "_File | _Directory":
        node: _File | _Directory = self._directory
        for name in path.relative_to(self._root).parts:
            assert isinstance(node, _Directory)
            node = node.entries[name]
        return node

    def _parent(self, path: Path) -> "_Directory":
        found = self._node(path.parent)
        assert isinstance(found, _Directory)
        return found

    def _file(self, path: Path) -> "_File":
        found = self._node(path)
        assert isinstance(found, _File)
        return found

    def _make(self, call: Make) -> None:
        parent = self._parent(call.path)
        if call.path.name not in parent.entries:
            made = _Directory() if call.is_directory else _File()
            _Naming(call.ended_ns, [(parent, call.path.name, made)]).happen()
        elif call.empties:
            self._file(call.path).change(Resize(call.began_ns, call.ended_ns, call.path, 0))

    def _rename(self, call: Rename) -> None:
        node, source, target = self._node(call.path), self._parent(call.path), self._parent(call.target)
        places = [(source, call.path.name, None), (target, call.target.name, node)]
        _Naming(call.ended_ns, places).happen()


class _Luck:
    """Decides by chance which unsynced data survives."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self._has_happened: dict[int, bool] = {}

    def spares(self, naming: "_Naming") -> bool:
        """Return whether names survive; a rename has one answer in both directories."""
        return self._has_happened.setdefault(id(naming), self.dice.random() < 1 / 2)


@dataclass(eq=False)
class _Naming:
    """Names that were added or removed in one step: directory, name, and the file that has the name now."""

    ended_ns: int
    places: "list[tuple[_Directory, str, _File | _Directory | None]]"

    def happen(self) -> None:
        for directory, name, node in self.places:
            _name(directory.entries, name, node)
        for directory in self._directories():
            directory.unsafe.append(self)

    def become_safe(self) -> None:
        """Mark data as synced, including earlier changes in the same directories."""
        for directory in self._directories():
            while directory.unsafe[0] is not self:
                directory.unsafe[0].become_safe()
        for directory, name, node in self.places:
            _name(directory.safe, name, node)
        for directory in self._directories():
            directory.unsafe.remove(self)

    def _directories(self) -> "list[_Directory]":
        return list({id(place[0]): place[0] for place in self.places}.values())


@dataclass
class _File:
    data: bytearray = field(default_factory=bytearray)
    _safe: bytearray = field(default_factory=bytearray)
    _unsafe: list[Write | Resize] = field(default_factory=list)

    def change(self, call: Write | Resize) -> None:
        if isinstance(call, Write) and call.offset is None:
            call = Write(call.began_ns, call.ended_ns, call.path, len(self.data), call.data)
        _change(self.data, call)
        self._unsafe.append(call)

    def sync(self, began_ns: int, *, deeply: bool = False) -> None:  # noqa: ARG002 - as that of a directory
        """Make safe what was written before the call began."""
        for call in self._unsafe:
            if call.ended_ns <= began_ns:
                _change(self._safe, call)
        self._unsafe = [call for call in self._unsafe if call.ended_ns > began_ns]

    def now(self) -> bytes:
        return bytes(self.data)

    def left(self, luck: _Luck | None) -> bytes:
        found = bytearray(self._safe)
        if luck is not None:
            for call in self._unsafe:
                fate = luck.dice.random()
                if fate < 1 / 3:
                    _change(found, call)
                elif fate < 2 / 3 and isinstance(call, Write):
                    _tear(found, call, luck.dice)
        return bytes(found)


@dataclass(eq=False)
class _Directory:
    entries: "dict[str, _File | _Directory]" = field(default_factory=dict)
    safe: "dict[str, _File | _Directory]" = field(default_factory=dict)
    unsafe: list[_Naming] = field(default_factory=list)

    @classmethod
    def of(cls, content: Tree) -> "_Directory":
        """Make a file whose contents are synced."""
        entries = {
            name: _File(bytearray(one), bytearray(one)) if isinstance(one, bytes) else cls.of(one)
            for name, one in content.items()
        }
        return cls(entries, dict(entries))

    def sync(self, began_ns: int, *, deeply: bool = False) -> None:
        """Make safe which names there were before the call began; with `deeply` also all below."""
        for naming in [one for one in self.unsafe if one.ended_ns <= began_ns]:
            naming.become_safe()
        if deeply:
            for node in self.entries.values():
                node.sync(began_ns, deeply=True)

    def now(self) -> Tree:
        return {name: node.now() for name, node in self.entries.items()}

    def left(self, luck: _Luck | None) -> Tree:
        found = dict(self.safe)
        for naming in self.unsafe if luck is not None else ():
            if luck is not None and luck.spares(naming):
                for directory, name, node in naming.places:
                    if directory is self:
                        _name(found, name, node)
        return {name: node.left(luck) for name, node in found.items()}


def _name(entries: "dict[str, _File | _Directory]", name: str, node: "_File | _Directory | None") -> None:
    if node is None:
        entries.pop(name, None)
    else:
        entries[name] = node


def _change(data: bytearray, call: Write | Resize) -> None:
    if isinstance(call, Write):
        assert call.offset is not None
        _put(data, call.offset, call.data)
        return
    del data[call.size :]
    data.extend(bytes(max(0, call.size - len(data))))


def _tear(data: bytearray, call: Write, dice: random.Random) -> None:
    """Write only some of the sectors."""
    assert call.offset is not None
    end = call.offset + len(call.data)
    first = call.offset - call.offset % _SECTOR_BYTES
    for sector in range(first, end, _SECTOR_BYTES):
        if dice.random() < 1 / 2:
            start, stop = max(sector, call.offset), min(sector + _SECTOR_BYTES, end)
            _put(data, start, call.data[start - call.offset : stop - call.offset])


def _put(data: bytearray, offset: int, content: bytes) -> None:
    if offset > len(data):
        data.extend(bytes(offset - len(data)))
    data[offset : offset + len(content)] = content
