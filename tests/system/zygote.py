"""A process that has imported everything and forks `glas` on demand: each starts in a fraction of a second.

Each line on standard input is an `Order`, and the id of the process is the answer; or it asks for the exit code of such
a process, which is null while it lives. A process may be told to kill itself at a named point, with SIGKILL, so that
nothing is tidied up; to live on a machine of `namespaces`; or to be quick.
"""

import asyncio
import gc
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

import glas.tg_bot  # first, since it imports aiogram so that this takes less time

# Here and not in `main`: onnxruntime reads it when it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime  # noqa: F401 - so that no fork has to
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import Update

import glas.data_loader.app
import glas.db_assist.app
import glas.launch.serve
import glas.nn_service.app
import glas.tg_bot.app
import glas.web.app  # noqa: F401
from glas.__main__ import main as run_glas
from glas.audio.confinement import die_with_parent
from glas.durable import Durable, Work, maintenance
from glas.recognition import trial
from glas.tg_bot import intake
from tests.parts.bots import nn_service_at
from tests.system.forking import Order
from tests.system.namespaces import enter


class Doom:
    """Kills this process when a point is reached."""

    def __init__(self, point: str) -> None:
        self._point = point

    def at(self, point: str) -> None:
        """A point is reached."""
        if point == self._point:
            os.kill(os.getpid(), signal.SIGKILL)

    def arm(self) -> None:
        """Put points before and after the effect of every step, after its recording, and around storing updates."""
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
    """What common bots do: confirm first, then handle in tasks of the same process."""
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
    """Have clocks that do not make a test wait for half a minute, and a minute of sounds without speech, not ten."""
    maintenance._HEARTBEAT_S, maintenance._INTERRUPTED_AFTER_S, maintenance.DEAD_AFTER_S = 0.5, 3.0, 5.0
    intake._LEASE_S, intake._RETAKEN_S, intake._POLL_S = 5.0, 0.5, 1
    trial.NONSPEECH = 12


def live(order: Order) -> None:
    """Be what was asked for, until killed."""
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


def main() -> None:
    """Answer each line."""
    gc.freeze()
    zygote, codes = os.getpid(), dict[int, int]()
    for line in sys.stdin:
        asked = json.loads(line)
        answer = exit_code(asked["ended"], codes) if "ended" in asked else fork(zygote, Order(**asked))
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


def exit_code(pid: int, codes: dict[int, int]) -> int | None:
    """The exit code of a process that was forked here; None while it lives. `codes` are those that were asked for."""
    if pid not in codes:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            codes[pid] = os.waitstatus_to_exitcode(status)
    return codes.get(pid)


def fork(zygote: int, order: Order) -> int:
    """Fork what is ordered; its id."""
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


if __name__ == "__main__":
    main()
