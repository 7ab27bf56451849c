"""Test the bot with a webhook, as `glas run` starts it: Telegram sends updates to a separate port."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from tests.conftest import Sample, Server
from tests.ports import free_port
from tests.telegram.server import TelegramServer
from tests.telegram.world import TOKEN

PERSON = 6_000_000_001


def test_a_pushed_voice_message_is_answered(
    start_glas: Callable[..., AbstractContextManager[Server]], samples: list[Sample], tmp_path: Path
) -> None:
    """The program sets the webhook, listens on its port, and answers the message."""
    port = free_port()
    environment = {
        "TELEGRAM_TOKEN": TOKEN,
        "GLAS_BOT__WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram",
        "GLAS_BOT__WEBHOOK_SECRET": "what-only-telegram-knows",
        "GLAS_BOT__PORT": str(port),
        "GLAS_DATA_DIR": str(tmp_path),
    }
    with TelegramServer() as telegram, start_glas(GLAS_TELEGRAM_API_URL=telegram.url, **environment) as server:
        assert "Бот" in server.greeting
        telegram.say(PERSON, "/start")
        telegram.speak(PERSON, samples[0].path.read_bytes())
        deadline = time.monotonic() + 60
        while not any("привыкла" in str(answer.get("text")) for answer in telegram.answers(PERSON)):
            assert time.monotonic() < deadline, telegram.answers(PERSON)
            time.sleep(0.1)
