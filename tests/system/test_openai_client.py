"""OpenAI's own client against a running server: what it is written for must work unchanged."""

import re

import openai
import pytest

from tests.conftest import Sample, Server


@pytest.fixture(scope="module")
def client(server: Server) -> openai.OpenAI:
    """The client, pointed at us."""
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="unused", max_retries=0)


def test_all_five_formats(client: openai.OpenAI, samples: list[Sample]) -> None:
    """The same words in each form, and each form as its standard says."""
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
    """The client's own event types come out."""
    events = list(client.audio.transcriptions.create(model="whisper-1", file=samples[0].path, stream=True))
    assert [event.type for event in events][-1] == "transcript.text.done"
    said = "".join(event.delta for event in events if event.type == "transcript.text.delta")
    assert said == getattr(events[-1], "text", None)


def test_errors_are_the_client_s_own(client: openai.OpenAI, samples: list[Sample]) -> None:
    """A wrong model is its NotFoundError, a wrong file its status error with our code."""
    with pytest.raises(openai.NotFoundError) as unknown:
        client.audio.transcriptions.create(model="nobody", file=samples[0].path)
    assert unknown.value.code == "model_unknown"
    with pytest.raises(openai.APIStatusError) as broken:
        client.audio.transcriptions.create(model="whisper-1", file=("a.ogg", b"no sound in here"))
    assert (broken.value.status_code, broken.value.code) == (415, "audio_format_unsupported")
    assert [model.id for model in client.models.list()] == ["embedded"]
