"""Test that `glas doctor` checks Telegram, and never shows the token."""

import pytest
from pydantic import SecretStr

from glas.cli.doctor_network import telegram as looked
from glas.settings import Settings
from tests.telegram.server import TelegramServer
from tests.telegram.world import TOKEN, USERNAME


def looked_at(settings: Settings, url: str, token: str) -> str:
    """Return all results as one text."""
    with_bot = settings.model_copy(update={"telegram_token": SecretStr(token), "telegram_api_url": url})
    return "\n".join(f"{one.level} {one.what} {one.advice}" for one in looked(with_bot))


@pytest.mark.parametrize("sees", [True, False])
def test_the_privacy_mode_is_told(settings: Settings, *, sees: bool) -> None:
    """Privacy mode, in which the bot does not answer in groups, is reported."""
    with TelegramServer() as telegram:
        telegram.world.sees_groups = sees
        found = looked_at(settings, telegram.url, TOKEN)
    assert f"ok бот @{USERNAME}" in found
    assert ("/setprivacy" in found) != sees


def test_a_wrong_token_and_an_outage_are_told(settings: Settings) -> None:
    """The reports do not contain the token."""
    wrong = TOKEN.replace("AAF", "BBB")
    with TelegramServer() as telegram:
        refused = looked_at(settings, telegram.url, wrong)
        telegram.fail("getMe", "html")
        telegram.fail("getMe", "half_json")
        proxied = [looked_at(settings, telegram.url, TOKEN) for _ in range(2)]
    away = looked_at(settings, "http://127.0.0.1:9", TOKEN)
    assert refused.startswith("fail Telegram не знает этого токена")
    assert proxied[1].startswith("warn")
    assert away.startswith("warn Telegram недоступен")
    assert not any(token in text for token in (wrong, TOKEN) for text in (refused, *proxied, away))
