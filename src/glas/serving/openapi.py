"""Correct FastAPI's OpenAPI document: declare the body of error answers and the bearer key, remove the status 422."""

from collections.abc import Collection
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field

from glas.serving.gate import PROBES

_CAUSES: Final = {
    400: "The request or its recording is not valid. `param` contains the name of the field with the error.",
    401: "The request has no API key, or a key that the server does not know.",
    403: "The API key is known, but does not permit this request.",
    404: "The thing that the request names, such as a model, does not exist.",
    409: "The request is not possible in the present state of the server, for example while another download runs.",
    413: "The request has more bytes than the server permits.",
    500: "The service failed because of an internal error.",
    503: "The service has too much work, is not ready or is stopping. The header `Retry-After` contains the time in "
    "seconds after which the client should repeat the request.",
    504: "The service did not finish the request before the deadline of the server.",
}
_SCHEME: Final = "key"
_BUSY: Final = 503
_BOUNDS: Final = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})


class ErrorDetail(BaseModel):
    """The description of an error: message, type, parameter and code."""

    message: str
    type: str = Field(
        description="Kind of the error. `invalid_request_error` means that the request must be changed. "
        "`server_error` means that the service failed."
    )
    param: str | None = Field(
        description="Name of the field of the request that caused the error. null if no single field caused it."
    )
    code: str = Field(description="Name of the error for programs. It stays the same in later versions.")


class ErrorBody(BaseModel):
    """The body of every answer that reports an error, in the format of OpenAI's API."""

    error: ErrorDetail


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the declaration of a route's error statuses.

    401 and 500 are added, because every route may return them.
    """
    declared: dict[int | str, dict[str, Any]] = {
        status: {"model": ErrorBody, "description": _CAUSES[status]} for status in sorted({401, 500, *statuses})
    }
    if _BUSY in declared:
        declared[_BUSY]["headers"] = {
            "Retry-After": {
                "schema": {"type": "integer"},
                "description": "Time in seconds after which the client should repeat the request.",
            }
        }
    return declared


def describe(
    app: FastAPI,
    description: str,
    *,
    needs_key: bool,
    open_paths: Collection[str] = PROBES,
    declares_failures: bool = False,
) -> None:
    """Change the OpenAPI document that FastAPI makes: declare the bearer key, and remove FastAPI's format of errors.

    Args:
        app: the app whose routes are described. Routes that are added to `app` after this call are described, too.
        description: the purpose of the service, in one or more sentences.
        needs_key: whether callers need a key.
        open_paths: paths that need no key.
        declares_failures: whether the routes declare their error statuses with `failures`. If they do not, the document
            says that each route may return any error status.
    """

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, description, needs_key=needs_key, open_paths=open_paths)
            if not declares_failures:
                _add_any_failure(app.openapi_schema)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's own way to change the document


def _document(app: FastAPI, description: str, *, needs_key: bool, open_paths: Collection[str]) -> dict[str, Any]:
    made = get_openapi(title=app.title, version=app.version, description=description, routes=app.routes)
    components = made.setdefault("components", {})
    components["securitySchemes"] = {
        _SCHEME: {
            "type": "http",
            "scheme": "bearer",
            "description": "API key of this server. A server may be configured to require none.",
        }
    }
    for path, operations in made["paths"].items():
        for operation in operations.values():
            # Glas answers 400 instead of FastAPI's 422, as OpenAI does.
            operation["responses"].pop("422", None)
            is_open = not needs_key or path in open_paths
            operation["security"] = [] if is_open else [{_SCHEME: []}]
            if is_open:
                operation["responses"].pop("401", None)
    for unused in ("HTTPValidationError", "ValidationError"):
        components.get("schemas", {}).pop(unused, None)
    whole: dict[str, Any] = _with_whole_bounds(made)
    return whole


def _with_whole_bounds(node: Any) -> Any:
    """Convert bounds of numbers in a document, such as -2^63, to whole numbers; FastAPI writes bounds as floats.

    A program that reads the float -2^63 from the document may round it to -9223372036854776000. This number is smaller
    than the real bound.
    """
    match node:
        case dict():
            return {
                key: int(value)
                if key in _BOUNDS and isinstance(value, float) and value.is_integer()
                else _with_whole_bounds(value)
                for key, value in node.items()
            }
        case list():
            return [_with_whole_bounds(one) for one in node]
        case _:
            return node


def _add_any_failure(document: dict[str, Any]) -> None:
    """Declare the body of errors for all statuses that an operation does not list."""
    definition = ErrorBody.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = document["components"].setdefault("schemas", {})
    schemas |= definition.pop("$defs") | {ErrorBody.__name__: definition}
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{ErrorBody.__name__}"}}}
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"]["default"] = {
                "description": "An error. The body contains its message, type and code.",
                "content": content,
            }
