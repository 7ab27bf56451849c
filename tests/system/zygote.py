"""A process that has imported everything and forks `glas` on demand, so that each start takes a fraction of a second.

It is forked from `preloaded`. It has also loaded the embedded model for them. `tests/system/test_run.py` starts
interpreters that load it themselves.

Whoever connects to its socket sends lines. Each is an `Order`, and the id of the process is the answer; or it asks for
the exit code of such a process, which is null while it lives. When a connection ends, so do the processes that were
forked for it. A process may be told to kill itself at a named point, with SIGKILL, so that nothing is tidied up; to
live on a machine of `namespaces`; or to be quick.
"""

import asyncio
import copy
import gc
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.methods import (
    AnswerCallbackQuery,
    EditMessageText,
    GetFile,
    GetMe,
    GetUpdates,
    SendChatAction,
    SendMessage,
    TelegramMethod,
)
from aiogram.methods.base import Response
from aiogram.types import Message, Update

from glas.__main__ import main as run_glas
from glas.audio.confinement import die_with_parent
from glas.durable import Durable, Work, maintenance
from glas.engines import Engine
from glas.engines.load import load_engine
from glas.engines.onnx import CPU
from glas.recognition import cost, recogniser, trial
from glas.settings import NnServiceSettings
from glas.tg_bot import intake
from tests.parts.bots import nn_service_at
from tests.system.forking import Order
from tests.system.namespaces import enter

USUAL_METHODS: tuple[type[TelegramMethod[Any]], ...] = (
    AnswerCallbackQuery,
    EditMessageText,
    GetFile,
    GetMe,
    GetUpdates,
    SendChatAction,
    SendMessage,
)


class Doom:
    """Kills this process when a point is reached."""

    def __init__(self, point: str) -> None:
        self._point = point

    def at(self, point: str) -> None:
        """Handle that a point is reached."""
        if point == self._point:
            os.kill(os.getpid(), signal.SIGKILL)

    def arm(self) -> None:
        """Add points before and after the effect of every step, after its record, and around storing updates."""
        step, enqueue = Durable.step, Durable.enqueue

        async def watched_step(durable: Durable, name: str, function: Callable[[], Any]) -> Any:
            async def watched() -> Any:
                self.at(f"before {name}")
                value = await function()
                self.at(f"after {name}")
                return value

            value = await step(durable, name, watched)
            self.at(f"recorded {name}")
            return value

        async def watched_enqueue(durable: Durable, work: Work) -> None:
            self.at(f"before enqueue {work.workflow}")
            await enqueue(durable, work)
            self.at(f"after enqueue {work.workflow}")

        Durable.step = watched_step  # type: ignore[assignment, method-assign]
        Durable.enqueue = watched_enqueue  # type: ignore[assignment, method-assign]


async def work_naively(token: str, telegram: str, recogniser: str) -> None:
    """Work as simple bots do: confirm first, then handle in tasks of the process."""
    nn_service, tasks = nn_service_at(recogniser), set()
    session = AiohttpSession(api=TelegramAPIServer.from_base(telegram))
    async with Bot(token, session=session) as bot:

        async def handle(update: Update) -> None:
            message = update.message
            if message is None or message.voice is None:
                return
            place = await message.reply("…")
            file = await bot.get_file(message.voice.file_id)
            data = await bot.download_file(file.file_path or "")
            assert data is not None
            heard = await nn_service.transcribe(data.read())
            await bot.edit_message_text(heard.hypothesis.text, chat_id=message.chat.id, message_id=place.message_id)

        offset = None
        while True:
            for update in await bot.get_updates(offset=offset, timeout=1):
                offset = update.update_id + 1
                tasks.add(asyncio.create_task(handle(update)))


def hurry() -> None:
    """Shorten time-outs and what the gate measures, so that tests are fast."""
    maintenance._HEARTBEAT_S, maintenance._INTERRUPTED_AFTER_S, maintenance.DEAD_AFTER_S = 0.5, 3.0, 5.0
    intake._LEASE_S, intake._RETAKEN_S, intake._POLL_S = 5.0, 0.5, 1
    trial.NONSPEECH, cost.RECORDINGS = 12, 2


def build_usual_types() -> None:
    """Build the types that each bot sends and receives: it does so when it uses them first, which takes a second."""
    for method in USUAL_METHODS:
        method.model_rebuild()
        Response[method.__returning__].model_rebuild()  # type: ignore[name-defined]
    for model in (Update, Message):
        model.model_rebuild()


def lend_embedded_model() -> None:
    """Load the embedded model as `glas run` loads it by default; forks get it in place of loading it."""
    nn = NnServiceSettings()
    usual: dict[str, Any] = {
        "threads": nn.threads,
        "workers": nn.worker_count + 1,
        "beam_size": nn.beam_size,
        "providers": (CPU,),
        "precision": None,
    }
    lent = load_engine("embedded", models_dir=Path("no-models"), **usual)

    def loaded(name: str, *, models_dir: Path, **options: Any) -> Engine:
        if name == lent.name and options == usual:
            return copy.copy(lent)  # to close one leaves the others their weights
        return load_engine(name, models_dir=models_dir, **options)

    recogniser.load_engine = loaded  # type: ignore[attr-defined]


def live(order: Order) -> None:
    """Run the ordered program until it is killed."""
    for stream, path in ((1, order.out), (2, order.err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), stream)
    os.chdir(order.directory)
    if order.namespaces:
        enter(order.namespaces)
    if order.is_quick:
        hurry()
    os.environ.clear()
    os.environ.update(order.environment)
    if order.die_at:
        Doom(order.die_at).arm()
    if order.is_naive:
        asyncio.run(work_naively(*order.arguments))
    sys.argv = ["glas", *order.arguments]
    run_glas()


class Caller:
    """Somebody for whom processes are forked."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("rw", encoding="utf-8")
        self._forks: dict[int, int | None] = {}  # exit codes by id, None while they live

    def answer(self) -> bool:
        """Answer a line; False if nobody is there any more."""
        try:
            if not (line := self._lines.readline()):
                return False
            asked = json.loads(line)
            answer = self._exit_code(asked["ended"]) if "ended" in asked else self._fork(Order(**asked))
            self._lines.write(f"{json.dumps(answer)}\n")
            self._lines.flush()
        except ConnectionError:
            return False
        return True

    def close(self) -> None:
        """End what was forked for them."""
        self._connection.close()
        for pid in (pid for pid, code in self._forks.items() if code is None):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _fork(self, order: Order) -> int:
        pid = fork(os.getpid(), order)
        self._forks[pid] = None
        return pid

    def _exit_code(self, pid: int) -> int | None:
        if self._forks[pid] is None:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self._forks[pid] = os.waitstatus_to_exitcode(status)
        return self._forks[pid]


def serve(listener: socket.socket) -> None:
    """Answer everybody who connects to a socket."""
    build_usual_types()
    lend_embedded_model()
    gc.freeze()
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.data is None:
                    connection, _ = listener.accept()
                    selector.register(connection, selectors.EVENT_READ, Caller(connection))
                elif not key.data.answer():
                    selector.unregister(key.fileobj)
                    key.data.close()


def fork(zygote: int, order: Order) -> int:
    """Fork an ordered process; return its id."""
    if pid := os.fork():
        return pid
    code = 1
    try:
        die_with_parent(zygote)
        live(order)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - the process ends here, as it would end by itself
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)
