"""Read the server-sent events of nn_service: the partial texts of a recording, then its whole text."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, NamedTuple

import httpx
from pydantic import Field

from glas.clients.nn_service_bodies import Body, VerboseBody
from glas.domain.error_bodies import from_body
from glas.domain.errors import ServiceFaultError

_PREFIX: Final = "data: "
_END: Final = "[DONE]"


class PartialText(NamedTuple):
    """The text of the beginning of a recording, while the rest of the recording is being recognised."""

    done_s: float
    """Seconds from the beginning of the recording to the end of the last recognised piece."""
    text: str
    """The text that is recognised so far."""


class _DeltaBody(Body):
    """The event about one recognised piece of speech."""

    delta: str
    progress_seconds: float = Field(ge=0)


async def read_events(response: httpx.Response, on_progress: Callable[[PartialText], None]) -> VerboseBody:
    """Read an answer to its end and return the whole text; the answer may also be plain JSON without events.

    Args:
        response: the answer to a request with `stream=true` and `response_format=verbose_json`.
        on_progress: is called with the partial text after each recognised piece of speech.

    Raises:
        ServiceFaultError: the answer has another form.
        GlasError: the error that the service reported.
    """
    if not response.headers.get("content-type", "").startswith("text/event-stream"):
        return VerboseBody.read(_parsed((await response.aread()).decode(errors="replace")))
    text, whole = "", None
    async for event in _events(response):
        match event:
            case {"type": "transcript.text.delta"}:
                delta = _DeltaBody.read(event)
                text += delta.delta
                on_progress(PartialText(delta.progress_seconds, text))
            case {"type": "transcript.text.done", "result": result}:
                whole = VerboseBody.read(result)
            case {"error": _}:
                raise from_body(response.status_code, event)
    if whole is not None:
        return whole
    raise ServiceFaultError("expected a text at the end of the events, got none")


async def _events(response: httpx.Response) -> AsyncIterator[Any]:
    async for line in response.aiter_lines():
        if line.startswith(_PREFIX) and line != _PREFIX + _END:
            yield _parsed(line.removeprefix(_PREFIX))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        # The data that was sent is not shown, because it may contain a person's words.
        raise ServiceFaultError(f"expected JSON from nn_service, got {len(text)} other characters") from None
