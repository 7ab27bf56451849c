"""A bug leaves a traceback in the log if the program continues; an unavailable service leaves one line."""

import asyncio
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest
import sqlalchemy as sa
from aiogram import Bot
from starlette.types import Receive, Scope, Send

from glas.audio.decoder import DecoderPool
from glas.audio.limits import DecodeLimits
from glas.clients.http import call, open_http
from glas.domain.errors import ServiceFaultError, ServiceUnreachableError
from glas.durable import Durable, sqlite_place
from glas.durable.members import Members
from glas.tg_bot.intake import Intake

pytestmark = pytest.mark.usefixtures("plain_log")

Captured = pytest.CaptureFixture[str]


def _raise(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(("error", "trace"), [(KeyError("slot"), 1), (OSError("away"), 0)])
async def test_the_care_of_the_durable_engine(error: Exception, trace: int, tmp_path: Path, capsys: Captured) -> None:
    """The background tasks continue after both, because otherwise other processes would take over the work."""
    beats: list[str] = []
    beat = Members.beat

    def counted(self: Members, slot: str, note: str = "") -> None:
        beats.append(slot)
        beat(self, slot, note)

    with (
        patch("glas.durable.maintenance._HEARTBEAT_S", 0.05),
        patch.object(Members, "beat", counted),
        patch.object(Members, "pending_deletions", lambda _self: _raise(error)),
    ):
        durable = Durable(sqlite_place(tmp_path / "durable.sqlite"), slot="one")
        await durable.start()
        async with asyncio.timeout(20):
            while len(beats) < 4:  # noqa: ASYNC110 - the care has no event to offer
                await asyncio.sleep(0.05)
        await durable.close()
    said = capsys.readouterr().out
    assert "forgetting people" in said
    assert min(1, said.count("Traceback")) == trace


async def test_a_service_in_this_process_that_fails_without_an_answer(capsys: Captured) -> None:
    """The exception is raised outside of the code that answers, so it must be logged here."""

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise KeyError("nobody catches this")

    async with open_http(url=None, app=app) as http:
        with pytest.raises(ServiceFaultError):
            await call(http, "GET", "/anything", timeout_s=5)
    assert "KeyError: 'nobody catches this'" in capsys.readouterr().out


async def test_an_answer_that_is_cut_off_is_none(capsys: Captured) -> None:
    """As over TCP, an incomplete body is an error."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}", "more_body": True})
        raise KeyError("in the middle")

    async with open_http(url=None, app=app) as http:
        with pytest.raises(ServiceUnreachableError):
            await call(http, "GET", "/anything", timeout_s=5)
        with pytest.raises(httpx.RemoteProtocolError, match="GET /anything"):
            await http.request("GET", "/anything")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("error", "trace"), [(KeyError("update"), 1), (sa.exc.OperationalError("", {}, Exception()), 0)]
)
async def test_taking_in_updates(error: Exception, trace: int, tmp_path: Path, capsys: Captured) -> None:
    durable = Durable(sqlite_place(tmp_path / "durable.sqlite"), slot="one")
    bot = Bot("42:abcdefghijklmnopqrstuvwxyz012345678")
    intake = Intake(bot, durable, confirm_first=False, n_at_once=1, concurrency=1)
    with patch.object(Durable, "take_lease", side_effect=error):
        polling = asyncio.create_task(intake.poll())
        await asyncio.sleep(0.2)
        polling.cancel()
    said = capsys.readouterr().out
    assert "updates cannot be received" in said
    assert min(1, said.count("Traceback")) == trace


_CONFINED = """
from glas.audio import confinement
from glas.audio.limits import DecodeLimits
confinement.allow_only_computation = lambda libc: False
assert not confinement.offers_filter()
confinement.confine(DecodeLimits(), input_bytes=0, must_filter=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such filter")
def test_a_decoder_without_the_filter_that_the_system_offers_does_not_begin() -> None:
    process = subprocess.run([sys.executable, "-c", _CONFINED], capture_output=True, text=True, check=False)
    assert process.returncode == 1
    assert "expected a filter of system calls" in process.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such filter")
def test_a_system_without_the_filter_is_told_of_once(capsys: Captured) -> None:
    pool = DecoderPool(2, DecodeLimits())
    pool.start()
    pool.close()
    assert capsys.readouterr().out == ""
    with patch("glas.audio.worker.READY", b"?"), patch("glas.audio.worker.READY_UNFILTERED", b"R"):
        pool = DecoderPool(2, DecodeLimits())
        pool._discard(pool._new_worker())
        pool._discard(pool._new_worker())
        pool.close()
    assert capsys.readouterr().out.count("no filter of system calls") == 1
