"""Report errors to callers in one format for all services; `glas.domain.error_bodies.to_body` makes the bodies."""

import re
from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from glas.domain.error_bodies import to_body
from glas.domain.errors import GlasError, InvalidParameterError, ServiceFaultError
from glas.serving.gate import retry_header, too_large

_log = structlog.stdlib.get_logger("glas.serving")
_METHOD_NOT_ALLOWED = 405
_CONTENT_TOO_LARGE = 413


def install(app: FastAPI, *, max_body_bytes: int) -> None:
    """Make `app` report every error to the caller in the common format, and log unexpected exceptions."""

    async def on_glas_error(_request: Request, error: Exception) -> JSONResponse:
        return _answer(error if isinstance(error, GlasError) else _fault(error))

    async def on_invalid(_request: Request, error: Exception) -> JSONResponse:
        details = error.errors() if isinstance(error, RequestValidationError) else []
        return _answer(_invalid(details))

    async def on_http(request: Request, error: Exception) -> JSONResponse:
        status, detail = (error.status_code, str(error.detail)) if isinstance(error, HTTPException) else (500, "")
        if status == _CONTENT_TOO_LARGE:
            return _answer(too_large(max_body_bytes, "more"))
        body = {"error": {"message": detail, "type": "invalid_request_error", "param": None, "code": f"http_{status}"}}
        headers = dict(getattr(error, "headers", None) or {})
        if status == _METHOD_NOT_ALLOWED and (methods := _methods(app, request.url.path)):
            headers["Allow"] = ", ".join(methods)
        return JSONResponse(body, status, headers=headers)

    async def on_fault(_request: Request, error: Exception) -> JSONResponse:
        _log.error("unexpected error", exc_info=error)
        return _answer(_fault(error))

    app.add_exception_handler(GlasError, on_glas_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_fault)


def _answer(error: GlasError) -> JSONResponse:
    return JSONResponse(to_body(error), error.status, headers=retry_header(error))


def _methods(app: FastAPI, path: str) -> list[str]:
    """Return all HTTP methods that a path supports, for the header `Allow` (RFC 9110, 15.5.6).

    Each route of FastAPI has only one method, and several routes may have the same path. So the methods are collected
    from the OpenAPI document.
    """
    paths = app.openapi()["paths"]
    found = {
        method.upper()
        for template, operations in paths.items()
        for method, operation in operations.items()
        if re.fullmatch(_expression(template, operation), path)
    }
    return sorted(found)


def _expression(template: str, operation: Mapping[str, Any]) -> str:
    """Return a regular expression that matches the paths of a template such as `/users/{tg_id}`.

    In the place of a parameter, the expression matches the parameter's declared pattern. Without a declared pattern, it
    matches a whole number if the parameter is an integer, otherwise any text.
    """
    schemas = {one["name"]: one["schema"] for one in operation.get("parameters", ()) if one["in"] == "path"}
    found = ""
    for part in re.split(r"(\{\w+\})", template):
        schema = schemas.get(part.strip("{}"), {}) if part.startswith("{") else None
        match schema:
            case None:
                found += re.escape(part)
            case {"pattern": str(pattern)}:
                found += pattern.removeprefix("^").removesuffix("$")
            case {"type": "integer"}:
                found += r"-?\d+"
            case _:
                found += ".+"
    return found


def _fault(error: Exception) -> ServiceFaultError:
    return ServiceFaultError(f"the service failed within ({type(error).__name__}); its log says more")


def _invalid(details: list[dict[str, object]] | object) -> InvalidParameterError:
    """Return an error that names the first wrong field of a request, what was expected, and what was received."""
    match details:
        case [{"loc": (_, *path), "msg": str(expected), **rest}, *_]:
            field = ".".join(str(step) for step in path) or "body"
            came = "" if rest.get("type") == "missing" else f", got {str(rest.get('input'))[:100]!r}"
            return InvalidParameterError(f"{field}: {expected}{came}", param=field)
        case _:
            return InvalidParameterError("the request is not understood")
