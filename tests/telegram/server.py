"""A server of the Bot API for tests: real HTTP on a port of loopback or a given socket, in a thread of the test."""

import asyncio
import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Self, TypeAlias

from aiohttp import web

from tests.telegram.calls import Call, Violations, violations
from tests.telegram.faults import Fault, Kind
from tests.telegram.methods import METHODS
from tests.telegram.people import People
from tests.telegram.rules import RefusalError
from tests.telegram.updates import Updates
from tests.telegram.world import TOKEN, JsonObject, Pause, World

Waiting: TypeAlias = Callable[[Updates, JsonObject], Awaitable[object]]
Action: TypeAlias = Callable[[], object]

_POLLING: dict[str, Waiting] = {
    "getUpdates": Updates.get_updates,
    "setWebhook": Updates.set_webhook,
    "deleteWebhook": Updates.delete_webhook,
    "getWebhookInfo": Updates.webhook_info,
}
_START_TIMEOUT_S = 10.0
_SLOW_CHUNKS = 20
_LAST_DATA_RECV = 52  # where `struct tcp_info` of linux/tcp.h has `tcpi_last_data_recv`, milliseconds
_MAX_BODY_BYTES = 64 * 1024 * 1024


class TelegramServer(People):
    """A context manager; act for people with the methods of `People`, and read `world` afterwards."""

    def __init__(
        self,
        world: World | None = None,
        *,
        token: str = TOKEN,
        port: int = 0,
        listener: socket.socket | None = None,
    ) -> None:
        super().__init__(world or World())
        self.token = token
        self.url = ""
        self._port = port
        self._listener = listener
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._updates: Updates | None = None
        self._is_away = False
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telegram", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(_START_TIMEOUT_S), "the Telegram server did not start"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_START_TIMEOUT_S)

    def fail(self, method: str, kind: Kind, **details: Any) -> None:
        """Add a scripted fault; see `Fault`."""
        self.world.faults.script.append(Fault(method, kind, **details))

    def go_away(self, *, away: bool = True) -> None:
        """Close every connection until this is called with `away=False`."""
        self._is_away = away

    def violations(self) -> Violations:
        """Return the calls that exceeded rates."""
        return violations(self.world.calls, impatient=self.world.impatient)

    def changed(self) -> None:
        """Wake the polls that wait for updates."""
        if self._loop is not None and self._updates is not None:
            self._loop.call_soon_threadsafe(self._updates.wake)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._updates = Updates(self.world)
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.router.add_route("*", "/bot{token}/{method}", self._on_call)
        app.router.add_get("/file/bot{token}/{path:.+}", self._on_download)
        app.router.add_post("/control/{action}", self._on_control)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        if self._listener is None:
            await web.TCPSite(runner, "127.0.0.1", self._port).start()
        else:
            await web.SockSite(runner, self._listener).start()
        self.url = "http://{}:{}".format(*runner.addresses[0][:2])
        self._ready.set()
        await self._stop.wait()
        await self._updates.close()
        await runner.cleanup()

    async def _on_call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        at_s, params = _arrived_s(request), await _params(request)
        chat_id = int(params["chat_id"]) if "chat_id" in params else None
        fault = None if self._is_away else self.world.faults.take(method, chat_id)
        kind = "cut_before" if self._is_away else fault and fault.kind
        if kind == "cut_before":
            self._log(at_s, method, params, "cut")
            return _cut(request)
        if fault and kind == "slow":
            await asyncio.sleep(fault.delay_s)
        if method not in _POLLING:
            self.world.note_patience(at_s, chat_id)
        if fault and fault.has_no_effect:
            return self._answer_in_place(at_s, method, params, fault)
        try:
            result = await self._call(method, params, chat_id, request.match_info["token"], fault)
        except RefusalError as refused:
            self._log(at_s, method, params, str(refused.code))
            return await self._refuse(request, refused, fault)
        if fault and fault.foreign_answer():
            return self._answer_in_place(at_s, method, params, fault)
        self._log(at_s, method, params, "cut" if kind == "cut_after" else "ok")
        if kind == "new_form" and isinstance(result, dict):
            result = result | {"date": "later", "file_id": ["in", "pieces"]}
        if kind == "trickle":
            return await _trickle(request, {"ok": True, "result": result})
        return _cut(request) if kind == "cut_after" else web.json_response({"ok": True, "result": result})

    def _answer_in_place(self, at_s: float, method: str, params: JsonObject, fault: Fault) -> web.Response:
        """Answer as a failing proxy between the bot and Telegram does."""
        foreign = fault.foreign_answer()
        assert foreign is not None
        status, content_type, body = foreign
        self._log(at_s, method, params, fault.kind)
        return web.Response(status=status, body=body, headers={"Content-Type": content_type})

    async def _refuse(self, request: web.Request, refused: RefusalError, fault: Fault | None) -> web.StreamResponse:
        """Answer with a refusal; a pause begins when the last byte has been sent, and only for later calls."""
        response = web.json_response(refused.body(), status=refused.code)
        if fault and fault.kind == "too_many":
            await response.prepare(request)
            await response.write_eof()
            told_s = time.monotonic()
            self.world.pauses.append(Pause(told_s, told_s + fault.retry_after_s, fault.chat_id))
        return response

    async def _call(
        self, method: str, params: JsonObject, chat_id: int | None, token: str, fault: Fault | None
    ) -> object:
        assert self._updates is not None
        if token != self.token:
            raise RefusalError(401, "Unauthorized")
        if fault and (refusal := fault.refusal()):
            raise refusal
        if method in _POLLING:
            return await _POLLING[method](self._updates, params)
        if chat_id in self.world.moved:
            text = "Bad Request: group chat was upgraded to a supergroup chat"
            raise RefusalError(400, text, migrate_to_chat_id=self.world.moved[chat_id])
        if method not in METHODS:
            raise RefusalError(404, "Not Found: method not found")
        with self.world.lock:
            return METHODS[method](self.world, params)

    def _log(self, at_s: float, method: str, params: JsonObject, outcome: str) -> None:
        shown = {key: value for key, value in params.items() if key != "_files"}
        with self.world.lock:
            self.world.calls.append(Call(len(self.world.calls), at_s, method, shown, outcome))

    async def _on_download(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        file = next((one for one in self.world.files.values() if one.path == path), None)
        fault = None
        if file is not None and file.fault_times > 0:
            file.fault_times, fault = file.fault_times - 1, file.fault
        self._log(time.monotonic(), "download", {"path": path}, fault or "ok")
        if self._is_away:
            return _cut(request)
        if file is None or request.match_info["token"] != self.token or fault == "missing":
            return web.json_response(RefusalError(404, "Not Found").body(), status=404)
        response = web.StreamResponse(headers={"Content-Length": str(len(file.data))})
        await response.prepare(request)
        if fault == "truncated":
            await response.write(file.data[: len(file.data) // 2])
            return _cut(request, response)
        step = max(1, len(file.data) // _SLOW_CHUNKS if fault in ("slow", "stuck") else len(file.data))
        for start in range(0, len(file.data), step):
            await response.write(file.data[start : start + step])
            while fault == "stuck" and file.fault == "stuck":  # noqa: ASYNC110 - the test is in another thread
                await asyncio.sleep(0.02)  # until the test lets it go on
            await asyncio.sleep(0.1 if fault == "slow" else 0)
        return response

    async def _on_control(self, request: web.Request) -> web.Response:
        """Control for other programs: `calls`, `violations`, `messages`, `fail`, `say`, `press`, and `speak`.

        The body of `speak` is the file of a recording; the person is a parameter of the query. All other bodies are
        JSON.
        """
        if request.match_info["action"] == "speak":
            return web.json_response(self.speak(int(request.query["person"]), await request.read()))
        body: JsonObject = await request.json() if request.can_read_body else {}
        actions: dict[str, Action] = {
            "calls": lambda: [asdict(call) for call in self.world.calls],
            "violations": lambda: self.violations()._asdict(),
            "messages": lambda: self.answers(int(body["chat_id"])),
            "fail": lambda: self.fail(**body),
            "say": lambda: self.say(int(body["person"]), body["text"]),
            "press": lambda: self.press(int(body["person"]), int(body["message_id"]), data=body["data"]),
        }
        action = actions.get(request.match_info["action"])
        return web.json_response(status=404) if action is None else web.json_response(action())


def _arrived_s(request: web.Request) -> float:
    """Return the monotonic time at which the kernel received a call, even if this thread reads it later."""
    sock: Any = request.transport.get_extra_info("socket") if request.transport else None
    if sock is None or not sys.platform.startswith("linux"):
        return time.monotonic()
    (idle_ms,) = struct.unpack_from("=I", sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), _LAST_DATA_RECV)
    return time.monotonic() - float(idle_ms) / 1000


def _cut(request: web.Request, response: web.StreamResponse | None = None) -> web.StreamResponse:
    """End the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return response or web.Response()


async def _trickle(request: web.Request, body: JsonObject) -> web.StreamResponse:
    """Send an answer in small pieces, one after another."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    data = json.dumps(body).encode()
    step = max(1, len(data) // _SLOW_CHUNKS)
    for start in range(0, len(data), step):
        await response.write(data[start : start + step])
        await asyncio.sleep(0.05)
    await response.write_eof()
    return response


async def _params(request: web.Request) -> JsonObject:
    """Read parameters from the query, a form, a multipart form or JSON; values in JSON are parsed."""
    params: JsonObject = dict(request.query)
    if request.content_type == "application/json":
        body: JsonObject = await request.json()
        return params | body
    files: dict[str, tuple[str, bytes]] = {}
    uploads: dict[str, tuple[str, bytes]] = {}
    for key, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            uploads[key] = (value.filename, value.file.read())
            value.file.close()
        else:
            params[key] = _decoded(str(value))
    for key, value in list(params.items()):
        # A file comes under a random name to which its parameter points.
        if isinstance(value, str) and value.startswith("attach://"):
            files[key] = uploads.pop(value.removeprefix("attach://"))
    return params | {"_files": files | uploads}


def _decoded(value: str) -> Any:
    if value[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
