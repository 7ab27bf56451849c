"""The typed client of data_loader, the only service that uses the object store.

A write may be repeated with the same bytes; then the answer is the same. A write of other bytes for the same message
raises a `ConflictError`. Each method may also raise `ServiceError`, if the service cannot be reached or fails.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import httpx
import structlog
from pydantic import TypeAdapter, ValidationError

from glas.clients.data_loader_bodies import (
    Expectations,
    Expected,
    ExportProgress,
    ExportReport,
    ExportState,
    Health,
    Keys,
    Lost,
    StoredObject,
)
from glas.clients.http import call, exchange
from glas.clients.stored_models import StoredModelCalls
from glas.domain.error_bodies import from_code
from glas.domain.errors import NotFoundError, ServiceFaultError
from glas.domain.kept import KeptRecognition
from glas.domain.object_keys import recognition_key

# The in-process transport holds a whole answer in memory, so that large objects are fetched in ranges.
PART_BYTES = 8 * 1024 * 1024

_TIMEOUT_S = 60.0
_UPLOAD_TIMEOUT_S = 300.0
_CHECK_TIMEOUT_S = 1800.0
_versions = TypeAdapter(tuple[str, ...])
_POLL_S = (0.05, 0.1, 0.2, 0.5)  # the last interval is repeated

_log = structlog.stdlib.get_logger("glas.clients")


class DataLoaderClient(StoredModelCalls):
    """Calls data_loader, in this process or in another process."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def ready(self) -> Health:
        """Return the state of the service; raise `ServiceError` if it cannot reach its object store."""
        return Health.model_validate(await call(self._http, "GET", "/ready", timeout_s=_TIMEOUT_S))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def store_audio(self, transcription_id: int, data: bytes, *, lost_sha256: str | None = None) -> StoredObject:
        """Store the original bytes of the recording of a message.

        Args:
            transcription_id: id of the message.
            data: the original bytes of the recording.
            lost_sha256: sha256 of a lost object that this call restores; None for a new recording. `data` must have
                this hash. If the stored object is damaged, `data` replaces the object.

        Raises:
            InvalidParameterError: `data` does not have this sha256.
            AudioError: `data` is empty, or its first bytes belong to no audio format.
            UploadTooLargeError: `data` is larger than the service permits.
            ConflictError: other bytes are stored for this message.
        """
        return await self._put(f"/objects/{transcription_id}/audio", data, lost_sha256)

    async def store_transcription(
        self, transcription_id: int, text: str, *, lost_sha256: str | None = None
    ) -> StoredObject:
        """Store the recognised text of a message; for `lost_sha256`, see `store_audio`.

        Raises:
            ConflictError: another text is stored for this message.
        """
        return await self._put(f"/objects/{transcription_id}/transcription", text.encode(), lost_sha256)

    async def store_recognition(self, transcription_id: int, kept: KeptRecognition) -> StoredObject:
        """Store the recognition of a message: segments and words with times.

        Raises:
            ConflictError: another recognition is stored for this message.
        """
        path = f"/objects/{transcription_id}/recognition"
        found = await call(self._http, "PUT", path, timeout_s=_UPLOAD_TIMEOUT_S, body=kept)
        return StoredObject.model_validate(found)

    async def lost(self, expected: Sequence[Expected]) -> frozenset[str]:
        """Return the keys of expected objects that are missing or have other bytes.

        One call can check at most 1,000 objects.
        """
        body = Expectations(objects=tuple(expected))
        found = await call(self._http, "POST", "/objects/lost", timeout_s=_CHECK_TIMEOUT_S, body=body)
        return frozenset(Lost.model_validate(found).keys)

    async def fetch_audio(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        """Fetch an object, or its bytes from `start` up to `end`.

        Raises:
            NotFoundError: nothing is stored under `key`.
            InvalidParameterError: the range begins after the end of the object.
        """
        return b"".join([part async for part in self.stream_audio(key, start, end)])

    async def stream_audio(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Yield the bytes that `fetch_audio` returns, in parts of at most 8 MiB."""
        position = start
        while end is None or position < end:
            last = position + PART_BYTES - 1 if end is None else min(position + PART_BYTES, end) - 1
            headers = {"Range": f"bytes={position}-{last}"}
            response = await exchange(self._http, "GET", f"/objects/{key}", timeout_s=_TIMEOUT_S, headers=headers)
            total = response.headers.get("content-range", "").rpartition("/")[2]
            if not response.content or not total.isdecimal():
                raise ServiceFaultError(
                    f"expected a range of {key}, got {len(response.content)} bytes and no Content-Range"
                )
            yield response.content
            position += len(response.content)
            end = int(total) if end is None else min(end, int(total))

    async def fetch_transcription(self, key: str) -> str:
        """Fetch a stored text.

        Raises:
            NotFoundError: nothing is stored under `key`.
        """
        return (await exchange(self._http, "GET", f"/objects/{key}", timeout_s=_TIMEOUT_S)).content.decode()

    async def fetch_recognition(self, transcription_id: int) -> KeptRecognition | None:
        """Fetch the recognition of a message.

        Returns:
            The recognition; None if no recognition is stored, or if the stored recognition is damaged or comes from a
            later version of Glas.
        """
        key = recognition_key(transcription_id)
        try:
            content = (await exchange(self._http, "GET", f"/objects/{key}", timeout_s=_TIMEOUT_S)).content
            return KeptRecognition.model_validate_json(content)
        except NotFoundError:
            return None
        except ValidationError:
            # The text of pydantic's error would contain the words that were said.
            _log.warning("a recognition cannot be read", key=key, size_bytes=len(content))
            return None

    async def delete(self, transcription_id: int) -> None:
        """Delete all objects of a message; it is no error if the message has no objects."""
        await call(self._http, "DELETE", f"/objects/{transcription_id}", timeout_s=_TIMEOUT_S)

    async def delete_keys(self, keys: Sequence[str]) -> None:
        """Delete objects by their keys; objects that do not exist count as deleted."""
        for start in range(0, len(keys), 1000):
            body = Keys(keys=tuple(keys[start : start + 1000]))
            await call(self._http, "POST", "/objects/delete", timeout_s=_UPLOAD_TIMEOUT_S, body=body)

    async def start_export(self, *, full: bool = False, only_again: bool = False) -> ExportState:
        """Start an export and do not wait for its end.

        Args:
            full: whether to compare all messages with the exported files, and not only the messages that have changed
                since the last export.
            only_again: whether to do nothing if nothing was ever exported. Callers that have deleted messages set this
                to True.

        Raises:
            ConflictError: an export is running already.
        """
        params = {"full": full, "only_again": only_again}
        return ExportState.model_validate(
            await call(self._http, "POST", "/export", timeout_s=_TIMEOUT_S, params=params)
        )

    async def export_state(self) -> ExportState:
        """Return the state of the running export, or of the last export."""
        return ExportState.model_validate(await call(self._http, "GET", "/export", timeout_s=_TIMEOUT_S))

    async def export_now(
        self, *, full: bool = False, on_progress: Callable[[ExportProgress], None] | None = None
    ) -> ExportReport:
        """Export all changes since the last export, and wait for the end.

        Args:
            full: whether to compare all messages with the exported files, and not only the messages that have changed
                since the last export.
            on_progress: is called whenever the progress has been queried, at most every half second.

        Raises:
            ConflictError: an export is running already.
            GlasError: the error that ended the export early; the next export continues where this export stopped.
        """
        state = await self.start_export(full=full)
        run, looks = state.run, 0
        while state.is_running and state.run == run:
            await asyncio.sleep(_POLL_S[min(looks, len(_POLL_S) - 1)])
            looks += 1
            state = await self.export_state()
            if on_progress is not None:
                on_progress(state.progress)
        if state.failure is not None:
            raise from_code(state.failure.code, state.failure.message)
        if state.report is None or state.run != run:
            raise ServiceFaultError("data_loader was restarted during the export; the next export continues from there")
        return state.report

    async def reports(self) -> frozenset[str]:
        """Return the versions of the models about which a report of the gate is on the machine of data_loader."""
        return frozenset(_versions.validate_python(await call(self._http, "GET", "/reports", timeout_s=_TIMEOUT_S)))

    async def report(self, version: str) -> str:
        """Return the last report of the gate about a version of a model: an HTML page with words and sound of people.

        Raises:
            NotFoundError: there is no report about this version.
        """
        return (await exchange(self._http, "GET", f"/reports/{version}", timeout_s=_TIMEOUT_S)).content.decode()

    async def _put(self, path: str, data: bytes, lost_sha256: str | None) -> StoredObject:
        headers = {"Content-Type": "application/octet-stream"}
        params = {} if lost_sha256 is None else {"lost_sha256": lost_sha256}
        response = await exchange(
            self._http, "PUT", path, timeout_s=_UPLOAD_TIMEOUT_S, headers=headers, content=data, params=params
        )
        body: Any = response.json()
        return StoredObject.model_validate(body)
