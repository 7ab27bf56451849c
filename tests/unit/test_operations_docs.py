"""Test that the commands, settings and containers in docs/operations.md exist."""

import re

from glas.cli import app
from glas.settings import Settings, rows
from glas.settings.files import secret_variables
from tests.conftest import ROOT

DOCS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
COMPOSE = "".join(path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("compose*.yaml")))


def test_every_command_exists() -> None:
    """Each `glas WORD` and `make WORD` in prose and examples exists."""
    commands = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    assert set(re.findall(r"(?<![\w-])glas (?!-)([a-z]+)", DOCS)) <= commands
    targets = re.findall(r"(?m)^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert set(re.findall(r"(?m)(?:^|`)make ([a-z-]+)", DOCS)) <= set(targets)


def test_every_variable_exists() -> None:
    """Each variable belongs to the program or to a file of Compose."""
    files = {f"{variable}_FILE" for variable, _ in secret_variables(Settings, "GLAS_")}
    known = {row.variable for row in rows()} | files | set(re.findall(r"\$\{(\w+)", COMPOSE))
    assert set(re.findall(r"\bGLAS_[A-Z0-9_]+\b", DOCS)) <= known


def test_every_container_exists() -> None:
    """Each container that the document mentions exists."""
    services = set(re.findall(r"(?m)^  (\w+):$", COMPOSE))
    named = re.findall(r"docker compose (?:exec -T|exec|stop|start|run --rm|up -d) ([a-z]\w*)", DOCS)
    assert set(named) <= services
    assert {"model", "tg_bot", "migrate"} <= set(named)
