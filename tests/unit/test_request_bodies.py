"""Test that the bodies of requests to db_assist accept what their JSON schemas permit."""

from collections.abc import Iterator
from typing import Annotated, Any

import jsonschema_rs
import pytest
from pydantic import Field, TypeAdapter, ValidationError

import glas.db_assist.app  # noqa: F401 - imports all bodies
from glas.clients.bodies import RequestBody
from glas.domain.model_ref import ModelRef


def bodies(of: type[RequestBody] = RequestBody) -> Iterator[type[RequestBody]]:
    """Yield all classes of bodies, subclasses of subclasses as well."""
    for body in of.__subclasses__():
        yield body
        yield from bodies(body)


def extremes(schema: dict[str, Any]) -> Iterator[str | int]:
    """Yield the shortest and the longest text, and the least and the greatest number, that a schema permits."""
    for option in schema.get("anyOf", [schema]):
        yield from ("0" * option[bound] for bound in ("minLength", "maxLength") if bound in option)
        yield from (option[bound] for bound in ("minimum", "maximum") if bound in option)


FIELDS = [(body, name) for body in bodies() for name in body.model_fields]


@pytest.mark.parametrize(("body", "name"), FIELDS)
def test_extreme_values_are_accepted(body: type[RequestBody], name: str) -> None:
    """The JSON schema permits no text that is only NUL, because NUL is removed."""
    document, field = body.model_json_schema(), body.model_fields[name]
    schema = {"$defs": document.get("$defs", {}), **document["properties"][name]}
    permitted = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    accepted: TypeAdapter[Any] = TypeAdapter(Annotated[field.annotation, Field(), *field.metadata])
    for value in ("\x00", *extremes(schema)):
        if permitted.is_valid(value):
            accepted.validate_python(value)


@pytest.mark.parametrize(("name", "version"), [("", "a"), ("a", ""), ("a" * 513, "a"), ("a", "a" * 65)])
def test_a_model_has_a_name_and_a_version_of_limited_length(name: str, version: str) -> None:
    with pytest.raises(ValidationError):
        ModelRef(name=name, version=version)
