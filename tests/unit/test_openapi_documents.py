"""Test that the OpenAPI documents of db_assist and data_loader contain the checked bounds and the errors."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI

from glas.clients.db_assist import DbAssistClient
from glas.clients.http import open_http
from glas.data_loader.app import create_app as create_data_loader
from glas.db_assist.app import create_app as create_db_assist
from glas.settings import Settings

KEY = "a-token-for-tests-that-is-long-enough"


@pytest.fixture
async def data_loader(settings: Settings) -> AsyncIterator[FastAPI]:
    """Make the app of data_loader without starting it; its db_assist does not exist."""
    async with open_http(url="http://127.0.0.1:9") as nobody:
        yield create_data_loader(settings, key=KEY, db_assist=DbAssistClient(nobody))


@pytest.fixture
def documents(settings: Settings, data_loader: FastAPI) -> list[dict[str, Any]]:
    return [create_db_assist(settings, key=KEY).openapi(), data_loader.openapi()]


def test_every_route_names_its_key_and_the_form_of_failures(documents: list[dict[str, Any]]) -> None:
    for document in documents:
        for path, operations in document["paths"].items():
            for operation in operations.values():
                content = operation["responses"]["default"]["content"]["application/json"]
                assert content == {"schema": {"$ref": "#/components/schemas/ErrorBody"}}
                assert "422" not in operation["responses"]
                assert bool(operation["security"]) == (path not in {"/health", "/ready"}), path
        assert {"ErrorBody", "ErrorDetail"} <= set(document["components"]["schemas"])


def test_bounds_are_whole_numbers(documents: list[dict[str, Any]]) -> None:
    """Bounds such as 2^63 are whole numbers, because fractions would be rounded."""
    document = documents[0]
    moved = document["components"]["schemas"]["ChatMove"]["properties"]["new_chat_id"]
    assert (moved["minimum"], moved["exclusiveMaximum"]) == (-(2**63), 2**63)
    assert all(type(moved[bound]) is int for bound in ("minimum", "exclusiveMaximum"))


def test_a_rating_is_described_as_it_is_checked(documents: list[dict[str, Any]]) -> None:
    """The score 0 means that there is no rating, so it is not permitted."""
    assert documents[0]["components"]["schemas"]["Rating"]["properties"]["score"]["enum"] == [1, 2, 3]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/objects/5/audio", "PUT"),
        ("/objects/5", "DELETE"),
        ("/objects/7/7_audio.ogg", "GET"),
        ("/export", "GET, POST"),
    ],
)
async def test_allow_names_the_methods_of_this_path(data_loader: FastAPI, path: str, allowed: str) -> None:
    """The methods are not those of a similar path, such as DELETE of /objects/{id}."""
    async with open_http(url=None, app=data_loader, token=KEY) as client:
        refused = await client.request("PATCH", path)
    assert (refused.status_code, refused.headers["allow"]) == (405, allowed)
