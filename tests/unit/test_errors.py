"""Test that errors pass over HTTP unchanged."""

import pytest

from glas.domain import errors
from glas.domain.error_bodies import from_body, to_body
from glas.domain.errors import GlasError, ServiceFaultError


def _all_classes(root: type[GlasError] = GlasError) -> list[type[GlasError]]:
    return [root, *(found for child in root.__subclasses__() for found in _all_classes(child))]


@pytest.mark.parametrize("cls", _all_classes(), ids=lambda cls: cls.__name__)
def test_an_error_survives_the_way_over_http(cls: type[GlasError]) -> None:
    """An error is raised on the other side with its class, message, parameter and waiting time."""
    sent = cls("expected a, got b", param="file", retry_after_s=3)
    received = from_body(sent.status, to_body(sent), retry_after_s=3)
    assert type(received) is cls
    assert (received.message, received.param, received.retry_after_s) == ("expected a, got b", "file", 3)


def test_codes_are_unique() -> None:
    """No two classes of errors have the same code."""
    codes = [cls.code for cls in _all_classes() if cls.__module__ == errors.__name__]
    branches = {"internal_error"}
    assert len(set(codes)) == len(codes), sorted(
        code for code in codes if codes.count(code) > 1 and code not in branches
    )


def test_an_answer_that_is_not_ours_is_a_fault() -> None:
    """An HTML page of a proxy becomes an error of a known class."""
    assert type(from_body(502, "<html>bad gateway</html>")) is ServiceFaultError
