"""Test that commands in README.md and docs/ exist: commands with options, targets of make, files, Python."""

import ast
import re
import shlex
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import pairwise

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command

from glas.cli import app
from glas.settings import rows
from tests.conftest import ROOT

# Lab notes tell what was typed then.
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(set(ROOT.glob("docs/**/*.md")) - {ROOT / "docs" / "lab-notes.md"}),
    *sorted(ROOT.glob("models/*/README.md")),
]
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in DOCUMENTS}
TARGETS = set(re.findall(r"(?m)^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8")))
VARIABLES = {row.variable for row in rows()} | set(
    re.findall(r"\$\{(\w+)", "".join(path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("compose*.yaml"))))
)

_BLOCK = re.compile(r"(?ms)^```(\w+)\n(.*?)^```")
# Words between backquotes that begin as a command does; in prose a command may stand without its arguments.
_SPAN = re.compile(r"`((?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?(?:glas|make) (?!-- )[^`]+)`")


def blocks(language: str) -> list[tuple[str, str]]:
    """Return document and text of all fenced blocks."""
    return [(name, body) for name, text in TEXTS.items() for found, body in _BLOCK.findall(text) if found == language]


def commands(script: str) -> Iterator[list[str]]:
    """Return the simple commands of a script, each as words, without comments, with continued lines joined."""
    for line in script.replace("\\\n", " ").splitlines():
        words = shlex.shlex(line, posix=True, punctuation_chars=True)
        words.whitespace_split = True
        command: list[str] = []
        for word in words:
            if set(word) <= set("&|;<>()"):
                yield command
                command = []
            else:
                command.append(word)
        yield command


def check(words: list[str], *, is_whole: bool) -> None:
    """Fail if a command is none of ours, or would not be understood; commands of other programs pass.

    Args:
        words: of the command.
        is_whole: whether its arguments must be there too.
    """
    while words and re.fullmatch(r"[A-Z][A-Z0-9_]*=.*", words[0]):
        name, words = words[0].partition("=")[0], words[1:]
        assert not name.startswith("GLAS_") or name in VARIABLES, name
    match words:
        case ["make", target, *_]:
            assert target in TARGETS, target
        case ["glas" | ".venv/bin/glas", *rest]:
            parse(rest, is_whole=is_whole)
        case ["docker", "compose", *rest]:
            files = [value for option, value in pairwise(rest) if option == "-f"]
            assert [name for name in files if not (ROOT / name).is_file()] == []


def parse(words: list[str], *, is_whole: bool) -> None:
    """Parse the words after `glas` as the command line does, without running the command."""
    command = get_command(app)
    while isinstance(command, TyperGroup) and words and not words[0].startswith("-"):
        assert words[0] in command.commands, f"glas has no command {words[0]!r}"
        command, words = command.commands[words[0]], words[1:]
    if isinstance(command, TyperGroup):
        assert not is_whole or words or command.invoke_without_command, f"{command.name} needs a command"
        return
    try:
        command.make_context(command.name, list(words))
    except typer.BadParameter as error:
        if is_whole or type(error).__name__ != "MissingParameter":
            raise


def test_there_is_something_to_check() -> None:
    assert len(blocks("sh")) >= 10
    assert len(blocks("python")) >= 2
    assert sum(len(_SPAN.findall(text)) for text in TEXTS.values()) >= 40


@pytest.mark.parametrize(("document", "script"), blocks("sh"))
def test_every_example_is_understood(document: str, script: str) -> None:
    """The shell parses each block, and `glas` parses each of its commands with arguments and options."""
    checked = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert checked.returncode == 0, (document, checked.stderr)
    for words in commands(script):
        check(words, is_whole=True)


@pytest.mark.parametrize("document", TEXTS)
def test_every_command_in_prose_is_understood(document: str) -> None:
    for span in _SPAN.findall(TEXTS[document]):
        for words in commands(span):
            check(words, is_whole=False)


@pytest.mark.parametrize(("document", "source"), blocks("python"))
def test_every_module_that_python_imports_is_there(document: str, source: str) -> None:
    """Imported modules exist; other tests run the snippets."""
    modules: list[str] = []
    for node in ast.walk(ast.parse(source, document)):
        match node:
            case ast.Import(names=names):
                modules += [one.name for one in names]
            case ast.ImportFrom(module=str(module)):
                modules.append(module)
    assert modules
    assert [name for name in modules if find_spec(name) is None] == []


@pytest.mark.parametrize("document", TEXTS)
def test_every_file_of_ours_is_there(document: str) -> None:
    """Linked files, and files between backquotes, exist."""
    text, here = TEXTS[document], (ROOT / document).parent
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if link and not (here / link).exists()] == []
    named = re.findall(r"`((?:src|tests|benchmarks|samples|models|requirements)/[\w./-]+)`", text)
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("glas transcripe a.ogg", "no command"),
        ("glas transcribe a.ogg --form srt", "No such option"),
        ("glas transcribe", "Missing"),
        ("GLAS_MODLE=auto glas run", "GLAS_MODLE"),
        ("make tset", "tset"),
        ("cd x && glas backup", "Missing"),
        ("docker compose -f composer.yaml up", "composer"),
    ],
)
def test_what_is_wrong_is_found(line: str, complaint: str) -> None:
    found = list(commands(line))
    with pytest.raises(Exception, match=complaint):
        check(found[-1], is_whole=True)
