"""Test that one message gives one trace at a collector, and that its export is linked to the trace."""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from glas.clients.data_loader import DataLoaderClient
from glas.clients.data_loader_bodies import ExportReport
from glas.clients.http import open_http
from glas.domain.messages import traceparent_of
from glas.launch import control_socket
from glas.settings import Settings
from tests.ports import free_port
from tests.system.acting import final_replies
from tests.system.collector import Collector, Span, collecting
from tests.system.forking import Zygote
from tests.system.processes import Part
from tests.system.worlds import clean_environment, embedded_world
from tests.telegram.server import TelegramServer

PERSON = 5_399_000_777
PARTS = {"tg_bot", "nn_service", "db_assist", "data_loader", "s3"}
_TOKEN = "a-token-between-the-parts-of-this-test"
_PATIENCE_S = 60.0
_EXPECTED = {
    ("tg_bot", "wait in voices"),
    ("tg_bot", "hear"),
    ("tg_bot", "step placeholder"),
    ("tg_bot", "call SendMessage"),
    ("tg_bot", "download"),
    ("tg_bot", "wait for a seat"),
    ("tg_bot", "step recognise"),
    ("tg_bot", "ask nn_service"),
    ("nn_service", "POST /v1/audio/transcriptions"),
    ("nn_service", "lease a model"),
    ("nn_service", "wait for a decoding slot"),
    ("nn_service", "decode"),
    ("nn_service", "recognise the pieces"),
    ("db_assist", "PUT /transcriptions/{transcription_id}/result"),
    ("tg_bot", "wait in archive"),
    ("tg_bot", "keep"),
    ("data_loader", "PUT /objects/{id}/audio"),
    ("s3", "put"),
    ("db_assist", "PUT /transcriptions/{transcription_id}/archive"),
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    """Start a Telegram server for this test."""
    with TelegramServer() as running:
        yield running


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Start a collector for this test."""
    with collecting() as running:
        yield running


def names_of(spans: list[Span]) -> set[tuple[str, str]]:
    """Return part and name of each span."""
    return {(span.part, span.name) for span in spans}


class Installation:
    """Running parts with a person who consents to training."""

    def __init__(self, telegram: TelegramServer, collector: Collector, parts: list[Part], settings: Settings) -> None:
        self.telegram = telegram
        self.collector = collector
        self.parts = parts
        self.settings = settings

    def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not condition():
            if time.monotonic() > deadline:
                tails = "\n".join(part.tail() for part in self.parts)
                pytest.fail(f"{what} did not happen; there is {names_of(self.collector.spans)}\n{tails}")
            time.sleep(0.1)

    def begin(self) -> None:
        self.telegram.say(PERSON, "/start")
        self.until(lambda: self.telegram.answers(PERSON), "a welcome")
        self.telegram.press(PERSON, self.telegram.answers(PERSON)[0]["message_id"], "✅ Разрешаю")

    def speak(self, data: bytes) -> int:
        """Send a recording; return the number of its message."""
        return int(self.telegram.speak(PERSON, data)["message_id"])

    def answer(self, message_id: int) -> str:
        self.until(lambda: message_id in final_replies(self.telegram), "an answer")
        return str(final_replies(self.telegram)[message_id][0]["text"])

    def trace_of(self, message_id: int) -> str:
        """Return the id of the trace, computed from the row of a message."""
        voice = self.telegram.world.messages[PERSON, message_id]["voice"]
        return traceparent_of(voice["file_unique_id"], message_id).split("-")[1]

    def archived(self, trace_id: str) -> list[Span]:
        """Return the spans of a message when all expected spans have arrived."""
        self.until(lambda: names_of(self.collector.trace(trace_id)) >= _EXPECTED, "the archiving")
        return self.collector.trace(trace_id)

    async def export(self) -> ExportReport:
        url, told = self.settings.data_loader_url, self.settings
        if url is None:
            async with control_socket.client_of(told, "data_loader") as http:
                assert http is not None
                return await DataLoaderClient(http).export_now()
        async with open_http(url=url, token=_TOKEN) as http:
            return await DataLoaderClient(http).export_now()


@contextmanager
def one_process(
    telegram: TelegramServer, collector: Collector, directory: Path, zygote: Zygote
) -> Iterator[Installation]:
    """Start all parts in one process."""
    with embedded_world(directory, telegram, _told(collector), zygote=zygote) as world:
        yield Installation(telegram, collector, [world.part("glas")], world.settings)


@contextmanager
def a_process_each(
    telegram: TelegramServer, collector: Collector, directory: Path, zygote: Zygote
) -> Iterator[Installation]:
    """Start each part in a separate process, with SQLite and a directory of objects."""
    told = _told(collector) | {"TELEGRAM_TOKEN": telegram.token, "GLAS_TELEGRAM_API_URL": telegram.url}
    addresses = {}
    for name in ("nn_service", "db_assist", "data_loader"):
        port, prefix = free_port(), f"GLAS_{name.upper()}"
        told |= {f"{prefix}__PORT": str(port), f"{prefix}_TOKEN": _TOKEN}
        addresses[name] = f"http://127.0.0.1:{port}"

    def made(name: str, *needed: str) -> Part:
        own = {f"GLAS_{other.upper()}_URL": addresses[other] for other in needed}
        own |= {"GLAS_DATA_DIR": str(directory / name), "GLAS_LOG__FORMAT": "json"}
        command = [sys.executable, "-m", "glas", "run", name]
        return Part(name, command, clean_environment() | told | own, directory, zygote=zygote)

    services = [made("db_assist"), made("data_loader", "db_assist"), made("nn_service")]
    bot = made("tg_bot", *addresses)
    directory.mkdir(parents=True)
    settings = Settings(_env_file=None, data_dir=directory, data_loader_url=addresses["data_loader"])
    try:
        for batch in (services, [bot]):
            for part in batch:
                part.start()
            for part in batch:
                part.wait()
        yield Installation(telegram, collector, [*services, bot], settings)
    finally:
        for part in (*services, bot):
            part.kill()


@pytest.mark.parametrize("world", [one_process, a_process_each])
def test_a_message_is_one_trace_and_its_export_is_linked(
    *,
    world: Callable[[TelegramServer, Collector, Path, Zygote], AbstractContextManager[Installation]],
    telegram: TelegramServer,
    collector: Collector,
    zygote: Zygote,
    short_wav: bytes,
    tmp_path: Path,
) -> None:
    """The trace has every part, queue and step, and no words, people and keys; the log contains its id."""
    with world(telegram, collector, tmp_path / "world", zygote) as glas:
        glas.begin()
        message_id = glas.speak(short_wav)
        text, trace_id = glas.answer(message_id), glas.trace_of(message_id)
        found = glas.archived(trace_id)
        report = asyncio.run(glas.export())
        assert (report.n_written, report.n_failed) == (1, 0)
        glas.until(lambda: _exported(collector, trace_id), "a span of the export")
        logs = [
            json.loads(line) for part in glas.parts for line in part.log.read_text().splitlines() if line[:1] == "{"
        ]
    _check_whole(found)
    (exported,) = _exported(collector, trace_id)
    beside = collector.trace(exported.trace_id)
    assert {span.part for span in beside} >= {"data_loader", "db_assist", "s3"}
    assert [span.name for span in beside if not span.parent_id] == ["export"]
    named = [line for line in logs if line.get("trace_id") == trace_id]
    assert {line["logger"] for line in named} >= {"glas.serving"}
    (handled,) = [line for line in named if line["event"] == "a recording was handled"]
    assert (handled["outcome"], handled["level"]) == ("ok", "info")
    assert f"/{handled['transcription']}/" in str([line.get("path") for line in named])
    assert 0 <= handled["seconds"] < _PATIENCE_S
    _check_private(collector, text)


def _check_whole(found: list[Span]) -> None:
    """All spans have the first span as ancestor, and show what the message waited for."""
    assert {span.part for span in found} == PARTS
    ids = {span.span_id for span in found}
    assert [(span.part, span.name) for span in found if not span.parent_id] == [("tg_bot", "take in")]
    assert {span.parent_id for span in found if span.parent_id} <= ids
    assert not [span for span in found if span.has_failed or span.seconds < 0]


def _exported(collector: Collector, trace_id: str) -> list[Span]:
    spans = collector.spans
    linked = [span for span in spans if trace_id in span.links]
    return linked if any(span.name == "export" for span in spans) else []


def _check_private(collector: Collector, text: str) -> None:
    """No data at the collector reveals a person, words or a key."""
    sent = b"\n".join(collector.bodies)
    secrets = (str(PERSON), _TOKEN, collector.url, TelegramServer().token.partition(":")[2])
    for told in (*secrets, *(word for word in text.split() if len(word) > 3)):
        assert told.encode() not in sent, told
    keys = {key for span in collector.spans for key in span.attributes}
    assert keys <= {
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "network.protocol.version",
        "url.scheme",
        "error.type",
        "glas.transcription",
    }


def test_a_message_goes_on_in_its_trace_after_a_crash(
    telegram: TelegramServer, collector: Collector, zygote: Zygote, short_wav: bytes, tmp_path: Path
) -> None:
    """The next process, perhaps on another machine, has only the data in the queue."""
    with one_process(telegram, collector, tmp_path / "world", zygote) as glas:
        glas.begin()
        telegram.fail("getFile", "server_error", times=3)
        message_id = glas.speak(short_wav)
        trace_id = glas.trace_of(message_id)
        glas.until(lambda: ("tg_bot", "wait in voices") in names_of(collector.trace(trace_id)), "a first span")
        (part,) = glas.parts
        part.kill()
        part.start()
        part.wait()
        assert glas.answer(message_id)
        found = glas.archived(trace_id)
    assert {span.part for span in found} == PARTS
    waits = [span for span in found if span.name == "wait in voices"]
    assert len(waits) == 2
    assert len([span for span in found if span.name == "hear"]) == 1, "the one that was killed has never ended"
    (recognised,) = [span for span in found if span.name == "step recognise"]
    assert "failed, will be tried again" in recognised.events


def test_a_collector_that_is_away_delays_nobody(
    telegram: TelegramServer, zygote: Zygote, short_wav: bytes, tmp_path: Path
) -> None:
    """The message is answered, and the process ends as fast as without a collector."""
    nowhere = Collector(f"http://127.0.0.1:{free_port()}")
    with one_process(telegram, nowhere, tmp_path / "world", zygote) as glas:
        glas.begin()
        assert glas.answer(glas.speak(short_wav))
        (part,) = glas.parts
        assert part.stop() == 0


def _told(collector: Collector) -> dict[str, str]:
    return {"GLAS_TRACING__ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
