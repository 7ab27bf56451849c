"""The route for subtitles: a recognised text and a changed text get cues by the same rules."""

import httpx
import pytest

from tests.conftest import Sample, Server


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_a_text_sent_back_gets_the_subtitles_of_the_recording(server: Server, samples: list[Sample], form: str) -> None:
    address = f"{server.url}/v1/audio/transcriptions"
    data = samples[0].path.read_bytes() + samples[1].path.read_bytes()
    asked = {"response_format": "verbose_json", "timestamp_granularities[]": ["word", "segment"]}
    body = httpx.post(address, data=asked, files={"file": data}, trust_env=False, timeout=60).json()
    segments = [
        segment | {"words": [word for word in body["words"] if segment["start"] <= word["start"] < segment["end"]]}
        for segment in body["segments"]
    ]

    answer = httpx.post(
        f"{server.url}/v1/subtitles", json={"format": form, "segments": segments}, trust_env=False, timeout=60
    )
    whole = httpx.post(address, data={"response_format": form}, files={"file": data}, trust_env=False, timeout=60)

    assert answer.text == whole.text
    assert answer.headers["content-type"] == whole.headers["content-type"]


def test_a_text_without_word_times_shares_its_seconds(server: Server) -> None:
    segments = [{"start": 1, "end": 4.5, "text": "Приезжай завтра утром."}]
    answer = httpx.post(f"{server.url}/v1/subtitles", json={"segments": segments}, trust_env=False, timeout=60)
    assert answer.text == "1\n00:00:01,000 --> 00:00:04,500\nПриезжай завтра утром.\n"


@pytest.mark.parametrize(
    "segment",
    [
        {"start": -1, "end": 1, "text": "а"},
        {"start": 0, "end": 1},
        {"start": 1e9},
        {"start": 0, "end": True, "text": "а"},
        {"start": 0, "end": 1, "text": "а", "words": [{"start": 0, "end": "1", "word": "а"}]},
    ],
)
def test_what_has_no_times_is_refused(server: Server, segment: dict[str, object]) -> None:
    answer = httpx.post(f"{server.url}/v1/subtitles", json={"segments": [segment]}, trust_env=False, timeout=60)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"].startswith("segments.0")
