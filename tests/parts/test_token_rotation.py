"""Tokens of services are exchanged without any refused request."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from structlog.testing import capture_logs

from glas.clients.db_assist import DbAssistClient
from glas.clients.http import open_http
from glas.data_loader.app import create_app as create_data_loader
from glas.db_assist.app import create_app as create_db_assist
from glas.launch.listeners import key_of, previous_key_of
from glas.nn_service.app import create_app as create_nn_service
from glas.settings import Settings
from tests.conftest import Server

NEW, OLD, OTHER = "n" * 32, "o" * 32, "x" * 32
# No service has this path: the answer is 404 to whoever is let in.
NOWHERE = "/nowhere"


def _app(part: str, settings: Settings) -> FastAPI:
    key, previous = key_of(settings, part, [part]), previous_key_of(settings, part, [part])
    match part:
        case "nn_service":
            return create_nn_service(settings, key=key, previous_key=previous)
        case "db_assist":
            return create_db_assist(settings, key=key, previous_key=previous)
        case _:
            away = DbAssistClient(open_http(url="http://127.0.0.1:9"))
            return create_data_loader(settings, db_assist=away, key=key, previous_key=previous)


async def _statuses(app: FastAPI) -> list[int]:
    found = []
    for token in (NEW, OLD, OTHER):
        async with open_http(url=None, app=app, token=token) as http:
            found.append((await http.get(NOWHERE)).status_code)
    return found


@pytest.mark.parametrize("part", ["nn_service", "db_assist", "data_loader"])
async def test_two_tokens_are_accepted_while_they_are_exchanged(settings: Settings, part: str) -> None:
    """The log shows who still sends the old token; afterwards the old token is refused."""
    given: dict[str, SecretStr | None] = {
        f"{part}_token": SecretStr(NEW),
        f"{part}_previous_token": SecretStr(OLD),
    }
    with capture_logs() as lines:
        assert await _statuses(_app(part, settings.model_copy(update=given))) == [404, 404, 401]
    assert not any(token in str(lines) for token in (NEW, OLD))
    given[f"{part}_previous_token"] = None
    assert await _statuses(_app(part, settings.model_copy(update=given))) == [404, 401, 401]


def test_a_service_of_no_token_accepts_no_previous_one_either(settings: Settings) -> None:
    """On loopback nn_service needs no token; beside the page it requires the page's keys."""
    given = settings.model_copy(update={"nn_service_previous_token": SecretStr(OLD)})
    assert previous_key_of(given, "nn_service", ["nn_service"]) is None
    both = given.model_copy(update={"nn_service_token": SecretStr(NEW)})
    assert previous_key_of(both, "nn_service", ["nn_service"]) == OLD
    assert previous_key_of(both, "nn_service", ["nn_service", "web"]) is None


def test_a_process_takes_both_from_its_settings(
    start_glas: Callable[..., AbstractContextManager[Server]], tmp_path: Path
) -> None:
    """One token is in a file, as Docker and Kubernetes provide secrets."""
    file = tmp_path / "token"
    file.write_text(f"{NEW}\n", encoding="utf-8")
    told = {"GLAS_DB_ASSIST_TOKEN_FILE": str(file), "GLAS_DB_ASSIST_PREVIOUS_TOKEN": OLD, "GLAS_DB_ASSIST__PORT": "0"}
    with start_glas("db_assist", **told) as server:
        answers = [
            httpx.get(f"{server.url}{NOWHERE}", headers={"Authorization": f"Bearer {token}"}, timeout=60).status_code
            for token in (NEW, OLD, OTHER)
        ]
    assert answers == [404, 404, 401]
