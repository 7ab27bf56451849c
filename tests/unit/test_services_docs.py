"""Test that docs/services.md lists every route of the internal services, and no others."""

import re
from pathlib import Path

import pytest
from fastapi import FastAPI

from glas.clients.db_assist import DbAssistClient
from glas.clients.http import open_http
from glas.data_loader.app import create_app as create_data_loader
from glas.db_assist.app import create_app as create_db_assist
from glas.settings import Settings

DOCS = Path(__file__).parents[2] / "docs" / "services.md"


def made(part: str, settings: Settings) -> FastAPI:
    """Make the app of a service, without opening anything."""
    if part == "db_assist":
        return create_db_assist(settings, key=None)
    return create_data_loader(settings, key=None, db_assist=DbAssistClient(open_http(url="http://127.0.0.1:9")))


@pytest.mark.parametrize("part", ["db_assist", "data_loader"])
def test_every_route_is_listed(part: str, settings: Settings) -> None:
    """Method and path are as in the code."""
    text = DOCS.read_text(encoding="utf-8").split(f"## {part}")[1].split("## ")[0]
    listed = set(re.findall(r"^\| `([A-Z]+ \S+)` \|", text, re.MULTILINE))
    paths = made(part, settings).openapi()["paths"]
    routes = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert listed == routes
