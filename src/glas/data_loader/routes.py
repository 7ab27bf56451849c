"""Define the routes of data_loader for objects, exports and reports."""

import asyncio
import re
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse

from glas.clients.data_loader_bodies import Expectations, ExportState, Keys, Lost, StoredObject
from glas.data_loader import reports
from glas.data_loader.archive import Archive, media_type, received
from glas.domain.error_bodies import to_body
from glas.domain.errors import InvalidParameterError
from glas.domain.kept import KeptRecognition
from glas.domain.object_keys import Key, checked_key

_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))")
_ANSWER_PART_BYTES = 1024 * 1024  # memory that a slow client occupies

LostSha256 = Annotated[
    str | None,
    Query(
        pattern="^[0-9a-f]{64}$",
        description="sha256 of a lost object that the body restores. The body must have this hash. If the stored "
        "object is damaged, the body replaces it. Without this parameter, nothing is replaced.",
    ),
]
Id = Annotated[int, Path(ge=1, lt=2**63, description="Number of the message in db_assist.")]


def make_router(*, max_body_bytes: int) -> APIRouter:
    """Make the router; it needs an `Archive` and an `Exporter` in `app.state`."""
    router = APIRouter(max_body_size=max_body_bytes)
    path, summary = "/objects/{id}/audio", "Store the original bytes of a message"
    router.add_api_route(
        path, put_audio, methods=["PUT"], summary=summary, openapi_extra=_body("application/octet-stream")
    )
    path, summary = "/objects/{id}/transcription", "Store the text of a message"
    router.add_api_route(path, put_text, methods=["PUT"], summary=summary, openapi_extra=_body("text/plain"))
    path, summary = "/objects/{id}/recognition", "Store the recognition of a message: segments and words with times"
    router.add_api_route(path, put_recognition, methods=["PUT"], summary=summary)
    router.add_api_route(
        "/objects/delete", delete_keys, methods=["POST"], summary="Delete the objects with the given keys"
    )
    router.add_api_route(
        "/objects/lost", lost, methods=["POST"], summary="List which of the given objects are missing or damaged"
    )
    router.add_api_route("/objects/{id}", delete, methods=["DELETE"], summary="Delete all objects of one message")
    path, summary = "/objects/{key:path}", "Read an object or a range of it"
    router.add_api_route(path, get, methods=["GET"], summary=summary, response_model=None, response_class=Response)
    router.add_api_route(path, get, methods=["HEAD"], response_model=None, include_in_schema=False)
    router.add_api_route(
        "/export", start_export, methods=["POST"], status_code=202, summary="Start an export of training data"
    )
    router.add_api_route(
        "/export",
        export_state,
        methods=["GET"],
        summary="Show the progress of the running export, or the result of the last export",
    )
    path, summary = "/reports", "List the versions of models with a report of the gate"
    router.add_api_route(path, reports_there, methods=["GET"], summary=summary)
    path, summary = "/reports/{version}", "Read the last report of the gate about a version of a model, as HTML"
    router.add_api_route(path, report, methods=["GET"], summary=summary, response_class=FileResponse)
    return router


def _body(media_type: str) -> dict[str, Any]:
    """Return the OpenAPI description of a request body that FastAPI does not parse."""
    schema = {"type": "string"} if media_type.startswith("text/") else {"type": "string", "format": "binary"}
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


async def put_audio(request: Request, id: Id, lost_sha256: LostSha256 = None) -> StoredObject:  # noqa: A002
    """Store the body as the original recording of a message.

    The first bytes of the body determine the extension in the key of the object.
    """
    async with received(request) as data:
        stored = await _archive(request).put_audio(id, data, lost_sha256=lost_sha256)
    request.app.state.metrics.stored("audio", stored.size_bytes)
    return stored


async def put_text(request: Request, id: Id, lost_sha256: LostSha256 = None) -> StoredObject:  # noqa: A002
    """Store the body, a text in UTF-8, as the recognised text of a message."""
    async with received(request) as data:
        stored = await _archive(request).put_text(id, data, lost_sha256=lost_sha256)
    request.app.state.metrics.stored("transcription", stored.size_bytes)
    return stored


async def put_recognition(request: Request, id: Id, kept: KeptRecognition) -> StoredObject:  # noqa: A002
    """Store the kept recognition of a message; answer 409 if another recognition is stored for this message."""
    stored = await _archive(request).put_recognition(id, kept)
    request.app.state.metrics.stored("recognition", stored.size_bytes)
    return stored


async def lost(request: Request, body: Expectations) -> Lost:
    """Return the keys of objects that are missing, or have another size or sha256 than the request states.

    If the request states no sha256 for an object, only the size is compared.
    """
    keys = await _archive(request).lost(body.objects)
    request.app.state.metrics.lost(len(keys))
    return Lost(keys=tuple(keys))


async def delete(request: Request, id: Id) -> dict[str, str]:  # noqa: A002 - the name in the path
    """Delete all objects of a message; it is no error if the message has no objects."""
    await _archive(request).delete(id)
    return {"status": "deleted"}


async def delete_keys(request: Request, body: Keys) -> dict[str, str]:
    """Delete the objects with the given keys; it is no error if an object does not exist."""
    await _archive(request).delete_keys(body.keys)
    return {"status": "deleted"}


async def get(request: Request, key: Key) -> Response:
    """Send an object, or one range of its bytes; media players request ranges."""
    store = _archive(request).store
    size = await store.size(checked_key(key))
    try:
        bounds = _bounds(request.headers.get("range", ""), size)
    except InvalidParameterError as error:
        return JSONResponse(to_body(error), 416, headers={"Content-Range": f"bytes */{size}"})
    start, end = bounds or (0, size)
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(end - start),
        # Deleted recordings must not remain in caches.
        "Cache-Control": "private, no-store",
    }
    if bounds is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    status = 200 if bounds is None else 206
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=media_type(key))
    parts = store.stream(key, start, end, part_bytes=_ANSWER_PART_BYTES)
    return StreamingResponse(parts, status, headers=headers, media_type=media_type(key))


async def start_export(
    request: Request,
    *,
    full: Annotated[
        bool,
        Query(
            description="Whether to compare all messages and files with the database, instead of only what has changed."
        ),
    ] = False,
    only_again: Annotated[
        bool, Query(description="Whether to start an export only if there was an export before.")
    ] = False,
) -> ExportState:
    """Start an export; answer 409 if an export is running.

    Own models that are assigned to nobody are deleted even if no export starts.
    """
    exporter = request.app.state.exporter
    if not only_again or exporter.has_exported():
        exporter.start(full=full)
    else:
        await exporter.delete_own_models()
    state: ExportState = exporter.state
    return state


async def export_state(request: Request) -> ExportState:
    """Return the progress of the running export, or the result of the last export."""
    state: ExportState = request.app.state.exporter.state
    return state


async def reports_there(request: Request) -> tuple[str, ...]:
    """Return the versions of models about which there is a report on this machine."""
    return await asyncio.to_thread(reports.versions, request.app.state.derived)


async def report(request: Request, version: Annotated[str, Path(max_length=64)]) -> FileResponse:
    """Send the report of the gate about a model, an HTML page that contains words and sound of people."""
    page = await asyncio.to_thread(reports.report_of, request.app.state.derived, version)
    return FileResponse(page, media_type="text/html", headers={"Cache-Control": "private, no-store"})


def _archive(request: Request) -> Archive:
    archive: Archive = request.app.state.archive
    return archive


def _bounds(header: str, size: int) -> tuple[int, int] | None:
    """Return the start and the end of the byte range that the header `Range` requests.

    Return None if the header has no range, several ranges or an invalid range. RFC 9110 permits a server to ignore such
    a header.

    Raises:
        InvalidParameterError: the range begins after the end of the object, or is empty.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is None:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    else:
        start, end = max(0, size - int(suffix)), size
    if start >= end:
        raise InvalidParameterError(f"expected a range within {size} bytes, got {header!r}", param="range")
    return start, end
