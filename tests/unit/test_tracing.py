"""Test traces: none if they are off, one decision in all parts, no texts of exceptions, no paths."""

import subprocess
import sys

import pytest

from glas import tracing
from glas.domain.messages import traceparent_of
from tests.conftest import ROOT
from tests.system.collector import Span, collecting


def recorded(act: str, *, ratio: float = 1.0) -> list[Span]:
    """Return the spans that arrive after one of the following calls."""
    with collecting() as collector:
        with tracing.exporting(collector.url, ratio=ratio, version="0"):
            ACTS[act]()
        return collector.spans


def fail_with_words() -> None:
    with pytest.raises(ValueError, match="what was said"), tracing.begin("tg_bot", "take in"):
        raise ValueError("what was said")


def ask_for_a_person() -> None:
    """Make the span that FastAPI makes, with its attributes."""
    tracer = tracing.provider_of("db_assist").get_tracer("fastapi")
    told = {"http.request.method": "GET", "url.path": "/users/5399", "url.query": "tg_id=5399"}
    with tracing.begin("tg_bot", "take in"):
        tracer.start_span("GET", attributes=told).end()


def take_in_hundreds() -> None:
    """One process enqueues each message, and another process runs it, with only the data in the queue."""
    for number in range(400):
        with tracing.begin("tg_bot", "take in", traceparent_of("AgAD", number)):
            told = tracing.to_queue("voices", None)
        with tracing.from_queue("tg_bot", "hear", told), tracing.span("s3", "put"):
            pass


def begin_nothing() -> None:
    with tracing.span("tg_bot", "step"):
        tracing.waited("tg_bot", "wait", 1.0)
        tracing.note("again")
        assert tracing.headers() == {}


ACTS = {act.__name__: act for act in (fail_with_words, ask_for_a_person, take_in_hundreds, begin_nothing)}


def test_nothing_is_done_and_nothing_imported_while_it_is_off() -> None:
    assert tracing.span("tg_bot", "one") is tracing.begin("s3", "another")
    assert tracing.to_queue("voices", traceparent_of("AgAD", 1)) is None
    program = "import sys, glas.launch.serve, glas.nn_service.app; sys.exit('opentelemetry.sdk' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": str(ROOT / "src")})


def test_an_error_is_told_by_its_class_alone() -> None:
    (span,) = recorded("fail_with_words")
    assert span.has_failed
    assert "ValueError" in span.attributes["error.type"]
    assert "what was said" not in str(span)


def test_what_a_library_tells_of_a_request_is_left_out() -> None:
    found = recorded("ask_for_a_person")
    assert len(found) == 2
    assert "5399" not in str(found)


def test_a_share_of_the_messages_is_recorded_whole() -> None:
    """The id of the trace decides, so a message is recorded in all parts or in none."""
    found = recorded("take_in_hundreds", ratio=0.25)
    names: dict[str, list[str]] = {}
    for span in found:
        names.setdefault(span.trace_id, []).append(span.name)
    assert 60 < len(names) < 140
    assert {tuple(sorted(one)) for one in names.values()} == {("hear", "put", "take in", "wait in voices")}


def test_no_step_begins_a_trace() -> None:
    assert recorded("begin_nothing") == []
