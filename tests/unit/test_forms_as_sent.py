"""Test the rule by which requests that are meant to be wrong are not counted if a right form arrives at nn_service."""

from typing import Any

import pytest

from glas.nn_service.app import create_app
from glas.settings import Settings
from tests.fuzz.forms import is_right_as_sent


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """Make the OpenAPI document of nn_service."""
    return create_app(Settings(_env_file=None), key=None).openapi()


def is_right(document: dict[str, Any], route: str, fields: dict[str, object]) -> bool:
    content = document["paths"][f"/v1/audio/{route}"]["post"]["requestBody"]["content"]
    schema = content["multipart/form-data"]["schema"]
    return is_right_as_sent({"file": ""} | fields, schema, document["components"])


@pytest.mark.parametrize(
    ("route", "fields"),
    [
        ("comparisons", {"text": 8.9e-97}),
        ("comparisons", {"text": ["да"]}),
        ("transcriptions", {"keywords[]": [[True, "\udacd"], {"a": None}]}),
        ("transcriptions", {"keywords[]": 5}),
        ("transcriptions", {"timestamp_granularities[]": []}),
        ("transcriptions", {"timestamp_granularities[]": [[]]}),
        ("transcriptions", {"language": "ru"}),
        ("transcriptions", {"languages[]": "AAA"}),
        ("transcriptions", {"temperature": "0.5"}),
    ],
)
def test_a_wrong_value_can_arrive_as_a_right_one(
    document: dict[str, Any], route: str, fields: dict[str, object]
) -> None:
    assert is_right(document, route, fields)


@pytest.mark.parametrize(
    ("route", "fields"),
    [
        ("comparisons", {"text": ["да", "нет"]}),
        ("comparisons", {"text": []}),
        ("comparisons", {"text": ""}),
        ("comparisons", {"text": [[1] * 5_000]}),
        ("comparisons", {}),
        ("transcriptions", {"keywords[]": ["a"] * 201}),
        ("transcriptions", {"timestamp_granularities[]": [5]}),
        ("transcriptions", {"language": 5}),
        ("transcriptions", {"languages[]": {}}),
        ("transcriptions", {"temperature": "warm"}),
        ("transcriptions", {"temperature": 2}),
        ("transcriptions", {"stream": 0}),
        ("transcriptions", {"response_format": False}),
        ("transcriptions", {"own_model": None}),
    ],
)
def test_a_wrong_value_can_stay_wrong(document: dict[str, Any], route: str, fields: dict[str, object]) -> None:
    assert not is_right(document, route, fields)


def test_only_an_object_is_a_form(document: dict[str, Any]) -> None:
    assert not is_right_as_sent([1], {"type": "object", "properties": {}}, document["components"])
