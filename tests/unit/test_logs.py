"""Test that log entries contain no secret, in any field."""

import json
import logging

import pytest
import structlog

from glas.logs import Redactor, bind, configure, unbind

TOKEN = "1234567890:" + "A" * 35
KEY = "a-very-secret-key-of-the-api-1234"


@pytest.fixture(autouse=True)
def _fresh_logging() -> object:
    """Restore the logging of the process, so that other tests do not use the configuration of these tests."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    "text",
    [
        f"GET https://api.telegram.org/file/bot{TOKEN}/voice/file_1.oga",
        f"Authorization: Bearer {KEY}",
        f"postgresql://glas:{KEY}@db/glas",
        f"http://x/samples?token={KEY}&a=1",
        f"key {KEY} in a sentence",
    ],
)
def test_secrets_are_masked(text: str) -> None:
    """Secrets are masked by their form, or because they are known."""
    masked = Redactor([KEY]).text(text)
    assert TOKEN not in masked
    assert KEY not in masked
    assert "***" in masked


def test_ordinary_text_is_left_alone() -> None:
    """Text without secrets is not masked."""
    text = "recognised 12:34:56 of audio in 0.5 s at http://127.0.0.1:8000/v1/models"
    assert Redactor([KEY]).text(text) == text


def test_tracebacks_and_library_lines_are_masked(capsys: pytest.CaptureFixture[str]) -> None:
    """Secrets in texts of exceptions and in entries of other libraries are masked."""
    configure(level="info", fmt="json", secrets=[KEY])
    try:
        raise ValueError(f"cannot open https://host/file/bot{TOKEN}/a with {KEY}")  # noqa: TRY301
    except ValueError:
        structlog.stdlib.get_logger("glas").exception("failed", url={"a": [f"bot{TOKEN}"]})
        logging.getLogger("some.library").exception("also %s", KEY)
    written = capsys.readouterr().err
    assert "cannot open" in written
    assert "also" in written
    assert TOKEN not in written
    assert KEY not in written


def test_one_id_follows_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    """A bound value is in every entry until it is unbound."""
    configure(level="info", fmt="json")
    log = structlog.stdlib.get_logger("glas")
    tokens = bind(request_id="r-1")
    log.info("inside")
    unbind(tokens)
    log.info("outside")
    inside, outside = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert inside["request_id"] == "r-1"
    assert "request_id" not in outside
