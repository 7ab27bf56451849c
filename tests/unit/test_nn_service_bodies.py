"""Test that the client reads what nn_service writes, and that a malformed answer is an error with a reason."""

import httpx
import pytest

from glas.clients.nn_service import NnServiceClient
from glas.domain.corrections import Sound
from glas.domain.errors import ServiceFaultError
from glas.domain.transcription import Hypothesis, KeywordUse, Recognition, Segment, Word
from glas.nn_service.formats import Granularity, render_verbose

WORDS = (Word(text="раз", start_s=0.5, end_s=0.9, confidence=0.75), Word(text="два.", start_s=1.0, end_s=1.5))
SEGMENT = Segment(
    start_s=0.5,
    end_s=1.5,
    text="раз два.",
    words=WORDS,
    avg_logprob=-0.25,
    no_speech_probability=0.125,
    temperature=0.2,
    confidence=0.5,
    keywords=(KeywordUse(heard="рас", text="раз", start_s=0.5, end_s=0.9),),
)


def whole(**about: object) -> Recognition:
    """Make a recognition with a value in every field of the answer."""
    known = {"text": "раз два.", "duration_s": 2.0, "segments": (SEGMENT,), "model": "stub", "model_version": "0" * 12}
    return Recognition(hypothesis=Hypothesis.model_validate(known | about), processing_s=0.25, fingerprint="f" * 64)


def client(body: object) -> NnServiceClient:
    """Make a client whose service always gives this answer."""
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, json=body))
    return NnServiceClient(httpx.AsyncClient(transport=transport, base_url="http://nn", timeout=60))


@pytest.mark.parametrize("about", [{}, {"language": "en"}, {"language": "tr"}, {"foreign": "uk"}])
async def test_what_the_service_writes_the_client_reads(about: dict[str, str]) -> None:
    """All values, including the language, are unchanged; a field of a later version is ignored."""
    sent = whole(**about)
    body = render_verbose(sent, set(Granularity), elapsed_s=1).written()
    body["segments"][0]["of_a_later_version"] = 1
    assert await client(body | {"of_a_later_version": 1}).transcribe(b"sound") == sent


@pytest.mark.parametrize("spoilt", [{"text": None}, {"duration": -1}, {"words": [{"word": "тайна"}]}, {"segments": 5}])
async def test_a_malformed_answer_is_a_fault_of_the_service(spoilt: dict[str, object]) -> None:
    """The error names the field, and contains no word of the recording."""
    body = render_verbose(whole(), set(Granularity), elapsed_s=1).written()
    with pytest.raises(ServiceFaultError, match=next(iter(spoilt))) as caught:
        await client(body | spoilt).transcribe(b"sound")
    assert "тайна" not in str(caught.value)


@pytest.mark.parametrize("body", [[], "ok", {}, {"models": [{"id": "embedded"}]}])
async def test_other_answers_are_checked_too(body: object) -> None:
    """Lists of models and the answer of /health are checked."""
    with pytest.raises(ServiceFaultError, match="HealthBody"):
        await client(body).health()
    with pytest.raises(ServiceFaultError, match="OfferedModelsBody"):
        await client(body).offered_models()


async def test_a_malformed_judgement_is_none() -> None:
    """A malformed judgement counts as unknown and raises no error."""

    async def audio() -> bytes:
        return b"sound"

    assert await client({"sound": "loud"}).judge_text(audio, "раз два", against="раз") is Sound.UNKNOWN


def test_fields_that_were_not_asked_for_are_not_written() -> None:
    """As at OpenAI, fields that were not requested are missing instead of empty."""
    bare = SEGMENT.model_copy(update={"keywords": ()})
    body = render_verbose(whole(segments=(bare,)), (), elapsed_s=1).written()
    assert "segments" in body
    assert not {"words", "logprobs", "keywords"} & body.keys()
