"""Requests of programs that were written for other servers, and the answers that they must get."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from glas.serving.gate import Gate
from glas.serving.hosts import HostCheck
from glas.serving.uploads import UploadBudget
from glas.settings import MIB, Settings
from tests.conftest import Server
from tests.parts.lent import under_another_name
from tests.parts.test_nn_service import running

PATH = "/v1/audio/transcriptions"


def post(server: Server, fields: list[tuple[str, Any]], **headers: str) -> httpx.Response:
    """Send a form whose parts are exactly given: `(name, value)` or `(name, (file name, bytes))`."""
    parts = []
    for name, value in fields:
        file_name, body = value if isinstance(value, tuple) else (None, value.encode())
        named = "" if file_name is None else f'; filename="{file_name}"'
        parts.append(f'--X\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + body + b"\r\n")
    content = b"".join(parts) + b"--X--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=X"}
    return httpx.post(server.url + PATH, content=content, headers=kind | headers, trust_env=False, timeout=60)


@pytest.fixture(scope="module")
def voice(short_wav: bytes) -> bytes:
    return short_wav


@pytest.fixture(scope="module")
def text(server: Server, voice: bytes) -> str:
    return str(post(server, [("file", ("voice.ogg", voice))]).json()["text"])


# ---- files


@pytest.mark.parametrize("file_name", [None, "", "blob", "голос.ogg"])
def test_a_file_is_a_file_with_or_without_a_name(
    server: Server, voice: bytes, text: str, file_name: str | None
) -> None:
    answer = post(server, [("model", "auto"), ("file", (file_name, voice))])
    assert answer.json()["text"] == text


def test_a_long_file_without_a_name_is_whole(server: Server, voice: bytes, text: str) -> None:
    """The file is longer than the megabyte that a form field may have; there is speech at its end."""
    silence = bytes(60 * 32_000)
    data = bytearray(voice[:44] + silence + voice[44:])
    data[40:44] = (len(data) - 44).to_bytes(4, "little")
    body = post(server, [("response_format", "verbose_json"), ("file", (None, bytes(data)))]).json()
    assert body["duration"] == 60 + (len(voice) - 44) / 32_000
    assert body["text"] == text


# ---- word times

_SPELLINGS = {
    "openai": [("timestamp_granularities[]", "word")],
    "without brackets": [("timestamp_granularities", "word")],
    "numbered": [("timestamp_granularities[0]", "word"), ("timestamp_granularities[1]", "segment")],
    "json": [("timestamp_granularities", '["word", "segment"]')],
    "json in brackets": [("timestamp_granularities[]", '["word"]')],
    "commas": [("timestamp_granularities[]", "word,segment")],
}


@pytest.mark.parametrize("spelling", _SPELLINGS)
def test_word_times_come_whatever_the_spelling(server: Server, voice: bytes, text: str, spelling: str) -> None:
    fields = [*_SPELLINGS[spelling], ("response_format", "verbose_json"), ("file", ("a.ogg", voice))]
    body = post(server, fields).json()
    assert [word["word"] for word in body["words"]] == text.split()
    assert ("segments" in body) == any("segment" in value for _, value in _SPELLINGS[spelling])


@pytest.mark.parametrize("name", ["include[]", "include", "include[0]"])
def test_probabilities_come_whatever_the_spelling(server: Server, voice: bytes, name: str) -> None:
    assert post(server, [(name, "logprobs"), ("file", ("a.ogg", voice))]).json()["logprobs"]


def test_a_granularity_that_does_not_exist_is_still_refused(server: Server, voice: bytes) -> None:
    answer = post(server, [("timestamp_granularities", "letter"), ("file", ("a.ogg", voice))])
    assert answer.status_code == 400
    assert answer.json()["error"]["param"].startswith("timestamp_granularities[]")


# ---- names of models


@pytest.mark.parametrize(
    "model",
    [
        *("whisper-1", "WHISPER-1", "gpt-transcribe", "gpt-4o-mini-transcribe-2025-12-15", "gpt-4o-transcribe-diarize"),
        *("whisper-large-v3", "whisper-large-v3-turbo", "large-v3", "base.en", "openai/whisper-large-v3"),
        *("Systran/faster-distil-whisper-large-v3", "deepdml/faster-whisper-large-v3-turbo-ct2"),
    ],
)
def test_a_hosted_model_is_the_default_one(server: Server, voice: bytes, model: str) -> None:
    fields = [("model", model), ("response_format", "verbose_json"), ("file", ("a.ogg", voice))]
    assert post(server, fields).json()["model"] == "embedded"


@pytest.mark.parametrize("model", ["nobody", "onnx:gigaam-v3-ctc", "whisper-small-ru", "tts-1", "gpt-4o"])
def test_a_model_that_is_not_here_is_not_the_default_one(server: Server, voice: bytes, model: str) -> None:
    answer = post(server, [("model", model), ("file", ("a.ogg", voice))])
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_unknown")


# ---- hints


def test_what_the_model_has_no_use_for_is_named(server: Server, voice: bytes) -> None:
    fields = [("keywords[]", "Глас"), ("keywords[]", "Настя"), ("prompt", "Разговор"), ("file", ("a.ogg", voice))]
    answer = post(server, fields)
    takes_prompt = answer.headers.get("x-ignored-fields")
    assert answer.status_code == 200
    assert takes_prompt in {None, "prompt, keywords"}


def test_one_language_of_a_list_is_the_language(server: Server, voice: bytes, text: str) -> None:
    assert post(server, [("languages[]", "ru-RU"), ("file", ("a.ogg", voice))]).json()["text"] == text
    for more in ([], [("language", "ru")]):
        refused = post(server, [*more, ("languages[]", "klingon"), ("file", ("a.ogg", voice))])
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, "language")
    unknown = post(server, [("languages", "fr"), ("file", ("a.ogg", voice))])
    assert (unknown.status_code, unknown.json()["error"]["param"]) == (400, "language")
    both = post(server, [("languages", '["ru", "en"]'), ("file", ("a.ogg", voice))])
    assert both.json()["text"] == text


# ---- status, time, documents


@pytest.mark.parametrize("data", [b"no sound in here", b"<html>" * 100, b"OggS" + bytes(500)])
def test_what_is_no_sound_is_a_bad_request_as_openai_says(server: Server, data: bytes) -> None:
    answer = post(server, [("file", ("a.ogg", data))])
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")


def test_the_time_of_waiting_is_told_beside_the_time_of_work(server: Server, voice: bytes) -> None:
    body = post(server, [("response_format", "verbose_json"), ("file", ("a.ogg", voice))]).json()
    assert body["processing_seconds"] > 0
    assert 0 < body["elapsed_seconds"] < 60


def test_health_answers_monitors_that_ask_for_the_head_only(server: Server) -> None:
    answer = httpx.head(f"{server.url}/health", trust_env=False)
    assert (answer.status_code, answer.content) == (200, b"")


def test_the_document_can_be_read_by_people_without_a_foreign_host(server: Server) -> None:
    page = httpx.get(f"{server.url}/docs", trust_env=False, timeout=60)
    assert page.status_code == 200
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    for needed in ("POST /v1/audio/transcriptions", "timestamp_granularities[]", "GET /health"):
        assert needed in page.text
    assert "http://" not in page.text.replace("http://127.0.0.1", "")
    assert "<script" not in page.text


async def test_the_document_and_health_need_no_key(settings: Settings) -> None:
    async with running(settings, key="k" * 32, load=under_another_name) as app:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://glas", timeout=60) as client:
            statuses = [(await client.get(path)).status_code for path in ("/docs", "/openapi.json", "/health")]
            assert statuses == [200, 200, 200]
            assert (await client.get("/v1/models")).status_code == 401


async def test_a_browser_may_send_the_headers_of_openais_client(settings: Settings) -> None:
    allowing = settings.model_copy(update={"cors_origins": "https://example.org"})
    async with running(allowing, load=under_another_name) as app:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://glas", timeout=60) as client:
            asked = "authorization,content-type,x-stainless-arch,x-stainless-lang,x-stainless-retry-count"
            headers = {
                "Origin": "https://example.org",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": asked,
            }
            answer = await client.options(PATH, headers=headers)
            foreign = await client.options(PATH, headers=headers | {"Origin": "https://evil.org"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-headers"] == asked
    assert foreign.status_code == 400
    assert "access-control-allow-origin" not in foreign.headers


# ---- hosts


def _hosts(*allowed: str) -> httpx.AsyncClient:
    app = FastAPI()
    app.add_api_route("/", lambda: "ok")
    app.add_middleware(HostCheck, host="127.0.0.1", allowed=allowed)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost", timeout=60)


@pytest.mark.parametrize(
    ("host", "allowed", "status"),
    [
        ("localhost:8000", (), 200),
        ("127.0.0.1", (), 200),
        ("[::1]:8000", (), 200),
        ("evil.example", (), 403),
        ("", (), 403),
        ("glas.example.org", ("glas.example.org",), 200),
        ("Glas.Example.org:443", ("glas.example.org",), 200),
        ("a.example.org", ("*.example.org",), 200),
        ("example.org.evil", ("*.example.org",), 403),
        ("anything", ("*",), 200),
    ],
)
async def test_names_of_a_proxy_are_allowed_by_a_setting(host: str, allowed: tuple[str, ...], status: int) -> None:
    async with _hosts(*allowed) as client:
        answer = await client.get("/", headers={"Host": host})
    assert answer.status_code == status
    if status != 200:
        assert answer.json()["error"]["code"] == "forbidden"
        assert "GLAS_ALLOWED_HOSTS" in answer.json()["error"]["message"]


# ---- uploads are counted before they are stored


async def test_uploads_together_have_a_limit_that_is_kept_before_they_are_read() -> None:
    read, both, go_on = [], asyncio.Event(), asyncio.Event()

    async def keep(request: Request) -> int:
        read.append(request)
        if len(read) > 1:
            both.set()
        await go_on.wait()
        return len(await request.body())

    app = FastAPI()
    app.add_api_route("/", keep, methods=["POST"])
    app.add_middleware(UploadBudget, most_bytes=5 * MIB, largest_bytes=4 * MIB)
    app.add_middleware(Gate, key=None, max_body_bytes=10 * MIB)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://glas", timeout=30) as client:
        first = [asyncio.create_task(client.post("/", content=bytes(2 * MIB))) for _ in range(2)]
        await both.wait()
        refused = await client.post("/", content=bytes(2 * MIB))
        small = asyncio.create_task(client.post("/", content=b"little"))
        go_on.set()
        answers = [*await asyncio.gather(*first), await small]
        later = await client.post("/", content=bytes(8 * MIB))
    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "overloaded"
    assert int(refused.headers["retry-after"]) > 0
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert json.loads(later.text) == 8 * MIB


async def test_an_upload_that_does_not_tell_its_length_counts_as_the_longest() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def keep(request: Request) -> int:
        begun.set()
        await go_on.wait()
        return len(await request.body())

    async def drops() -> AsyncIterator[bytes]:
        yield b"a few"

    app = FastAPI()
    app.add_api_route("/", keep, methods=["POST"])
    app.add_middleware(UploadBudget, most_bytes=5 * MIB, largest_bytes=4 * MIB)
    app.add_middleware(Gate, key=None, max_body_bytes=10 * MIB)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://glas", timeout=30) as client:
        nameless = asyncio.create_task(client.post("/", content=drops()))
        await begun.wait()
        refused = await client.post("/", content=bytes(2 * MIB))
        go_on.set()
        assert json.loads((await nameless).text) == 5
        assert (await client.post("/", content=bytes(2 * MIB))).status_code == 200
    assert refused.status_code == 503
