"""A recogniser whose text the test chooses: a real HTTP server in the place of nn_service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient

TITLE = {"ru": "Заглушка", "en": "Stub"}
_MAX_BODY_BYTES = 64 * 1024 * 1024


class Recogniser:
    """Answers at once, or as the test wishes."""

    def __init__(self) -> None:
        self.text = "привет"
        self.texts: dict[bytes, str] = {}
        """Texts of recordings that end with a mark of their own."""
        self.words: list[dict[str, Any]] = []
        self.error: tuple[int, dict[str, Any]] | None = None
        self.duration_s = 3.0
        self.is_away = False
        self.delay_s = 0.0
        self.n_transcribed = 0
        self.client: NnServiceClient

    async def health(self, request: web.Request) -> web.StreamResponse:
        if self.is_away:
            return _cut(request)
        return web.json_response({"status": "ok", "model": "stub", "title": TITLE, "version": "1", "in_flight": 0})

    async def transcribe(self, request: web.Request) -> web.StreamResponse:
        sent = await request.read()
        if self.is_away:
            return _cut(request)
        await asyncio.sleep(self.delay_s)
        if self.error is not None:
            return web.json_response(self.error[1], status=self.error[0])
        self.n_transcribed += 1
        text = next((text for mark, text in self.texts.items() if mark in sent), self.text)
        body: dict[str, Any] = {"text": text, "duration": self.duration_s, "model": "stub", "processing_seconds": 0.1}
        if self.words:
            body |= {"words": self.words, "segments": [{"start": 0.0, "end": 3.0, "text": text}]}
        return web.json_response(body)


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
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.client = NnServiceClient(open_http(url=f"http://127.0.0.1:{runner.addresses[0][1]}"))
    try:
        yield made
    finally:
        await made.client.close()
        await runner.cleanup()
