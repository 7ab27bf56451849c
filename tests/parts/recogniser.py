"""A recogniser whose text the test chooses: a real HTTP server instead of nn_service."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.clients.nn_service_bodies import ComparisonBody, HealthBody, TitleBody
from glas.clients.nn_service_model_bodies import SwappedBody
from glas.domain.corrections import Sound
from glas.domain.transcription import Hypothesis, Recognition, Segment, Word
from glas.nn_service.formats import Granularity, render_verbose

_MAX_BODY_BYTES = 64 * 1024 * 1024
_KEYWORD = re.compile(rb'name="keywords\[\]"\r\n(?:[^\r]+\r\n)*\r\n(.*?)\r\n--')
_PAUSE_S = 2.0


def health(model_version: str | None = None) -> dict[str, Any]:
    """The answer of nn_service about its state."""
    title = TitleBody(ru="Заглушка", en="Stub")
    body = HealthBody(status="ok", model="stub", model_version=model_version, title=title, version="1", in_flight=0)
    return body.written()


def answer(
    text: str, duration_s: float, *, words: Sequence[Mapping[str, Any]] = (), model_version: str | None = None
) -> dict[str, Any]:
    """The answer of nn_service to a recording; with words, there is a segment between each two pauses of 2 s."""
    groups: list[list[Word]] = []
    for word in (Word(text=one["word"], start_s=one["start"], end_s=one["end"]) for one in words):
        if not groups or word.start_s - groups[-1][-1].end_s >= _PAUSE_S:
            groups.append([])
        groups[-1].append(word)
    segments = [
        Segment(start_s=group[0].start_s, end_s=group[-1].end_s, text=_joined(group), words=tuple(group))
        for group in groups
    ]
    if len(segments) == 1:
        (alone,) = segments
        segments = [alone.model_copy(update={"start_s": 0, "end_s": max(duration_s, alone.end_s), "text": text})]
    hypothesis = Hypothesis(
        text=text,
        duration_s=duration_s,
        segments=tuple(segments),
        model="stub",
        model_version=model_version,
    )
    recognition = Recognition(hypothesis=hypothesis, processing_s=0.1)
    return render_verbose(recognition, set(Granularity), elapsed_s=0.1).written()


def _joined(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


class Recogniser:
    """Answers at once, or as the test requests."""

    def __init__(self) -> None:
        self.text = "привет"
        self.texts: dict[bytes, str] = {}
        """Texts of recordings that end with a mark of their own."""
        self.words: list[dict[str, Any]] = []
        self.error: tuple[int, dict[str, Any]] | None = None
        self.duration_s = 3.0
        self.model_version: str | None = None
        self.is_away = False
        self.delay_s = 0.0
        self.pieces: list[tuple[float, str]] = []
        """Second and text of the pieces of speech that are told before the whole text."""
        self.may_end = asyncio.Event()
        """The whole text comes after this, if there are such pieces."""
        self.n_transcribed = 0
        self.keywords: list[str] = []
        """Words that were sent with the last recording."""
        self.n_judged = 0
        self.served: list[str] = []
        """Models that were to be the default one."""
        self.url = ""
        self.client: NnServiceClient

    async def health(self, request: web.Request) -> web.StreamResponse:
        if self.is_away:
            return _cut(request)
        return web.json_response(health(self.model_version))

    async def transcribe(self, request: web.Request) -> web.StreamResponse:
        sent = await request.read()
        if self.is_away:
            return _cut(request)
        await asyncio.sleep(self.delay_s)
        if self.error is not None:
            return web.json_response(self.error[1], status=self.error[0])
        self.n_transcribed += 1
        self.keywords = [word.decode() for word in _KEYWORD.findall(sent)]
        if self.pieces and b'name="stream"' in sent:
            return await self._tell_pieces(request)
        text = next((text for mark, text in self.texts.items() if mark in sent), self.text)
        return web.json_response(answer(text, self.duration_s, words=self.words, model_version=self.model_version))

    async def judge(self, _request: web.Request) -> web.StreamResponse:
        self.n_judged += 1
        body = ComparisonBody(sound=Sound.UNKNOWN, text=self.text, lost=None, n_words=None)
        return web.json_response(body.model_dump(mode="json"))

    async def candidate(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(None)  # none is tried

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if self.error is not None:
            return web.json_response(self.error[1], status=self.error[0])
        self.served.append((await request.json())["model"])
        body = SwappedBody(
            id=self.served[-1],
            version="0123456789ab",
            aliases=["auto"],
            is_default=True,
            since=datetime.now(UTC),
            in_flight=0,
            memory_bytes=1,
            expires_at=None,
            survives_restart=True,
        )
        return web.json_response(body.model_dump(mode="json"))

    async def _tell_pieces(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for done_s, text in self.pieces:
            await _tell(response, {"type": "transcript.text.delta", "delta": text, "progress_seconds": done_s})
        await self.may_end.wait()
        whole = answer(self.text, self.duration_s, words=self.words, model_version=self.model_version)
        await _tell(response, {"type": "transcript.text.done", "text": self.text, "result": whole})
        await response.write(b"data: [DONE]\n\n")
        return response


async def _tell(response: web.StreamResponse, event: dict[str, Any]) -> None:
    await response.write(b"data: " + json.dumps(event).encode() + b"\n\n")


def _cut(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


@asynccontextmanager
async def open_recogniser() -> AsyncIterator[Recogniser]:
    """Serve on a port of loopback."""
    made = Recogniser()
    app = web.Application(client_max_size=_MAX_BODY_BYTES)
    app.router.add_get("/health", made.health)
    app.router.add_post("/v1/audio/transcriptions", made.transcribe)
    app.router.add_post("/v1/audio/comparisons", made.judge)
    app.router.add_put("/api/ps/auto", made.serve)
    app.router.add_get("/api/candidate", made.candidate)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    made.client = NnServiceClient(open_http(url=made.url))
    try:
        yield made
    finally:
        await made.client.close()
        await runner.cleanup()
