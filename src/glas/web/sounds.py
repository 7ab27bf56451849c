"""Send the sound of a message: the whole file, or the range of bytes that the browser requests."""

import re
from collections.abc import AsyncIterator
from typing import Final

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from glas.clients.data_loader import DataLoaderClient
from glas.domain.errors import NotFoundError
from glas.domain.messages import Transcription

_RANGE: Final = re.compile(r"bytes=(\d{1,18})-(\d{0,18})")
_TYPES: Final = {
    "ogg": "audio/ogg",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "aac": "audio/aac",
    "amr": "audio/amr",
}
_PARTIAL: Final = 206
_NOT_SATISFIABLE: Final = 416


async def sound_of(request: Request, message: Transcription, data_loader: DataLoaderClient) -> Response:
    """Return an answer with the bytes of a message's recording, or with the range of bytes that the browser requests.

    Before the call, the caller must check that the person may listen to the recording.

    Raises:
        NotFoundError: the recording is not in the object store.
        ServiceError: the object store does not answer.
    """
    if message.audio_key is None or not message.audio_size_bytes:
        raise NotFoundError("expected a message whose recording is stored")
    size = message.audio_size_bytes
    headers = {"Accept-Ranges": "bytes", "Content-Disposition": "inline"}
    start, end, status = 0, size, 200
    if match := _RANGE.fullmatch(request.headers.get("range", "")):
        start = int(match[1])
        end = min(int(match[2]) + 1, size) if match[2] else size
        if start >= end:
            return Response(status_code=_NOT_SATISFIABLE, headers={"Content-Range": f"bytes */{size}"})
        status = _PARTIAL
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    media_type = _TYPES.get(message.audio_key.rpartition(".")[2], "application/octet-stream")
    parts = data_loader.stream_audio(message.audio_key, start, end)
    # Wait for the first part here, because an error can no longer be reported after the answer has begun.
    first = await anext(parts)

    async def body() -> AsyncIterator[bytes]:
        yield first
        async for part in parts:
            yield part

    return StreamingResponse(body(), status, headers=headers, media_type=media_type)
