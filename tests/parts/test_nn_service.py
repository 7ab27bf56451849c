"""nn_service through its typed client, in this process and over TCP, and its behaviour at its limits."""

import asyncio
import json
import re
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.domain.decoding import PLAIN, Abilities, DecodingOptions
from glas.domain.errors import (
    AuthenticationError,
    EmptyAudioError,
    OverloadedError,
    UnknownModelError,
    UnsupportedFormatError,
    UploadTooLargeError,
)
from glas.domain.metrics import error_rates
from glas.domain.transcription import Hypothesis, Samples
from glas.engines import Engine
from glas.launch.connections import entered
from glas.nn_service.app import create_app
from glas.recognition import LoadEngine
from glas.settings import AudioSettings, NnServiceSettings, Settings
from tests.conftest import Sample, Server, as_wav
from tests.parts.lent import under_another_name

KEY = "a-key-for-tests-that-is-long-enough"


class HeldEngine:
    """The real engine, which waits until the test lets it continue, so that the service is busy as long as needed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.door = threading.Event()
        self.began = threading.Semaphore(0)
        self.calls = 0

    @property
    def name(self) -> str:
        return self._engine.name

    @property
    def window_s(self) -> float:
        return self._engine.window_s

    @property
    def abilities(self) -> Abilities:
        return self._engine.abilities

    def recognise(self, batch: Sequence[Samples], options: DecodingOptions = PLAIN) -> list[Hypothesis]:
        self.calls += 1
        self.began.release()
        assert self.door.wait(timeout=30)
        return self._engine.recognise(batch, options)

    def close(self) -> None:
        self._engine.close()


@asynccontextmanager
async def running(settings: Settings, key: str | None = None, load: LoadEngine | None = None) -> AsyncIterator[FastAPI]:
    """The app with its lifespan entered."""
    app = create_app(settings, key=key, load=load)
    async with entered([app]):
        yield app


@pytest.fixture(params=["in process", "over TCP"])
async def http(request: pytest.FixtureRequest, settings: Settings, server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """The client over both transports."""
    if request.param == "over TCP":
        async with open_http(url=server.url) as client:
            yield client
        return
    async with running(settings, load=under_another_name) as app, open_http(url=None, app=app) as client:
        yield client


async def test_samples_are_heard(http: httpx.AsyncClient, samples: list[Sample]) -> None:
    """The service returns the words that were said, with times within the audio, on both transports."""
    client = NnServiceClient(http)
    pairs = []
    for sample in samples:
        heard = (await client.transcribe(sample.path.read_bytes())).hypothesis
        pairs.append((sample.text, heard.text))
        assert heard.model == "embedded"
        assert [word.text for word in heard.words] == heard.text.split()
        times = [time for word in heard.words for time in (word.start_s, word.end_s)]
        assert times == sorted(times)
        assert times[-1] <= heard.duration_s + 0.05
        assert heard.confidence is not None
        assert 0 <= heard.confidence <= 1
    assert error_rates([true for true, _ in pairs], [heard for _, heard in pairs]).wer <= 0.25


async def test_the_fingerprint_is_of_the_sound_and_not_of_the_file(
    http: httpx.AsyncClient, samples: list[Sample]
) -> None:
    """Equal sound in another container has the same fingerprint."""
    client = NnServiceClient(http)
    first = (await client.transcribe(samples[0].path.read_bytes())).fingerprint
    wav = as_wav(np.concatenate(list(decode_blocks(samples[0].path.read_bytes(), DecodeLimits()))))
    assert first is not None
    assert (await client.transcribe(wav)).fingerprint == first
    assert (await client.transcribe(samples[1].path.read_bytes())).fingerprint != first


async def test_more_keywords_than_the_service_takes_hinder_nothing(
    http: httpx.AsyncClient, samples: list[Sample]
) -> None:
    """The client leaves out the last keywords, by their number and by their length."""
    client, data = NnServiceClient(http), samples[0].path.read_bytes()
    for words in (["Ян"] * 300, [f"{number:03}" + "ы" * 57 for number in range(100)]):
        assert (await client.transcribe(data, keywords=words)).hypothesis.text


async def test_predict_answers_as_the_original(http: httpx.AsyncClient, samples: list[Sample]) -> None:
    """`POST /predict` has the format of the original system, and the same text."""
    data = samples[0].path.read_bytes()
    short = (await http.post("/predict", files={"file": data})).json()
    full = (await http.post("/v1/audio/transcriptions", files={"file": data})).json()
    assert short == {"prediction": full["text"]}


async def test_refusals_arrive_as_themselves(http: httpx.AsyncClient, samples: list[Sample]) -> None:
    """The caller gets the exception that the service raised."""
    client = NnServiceClient(http)
    with pytest.raises(UnsupportedFormatError):
        await client.transcribe(b"<html>no sound here</html>" * 100)
    with pytest.raises(EmptyAudioError):
        await client.transcribe(b"")
    with pytest.raises(UnknownModelError, match="embedded"):
        await client.transcribe(samples[0].path.read_bytes(), model="nobody")
    for form, field in (
        ({"language": "en"}, "language"),
        ({"response_format": "docx"}, "response_format"),
        ({"temperature": "7"}, "temperature"),
    ):
        answer = await http.post("/v1/audio/transcriptions", files={"file": samples[0].path.read_bytes()}, data=form)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, field)


async def test_a_field_that_is_no_list_comes_once_and_a_choice_is_made(
    http: httpx.AsyncClient, samples: list[Sample]
) -> None:
    """Two values for a field are refused and not ignored; lists may be repeated."""
    file = {"file": ("voice.ogg", samples[0].path.read_bytes())}
    refused = await http.post("/v1/audio/transcriptions", files=file, data={"stream": ["true", "false"]})
    assert refused.status_code == httpx.codes.BAD_REQUEST
    assert refused.json()["error"]["param"] == "stream"
    for name in ("response_format", "temperature", "stream"):
        empty = await http.post("/v1/audio/transcriptions", files=file, data={name: "", "language": ""})
        assert (empty.status_code, empty.json()["error"]["param"]) == (httpx.codes.BAD_REQUEST, name)
    lists = {"timestamp_granularities[]": ["word", "segment"], "response_format": "verbose_json"}
    heard = await http.post("/v1/audio/transcriptions", files=file, data=lists)
    assert heard.status_code == httpx.codes.OK
    assert {"words", "segments"} <= heard.json().keys()


async def test_stream_sends_pieces_then_the_whole(http: httpx.AsyncClient, samples: list[Sample]) -> None:
    """The deltas together are the text of the last event, which equals the answer without a stream."""
    files = {"file": samples[0].path.read_bytes()}
    plain = (await http.post("/v1/audio/transcriptions", files=files)).json()["text"]
    form = {"stream": "true", "response_format": "verbose_json", "timestamp_granularities[]": "word"}
    answer = await http.post("/v1/audio/transcriptions", files=files, data=form)
    lines = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert lines.pop() == "[DONE]"
    *deltas, done = [json.loads(line) for line in lines]
    assert deltas
    assert {event["type"] for event in deltas} == {"transcript.text.delta"}
    assert "".join(event["delta"] for event in deltas) == plain == done["text"]
    assert [word["word"] for word in done["result"]["words"]] == plain.split()


async def test_a_broken_file_in_a_stream_is_an_event(http: httpx.AsyncClient) -> None:
    """The status is sent before the stream fails, so the error is sent as an event."""
    answer = await http.post("/v1/audio/transcriptions", files={"file": b"no sound"}, data={"stream": "true"})
    assert (
        json.loads(answer.text.split("\n\n")[0].removeprefix("data: "))["error"]["code"] == "audio_format_unsupported"
    )


async def test_a_full_queue_says_when_to_come_back(settings: Settings, samples: list[Sample]) -> None:
    """The second request and /ready are refused with 503 and Retry-After, and the first is not affected."""
    tight = settings.model_copy(update={"nn_service": NnServiceSettings(workers=1, queue_size=0)})
    held = HeldEngine(under_another_name("embedded"))
    async with running(tight, load=lambda _name: held) as app, open_http(url=None, app=app) as http:
        client, data = NnServiceClient(http), samples[0].path.read_bytes()
        assert (await http.get("/ready")).json() == {"status": "ready"}
        first = asyncio.create_task(client.transcribe(data))
        assert await asyncio.to_thread(held.began.acquire, timeout=20)
        assert (await client.health()).in_flight == (await client.figures()).n_in_flight == 1
        full = await http.get("/ready")
        assert full.status_code == 503
        assert int(full.headers["Retry-After"]) >= 1
        with pytest.raises(OverloadedError) as refused:
            await client.transcribe(data)
        assert refused.value.retry_after_s is not None
        assert refused.value.retry_after_s >= 1
        held.door.set()
        assert (await first).hypothesis.text
        assert (await http.get("/ready")).status_code == 200
        assert 'outcome="overloaded"} 1.0' in (await http.get("/metrics")).text
        figures = await client.figures()
        assert figures.outcomes == {"overloaded": 1, "ok": 1}
        middle, last = figures.processing.percentile(0.5), figures.processing.percentile(0.99)
        assert middle is not None
        assert last is not None
        assert 0 < middle <= last
        assert figures.real_time_factor == figures.processing.total_s / figures.audio_s > 0
        assert figures.waiting.percentile(0.5) is not None
    async with open_http(url=None, app=app) as http:
        stopping = await http.get("/ready")
        assert (stopping.status_code, stopping.json()["error"]["code"]) == (503, "service_stopping")


async def test_a_caller_who_goes_away_frees_the_place(server: Server, long_wav: bytes) -> None:
    """If the connection is closed, a long recording does not occupy a worker until its end."""
    async with open_http(url=server.url) as http:
        client = NnServiceClient(http)
        with pytest.raises(TimeoutError):
            await client.transcribe(long_wav, timeout_s=0.5)
        # A piece that is being recognised is finished first.
        for _ in range(300):
            if (await client.health()).in_flight == 0:
                return
            await asyncio.sleep(0.1)
    pytest.fail("the abandoned recording still holds its place after 30 s")


async def test_keys_and_limits_are_checked_before_the_body_is_read(settings: Settings) -> None:
    """A caller without a key, or with a body above the limit, cannot make the service read it."""
    small = settings.model_copy(update={"audio": AudioSettings(max_upload_mb=1)})
    async with running(small, key=KEY, load=under_another_name) as app:
        async with open_http(url=None, app=app, token="another") as http:
            with pytest.raises(AuthenticationError):
                await NnServiceClient(http).transcribe(b"x")
            assert [(await http.get(path)).status_code for path in ("/health", "/ready")] == [200, 200]
        async with open_http(url=None, app=app, token=KEY) as http:
            with pytest.raises(UploadTooLargeError, match="at most 1 MiB"):
                await NnServiceClient(http).transcribe(b"x" * 2_000_000)
            chunked = await http.post("/predict", content=_chunks(), headers={"Content-Type": _MULTIPART})
            assert (chunked.status_code, chunked.json()["error"]["code"]) == (413, "upload_too_large")
            assert _chunks_sent < 100, "the body was read to its end although it was over the limit"


_MULTIPART = "multipart/form-data; boundary=b"
_chunks_sent = 0


async def _chunks() -> AsyncIterator[bytes]:
    """A body of 100 MB that does not announce its length."""
    global _chunks_sent  # noqa: PLW0603
    yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    for _ in range(100):
        _chunks_sent += 1
        yield bytes(1_000_000)
    yield b"\r\n--b--\r\n"


async def test_request_id_is_kept_or_made(http: httpx.AsyncClient) -> None:
    """A valid id is returned, so that logs of two parts can be joined; an invalid id is replaced."""
    assert (await http.get("/health", headers={"X-Request-ID": "abc-1"})).headers["x-request-id"] == "abc-1"
    made = (await http.get("/health", headers={"X-Request-ID": "a b\tc<script>"})).headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", made)


async def test_models_are_listed(http: httpx.AsyncClient) -> None:
    """The list has OpenAI's format; a model that is not served gives 404 in this format."""
    listed: dict[str, Any] = (await http.get("/v1/models")).json()
    assert [model["id"] for model in listed["data"]] == ["embedded"]
    assert (await http.get("/v1/models/embedded")).json()["object"] == "model"
    missing = await http.get("/v1/models/onnx:none")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_unknown")
