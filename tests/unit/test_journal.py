"""Test the journal of promotions after a crash."""

from pathlib import Path

import pytest

from glas.domain.errors import ModelError
from glas.domain.model_ref import ModelRef
from glas.recognition import journal

_RELEASED = journal.Promotion(
    champion=ModelRef(name="a", version="1"), candidate=ModelRef(name="b", version="2"), event="released"
)


def test_a_line_that_a_crash_has_cut_does_not_hide_the_others(tmp_path: Path) -> None:
    journal.write(tmp_path, _RELEASED)
    with (tmp_path / journal.FILE).open("a", encoding="utf-8") as file:
        file.write(_RELEASED.model_dump_json()[:40])
    journal.write(tmp_path, _RELEASED)
    assert journal.read(tmp_path) == [_RELEASED, _RELEASED]


def test_a_line_that_says_something_else_is_an_error(tmp_path: Path) -> None:
    (tmp_path / journal.FILE).write_text('{"event": "released"}\n', encoding="utf-8")
    with pytest.raises(ModelError, match="expected a decision"):
        journal.read(tmp_path)
