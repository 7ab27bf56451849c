"""Test that OpenAI's client works unchanged with a running server."""

import http.client
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import openai
import pytest

from glas.domain.text import normalise
from glas.settings.keys import new_key
from tests.conftest import ROOT, Sample, Server


@pytest.fixture(scope="module")
def client(server: Server) -> openai.OpenAI:
    """Make the client with the address of the server."""
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="unused", max_retries=0)


def test_all_five_formats(client: openai.OpenAI, samples: list[Sample]) -> None:
    """All formats contain the same words, each by its standard."""
    audio = client.audio.transcriptions
    path = samples[0].path
    text = audio.create(model="whisper-1", file=path, response_format="json").text
    assert text
    assert audio.create(model="whisper-1", file=path, response_format="text") == text + "\n"
    srt = audio.create(model="whisper-1", file=path, response_format="srt")
    assert re.match(r"1\n\d\d:\d\d:\d\d,\d{3} --> \d\d:\d\d:\d\d,\d{3}\n", srt)
    vtt = audio.create(model="whisper-1", file=path, response_format="vtt")
    assert vtt.startswith("WEBVTT\n\n")
    verbose = audio.create(
        model="whisper-1", file=path, response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    assert (verbose.text, verbose.language) == (text, "russian")
    assert verbose.segments
    assert verbose.words
    assert [word.word for word in verbose.words] == text.split()
    assert verbose.segments[0].avg_logprob < 0
    for subtitles in (srt, vtt):
        cues = [line for line in subtitles.splitlines() if line and "-->" not in line and not line.isdecimal()]
        assert " ".join(line for line in cues if line != "WEBVTT").split() == text.split()


def test_stream(client: openai.OpenAI, samples: list[Sample]) -> None:
    """The stream consists of the client's own event types."""
    events = list(client.audio.transcriptions.create(model="whisper-1", file=samples[0].path, stream=True))
    assert [event.type for event in events][-1] == "transcript.text.done"
    said = "".join(event.delta for event in events if event.type == "transcript.text.delta")
    assert said == getattr(events[-1], "text", None)


def test_errors_are_the_client_s_own(client: openai.OpenAI, samples: list[Sample]) -> None:
    """A wrong model gives the client's NotFoundError, a wrong file its BadRequestError with our code."""
    with pytest.raises(openai.NotFoundError) as unknown:
        client.audio.transcriptions.create(model="nobody", file=samples[0].path)
    assert unknown.value.code == "model_unknown"
    with pytest.raises(openai.BadRequestError) as broken:
        client.audio.transcriptions.create(model="whisper-1", file=("a.ogg", b"no sound in here"))
    assert (broken.value.status_code, broken.value.code) == (400, "audio_format_unsupported")
    with pytest.raises(openai.BadRequestError) as wrong:
        client.audio.transcriptions.create(model="whisper-1", file=samples[0].path, language="en")
    assert (wrong.value.param, wrong.value.code) == ("language", "invalid_parameter")


def test_models(client: openai.OpenAI) -> None:
    """The list and one model are returned; for an unknown model the client raises NotFoundError."""
    assert [model.id for model in client.models.list()] == ["embedded"]
    assert client.models.retrieve("embedded").owned_by == "glas"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("onnx:gigaam-v3-ctc")


def test_every_parameter_of_the_client_is_taken(client: openai.OpenAI, samples: list[Sample]) -> None:
    """A request with all parameters gives the words of a request without parameters."""
    plain = client.audio.transcriptions.create(model="auto", file=samples[0].path)
    full = client.audio.transcriptions.create(
        model="gpt-4o-transcribe",
        file=samples[0].path,
        language="ru",
        prompt="Разговор двух людей.",
        temperature=0,
        response_format="json",
        include=["logprobs"],
        chunking_strategy="auto",
        extra_body={"hotwords": "барышня"},
    )
    assert normalise(full.text) == normalise(plain.text)


def test_logprobs(client: openai.OpenAI, samples: list[Sample]) -> None:
    """The tokens form the text; each has its bytes and its probability, also in a stream."""
    create = client.audio.transcriptions.create
    heard = create(model="auto", file=samples[0].path, include=["logprobs"])
    assert heard.logprobs
    # Tokens are the model's own; capitals, stops and digits come after them and change no word.
    assert normalise("".join(token.token or "" for token in heard.logprobs)) == normalise(heard.text)
    for token in heard.logprobs:
        assert bytes(int(byte) for byte in token.bytes or []).decode() == token.token
        assert token.logprob is not None
        assert token.logprob <= 0
    events = list(create(model="auto", file=samples[0].path, include=["logprobs"], stream=True))
    streamed = [token for event in events if event.type == "transcript.text.delta" for token in event.logprobs or []]
    assert [token.token for token in streamed] == [token.token for token in heard.logprobs]
    assert create(model="auto", file=samples[0].path).logprobs is None


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_a_translation_is_refused_by_a_model_that_makes_none(client: openai.OpenAI, samples: list[Sample]) -> None:
    """A model that cannot translate does not return Russian text as a translation."""
    with pytest.raises(openai.BadRequestError, match="multilingual Whisper") as refused:
        client.audio.translations.create(model="whisper-1", file=samples[0].path)
    assert refused.value.param == "model"


def test_keys(start_glas: Callable[..., AbstractContextManager[Server]], samples: list[Sample]) -> None:
    """The owner's key and hashed keys are accepted, other keys are not; administration needs an administrator's key."""
    (anna, anna_entry), (boris, boris_entry) = new_key("anna", "user"), new_key("boris", "admin")
    owner = "the-key-of-the-owner-is-long-enough"
    with start_glas("nn_service", "web", GLAS_API_KEY=owner, GLAS_API_KEYS=f"{anna_entry}, {boris_entry}") as server:
        for key in (owner, anna, boris):
            client = openai.OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0)
            assert client.audio.transcriptions.create(model="auto", file=samples[0].path).text
        for key in ("unused", anna[:-1], anna_entry.sha256.hex()):
            stranger = openai.OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0)
            with pytest.raises(openai.AuthenticationError) as refused:
                stranger.audio.transcriptions.create(model="auto", file=samples[0].path)
            assert refused.value.code == "invalid_api_key"
        with httpx.Client(base_url=server.url, trust_env=False, timeout=60) as door:
            answers = {
                key: door.post("/api/ps/embedded", headers={"Authorization": f"Bearer {key}"}).status_code
                for key in (owner, anna, boris)
            }
        assert list(answers.values()) == [200, 403, 200]


def test_a_user_s_key_does_not_become_an_administrator_s_behind_the_page(
    start_glas: Callable[..., AbstractContextManager[Server]],
) -> None:
    """The proxy sends its own token; no spelling of a path gives a user more rights."""
    token, (user, user_entry), (admin, admin_entry) = "t" * 40, new_key("anna", "user"), new_key("boris", "admin")
    apart = {"GLAS_NN_SERVICE_TOKEN": token, "GLAS_API_KEYS": f"{user_entry},{admin_entry}"}
    with (
        start_glas("nn_service", GLAS_NN_SERVICE_TOKEN=token) as recogniser,
        start_glas("web", GLAS_NN_SERVICE_URL=recogniser.url, **apart) as page,
    ):
        address = page.url.removeprefix("http://")
        for path in ("/api/ps/embedded", "//api/ps/embedded", "/x/../api/ps/embedded", "/%61pi/ps/embedded",
                     "/%2561pi/ps/embedded", "/./api/ps/embedded", "/api//ps/embedded"):  # fmt: skip
            connection = http.client.HTTPConnection(address, timeout=30)
            connection.request("DELETE", path, headers={"Authorization": f"Bearer {user}"})
            assert connection.getresponse().status in {403, 404, 405}, path
            connection.close()
        headers = {"Authorization": f"Bearer {admin}"}
        with httpx.Client(base_url=page.url, trust_env=False, timeout=30, headers=headers) as client:
            assert len(client.get("/api/ps").json()["models"]) == 1
            assert client.delete("/api/ps/embedded").status_code == 204
            assert client.put("/api/ps/auto", json={"model": "embedded"}).status_code == 200


def test_the_examples_of_the_readme(server: Server, samples: list[Sample], tmp_path: Path) -> None:
    """The Python example runs with another port; the example with `curl` returns the same words."""
    readme, address = (ROOT / "README.md").read_text(encoding="utf-8"), "http://127.0.0.1:8000"
    (lines,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    (line,) = re.findall(r"(?m)^curl [^#\n]+", readme)
    assert (lines.count(address), line.count(address)) == (1, 1)
    (tmp_path / "voice.ogg").write_bytes(samples[0].path.read_bytes())
    command = [sys.executable, "-c", lines.replace(address, server.url)]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()
    assert normalise(said) == normalise(samples[0].text)
    curl = shutil.which("curl")
    if curl is not None:
        command = [curl, "-sS", "--noproxy", "*", *shlex.split(line.replace(address, server.url))[1:]]
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        assert json.loads(answer.stdout) == {"prediction": said}
