"""Test that the bodies of requests to db_assist accept what their JSON schemas permit."""

from collections.abc import Iterator
from typing import Annotated, Any

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
        if "maxLength" in option and "pattern" not in option:
            yield from ("0" * option[bound] for bound in ("minLength", "maxLength") if bound in option)
        yield from (option[bound] for bound in ("minimum", "maximum") if bound in option)


FIELDS = {f"{body.__name__}.{name}": field for body in bodies() for name, field in body.model_fields.items()}


@pytest.mark.parametrize("name", FIELDS)
def test_extreme_values_are_accepted(name: str) -> None:
    field = FIELDS[name]
    accepted: TypeAdapter[Any] = TypeAdapter(Annotated[field.annotation, Field(), *field.metadata])
    for value in extremes(accepted.json_schema()):
        assert accepted.validate_python(value) == value


@pytest.mark.parametrize(("name", "version"), [("", "a"), ("a", ""), ("a" * 513, "a"), ("a", "a" * 65)])
def test_a_model_has_a_name_and_a_version_of_limited_length(name: str, version: str) -> None:
    with pytest.raises(ValidationError):
        ModelRef(name=name, version=version)
