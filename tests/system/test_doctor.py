"""Test that `glas doctor` checks Telegram without showing the token, and checks only what the parts use."""

import contextlib
import json
import socket
import threading
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from glas.cli import app
from glas.cli.doctor import parts_here
from glas.cli.doctor_here import LOOKS
from glas.cli.doctor_network import telegram as looked
from glas.settings import Settings
from tests.conftest import Server
from tests.telegram.server import TelegramServer
from tests.telegram.world import TOKEN, USERNAME

PORT = next(look for look in LOOKS if look.__name__ == "_port")

KEY = SecretStr("a-token-between-parts-long-enough")
AWAY = {f"{service}_url": "http://10.0.0.9:8001" for service in ("nn_service", "db_assist", "data_loader")}
KEYS = {f"{service}_token": KEY for service in ("nn_service", "db_assist", "data_loader")}
BOT = {"telegram_token": SecretStr(TOKEN)}


def looked_at(settings: Settings, url: str, token: str) -> str:
    """Return all results as one text."""
    with_bot = settings.model_copy(update={"telegram_token": SecretStr(token), "telegram_api_url": url})
    return "\n".join(f"{one.level} {one.what} {one.advice}" for one in looked(with_bot, ["tg_bot"]))


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
    assert away.startswith("warn Telegram (http://127.0.0.1:9) недоступен")
    assert not any(token in text for token in (wrong, TOKEN) for text in (refused, *proxied, away))


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({}, ["nn_service", "db_assist", "data_loader", "web"]),
        (KEYS | BOT, ["nn_service", "db_assist", "data_loader", "tg_bot", "web"]),
        ({"nn_service_token": KEY}, ["nn_service"]),
        ({"db_assist_token": KEY}, ["db_assist"]),
        ({"data_loader_token": KEY, "db_assist_token": KEY, "db_assist_url": "http://10.0.0.2:8002"}, ["data_loader"]),
        (AWAY | KEYS | BOT, ["tg_bot"]),
        (AWAY | KEYS, ["web"]),
        ({"nn_service_url": "http://10.0.0.9:8001", "nn_service_token": KEY}, ["db_assist", "data_loader", "web"]),
    ],
)
def test_the_parts_are_recognised(settings: Settings, changes: dict[str, object], parts: list[str]) -> None:
    """The settings of one process, of each container of compose.yaml, and of a recogniser on another machine."""
    assert parts_here(settings.model_copy(update=changes)) == parts


def answer_in_another_protocol(server: socket.socket) -> None:
    """Greet each client as a server of SSH does, until the server is closed."""
    with contextlib.suppress(OSError):
        while True:
            client, _ = server.accept()
            with client:
                client.sendall(b"SSH-2.0-some\r\n")


def test_a_port_in_use_is_a_fault_only_if_another_program_uses_it(settings: Settings, server: Server) -> None:
    """`glas doctor` may also be run while Glas runs."""
    (running,) = PORT(settings.model_copy(update={"port": int(server.url.rpartition(":")[2])}), ["web"])
    assert (running.level, running.advice) == ("ok", "")
    with socket.create_server(("127.0.0.1", 0)) as other:
        answering = threading.Thread(target=answer_in_another_protocol, args=[other], daemon=True)
        answering.start()
        (taken,) = PORT(settings.model_copy(update={"port": other.getsockname()[1]}), ["web"])
    assert (taken.level, taken.advice) == ("warn", "другой порт: GLAS_PORT=8080")


def test_only_what_a_part_uses_is_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A part that other machines reach needs its own token, but not the key of the web page, which runs elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GLAS_HOST", "0.0.0.0")  # noqa: S104
    monkeypatch.setenv("GLAS_DB_ASSIST_TOKEN", KEY.get_secret_value())
    for parts in ([], ["db_assist"]):
        told = CliRunner().invoke(app, ["doctor", *parts, "--json"])
        assert (told.exit_code, json.loads(told.stdout)["is_well"]) == (0, True), told.output
        checks = {finding["check"] for finding in json.loads(told.stdout)["findings"]}
        assert checks == {"program", "data_dir", "port", "database"}
    page = CliRunner().invoke(app, ["doctor", "db_assist", "web", "--json"])
    assert (page.exit_code, "GLAS_API_KEY" in page.stdout) == (1, True)
    unknown = CliRunner().invoke(app, ["doctor", "postgres"])
    assert (unknown.exit_code, "got postgres" in unknown.output) == (1, True)
