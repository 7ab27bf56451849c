"""Errors cross HTTP and arrive as themselves."""

import pytest

from glas.domain import errors
from glas.domain.error_bodies import from_body, to_body
from glas.domain.errors import GlasError, ServiceFaultError


def _all_classes(root: type[GlasError] = GlasError) -> list[type[GlasError]]:
    return [root, *(found for child in root.__subclasses__() for found in _all_classes(child))]


@pytest.mark.parametrize("cls", _all_classes(), ids=lambda cls: cls.__name__)
def test_an_error_survives_the_way_over_http(cls: type[GlasError]) -> None:
    """What is raised on one side is raised on the other: class, message, parameter, waiting time."""
    sent = cls("expected a, got b", param="file", retry_after_s=3)
    received = from_body(sent.status, to_body(sent), retry_after_s=3)
    assert type(received) is cls
    assert (received.message, received.param, received.retry_after_s) == ("expected a, got b", "file", 3)


def test_codes_are_unique() -> None:
    """Two classes under one code could not be told apart."""
    codes = [cls.code for cls in _all_classes() if cls.__module__ == errors.__name__]
    branches = {"internal_error"}
    assert len(set(codes)) == len(codes), sorted(
        code for code in codes if codes.count(code) > 1 and code not in branches
    )


def test_an_answer_that_is_not_ours_is_a_fault() -> None:
    """A proxy's HTML page is no error of ours, yet it must be one class of the tree."""
    assert type(from_body(502, "<html>bad gateway</html>")) is ServiceFaultError
