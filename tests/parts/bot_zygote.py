"""A process that has imported everything and forks workers on demand: they start in a fraction of a second.

Each line on standard input asks for a worker; its process id is the answer. A worker may be told to kill itself at a
named point, with SIGKILL, so that nothing is tidied up.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import Update
from pydantic import SecretStr

from glas import logs
from glas.durable import Durable, Work
from glas.settings import Settings
from tests.parts.bots import nn_service_at, open_parts


class Doom:
    """Kills this process when a point is reached."""

    def __init__(self, point: str | None) -> None:
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


async def work(order: dict[str, Any]) -> None:
    """Run the bot until killed."""
    settings = Settings(
        _env_file=None,
        data_dir=Path(order["data_dir"]),
        telegram_token=SecretStr(order["token"]),
        telegram_api_url=order["telegram"],
    )
    Doom(order.get("die_at")).arm()
    async with open_parts(settings, nn_service_at(order["nn_service"])) as parts:
        await parts.running


async def work_naively(order: dict[str, Any]) -> None:
    """What common bots do: confirm first, then handle in tasks of the same process."""
    nn_service, tasks = nn_service_at(order["nn_service"]), set()
    session = AiohttpSession(api=TelegramAPIServer.from_base(order["telegram"]))
    async with Bot(order["token"], session=session) as bot:

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


def main() -> None:
    """Fork a worker for each line."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid:
            sys.stdout.write(f"{pid}\n")
            sys.stdout.flush()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        run: Callable[[dict[str, Any]], Awaitable[None]] = work_naively if order.get("naive") else work
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 2)
        logs.configure(level="info", fmt="json", secrets=[order["token"]])
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(run(order))  # type: ignore[arg-type]
        os._exit(0)


if __name__ == "__main__":
    main()
