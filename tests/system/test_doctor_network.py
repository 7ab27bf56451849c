"""Test the checks of `glas doctor` over the network: success is reported, and each error has a solution."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from pydantic import SecretStr

from glas.cli import doctor_here, doctor_network
from glas.cli.doctor_here import Finding, Look
from glas.cli.run import parts_that_can
from glas.db import migrations
from glas.db.session import database_url, open_database
from glas.settings import Settings
from tests.conftest import Postgres, Server
from tests.seaweed import ACCESS_KEY, SECRET_KEY, Seaweed
from tests.telegram.server import TelegramServer
from tests.telegram.world import TOKEN

KEY = "a-token-between-parts-long-enough"
NOWHERE = "http://127.0.0.1:9"
DATABASE, STORE, SERVICES, TELEGRAM = doctor_network.LOOKS


def found(look: Look, settings: Settings, **changes: object) -> list[Finding]:
    changed = settings.model_copy(update=changes)
    return list(look(changed, parts_that_can(changed)))


def test_a_database_is_looked_at(settings: Settings, postgres: Postgres) -> None:
    url = SecretStr(postgres.create("doctor"))
    (empty,) = found(DATABASE, settings, database_url=url)
    assert (empty.level, empty.advice) == ("fail", "glas migrate")

    async def upgrade() -> None:
        database = open_database(database_url(settings.model_copy(update={"database_url": url})))
        await migrations.upgrade(database)
        await database.close()

    asyncio.run(upgrade())
    (ready,) = found(DATABASE, settings, database_url=url)
    assert ready.level == "ok"
    (away,) = found(DATABASE, settings, database_url=SecretStr("postgresql://glas:hidden-word@127.0.0.1:9/glas"))
    assert (away.level, away.advice) == ("fail", "проверьте GLAS_DATABASE_URL")
    assert "hidden-word" not in away.what
    (embedded,) = found(DATABASE, settings)
    assert embedded.level == "ok"


def test_an_object_store_is_looked_at(settings: Settings, seaweed: Seaweed) -> None:
    right = {"s3_endpoint": seaweed.endpoint, "s3_access_key": ACCESS_KEY, "s3_secret_key": SecretStr(SECRET_KEY)}
    assert [finding.level for finding in found(STORE, settings, **right)] == ["ok"]
    assert [finding.level for finding in found(STORE, settings, **right | {"s3_endpoint": NOWHERE})] == ["fail"]
    assert [finding.level for finding in found(STORE, settings, **right | {"s3_access_key": "nobody"})] == ["fail"]


def test_services_elsewhere_are_looked_at(
    settings: Settings, start_glas: Callable[..., AbstractContextManager[Server]]
) -> None:
    with start_glas("nn_service", GLAS_NN_SERVICE_TOKEN=KEY) as server:
        (known,) = found(SERVICES, settings, nn_service_url=server.url, nn_service_token=SecretStr(KEY))
        (stranger,) = found(SERVICES, settings, nn_service_url=server.url, nn_service_token=SecretStr("k" * 20))
    away, other = found(SERVICES, settings, nn_service_url=NOWHERE, db_assist_url=NOWHERE)
    assert known.level == "ok"
    assert (stranger.level, stranger.advice) == ("fail", "проверьте GLAS_NN_SERVICE_TOKEN")
    assert (away.level, away.advice) == ("fail", "проверьте GLAS_NN_SERVICE_URL")
    assert (other.level, other.advice) == ("fail", "проверьте GLAS_DB_ASSIST_URL")


def test_a_service_that_hangs_is_to_be_restarted(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that accepts connections and answers nothing has the right address, but does not work."""
    monkeypatch.setattr(doctor_network, "TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        (finding,) = found(SERVICES, settings, nn_service_url=f"http://127.0.0.1:{hanging.getsockname()[1]}")
    assert (finding.level, finding.advice) == ("fail", "nn_service завис: перезапустите его")


def test_telegram_is_asked_and_the_token_is_never_shown(settings: Settings) -> None:
    with TelegramServer() as telegram:
        bot = {"telegram_token": SecretStr(TOKEN), "telegram_api_url": telegram.url}
        first, *others = found(TELEGRAM, settings, **bot)
        stranger = SecretStr("987654321:" + "b" * 35)
        (unknown,) = found(TELEGRAM, settings, **bot | {"telegram_token": stranger})
    (away,) = found(TELEGRAM, settings, **bot | {"telegram_api_url": NOWHERE})
    (none,) = found(TELEGRAM, settings)
    assert first.level == "ok"
    assert [finding.level for finding in others] == ["warn"]  # nobody administers it
    assert (unknown.level, away.level, none.level) == ("fail", "warn", "ok")
    for finding in (first, *others, unknown, away):
        assert TOKEN not in finding.what + finding.advice
        assert "b" * 35 not in finding.what + finding.advice


def test_a_bot_that_hears_no_voices_in_groups_is_told_so(settings: Settings) -> None:
    administered = settings.model_copy(update={"admin_user_ids": "42"})
    deaf = list(doctor_network.about_bot({"username": "glas", "can_read_all_group_messages": False}, administered))
    hearing = list(doctor_network.about_bot({"username": "glas", "can_read_all_group_messages": True}, administered))
    assert [("/setprivacy" in finding.advice, finding.level) for finding in deaf] == [(False, "ok"), (True, "warn")]
    assert [finding.level for finding in hearing] == ["ok"]


@pytest.mark.parametrize(
    ("changes", "is_refused"),
    [
        ({"host": "0.0.0.0"}, True),  # noqa: S104
        ({"host": "0.0.0.0", "api_key": SecretStr("k" * 32)}, False),  # noqa: S104
        ({"host": "0.0.0.0", "api_keys": "anna:user:" + "a" * 64}, False),  # noqa: S104
        ({"host": "127.0.0.1"}, False),
    ],
)
def test_the_doctor_refuses_what_the_server_refuses(
    settings: Settings, changes: dict[str, object], *, is_refused: bool
) -> None:
    port = next(look for look in doctor_here.LOOKS if look.__name__ == "_port")
    findings = found(port, settings, port=0, **changes)
    assert any(finding.level == "fail" for finding in findings) == is_refused


def test_a_machine_without_a_model_of_its_own_needs_no_recogniser(settings: Settings, tmp_path: Path) -> None:
    elsewhere = {"nn_service_url": NOWHERE, "data_dir": tmp_path}
    looks = [look for look in doctor_here.LOOKS if look.__name__ in {"_packages", "_model"}]
    assert [finding for look in looks for finding in found(look, settings, **elsewhere)] == []


def test_a_service_that_hangs_does_not_hang_the_checks(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample is sent to the nn_service of the settings, which accepts the connection and never answers."""
    monkeypatch.setattr(doctor_here, "_MODEL_TIMEOUT_S", 1.0)
    look = next(one for one in doctor_here.LOOKS if one.__name__ == "_model")
    with socket.create_server(("127.0.0.1", 0)) as hung:
        url = f"http://127.0.0.1:{hung.getsockname()[1]}"
        (finding,) = look(settings.model_copy(update={"nn_service_url": url}), ["nn_service"])
    assert (finding.level, finding.advice) == ("fail", "nn_service завис: перезапустите его")
