"""Tell what arrives of a form: a form consists of texts and files, so a number in it arrives as its letters."""

import json
import re
from collections.abc import Mapping
from typing import Any

import jsonschema_rs

# The code of a language, with or without a region, or one of the names that tests use.
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-\w+)*|auto|Russian")


def is_right_as_sent(body: object, schema: Mapping[str, Any], components: Mapping[str, Any]) -> bool:
    """Return whether the fields of a form conform to their document as the server reads them.

    Args:
        body: the fields before they are sent, of any types.
        schema: schema of the form in the OpenAPI document.
        components: what the OpenAPI document defines under `components`, to which `schema` may refer.
    """
    if not isinstance(body, dict):
        return False
    document = {"components": components, **schema}
    validator = jsonschema_rs.Draft202012Validator(
        document, validate_formats=True, formats={"bcp47": lambda text: _LANGUAGE.fullmatch(text) is not None}
    )
    properties = _resolved(schema, components)["properties"]
    return validator.is_valid(
        {
            name: _as_read(value, _resolved(properties.get(name, {}), components).get("type"))
            for name, value in body.items()
            if value != []  # nothing is sent
        }
    )


def _resolved(schema: Mapping[str, Any], components: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema to which `schema` refers, or `schema` itself."""
    name = schema.get("$ref", "").removeprefix("#/components/schemas/")
    return components["schemas"][name] if name else schema


def _as_read(value: object, kind: str | None) -> object:
    """Return a field as the server reads it if its document says that it is of `kind`."""
    texts = [_text(one) for one in (value if isinstance(value, list) else [value])]
    if kind == "array":
        return [one for text in texts for one in _listed(text)]
    if len(texts) > 1:
        return texts
    return _parsed(texts[0]) if kind in {"boolean", "integer", "number"} else texts[0]


def _text(value: object) -> str:
    return str(value) if isinstance(value, str) else json.dumps(value)


def _listed(text: str) -> list[str]:
    """Return the values of a list: it can be sent as one text in the notation of JSON."""
    found = _parsed(text)
    return [str(one) for one in found] if isinstance(found, list) else [text]


def _parsed(text: str) -> object:
    """Return the value that a text denotes in the notation of JSON, or the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
