"""Test how a Whisper model is loaded and described: its directory, its card, its languages, and its end."""

import json
from pathlib import Path

import numpy as np
import pytest

from glas.domain.decoding import DecodingOptions
from glas.domain.errors import InvalidParameterError, ModelError
from glas.engines.load import load_engine
from glas.engines.whisper import WhisperEngine, recognition_call
from glas.engines.whisper.context import ContextRule
from tests.models.conftest import MakeWhisper

pytest.importorskip("torch", reason="the model of these tests is trained here: make train-setup")

from tests.models.chords import Spoken
from tests.models.test_whisper_engine import cache as cache  # noqa: PLC0414 - a fixture, found here by its name
from tests.models.test_whisper_engine import dynamic as dynamic  # noqa: PLC0414 - a fixture, found here by its name
from tests.models.test_whisper_engine import messages as messages  # noqa: PLC0414 - a fixture, found here by its name
from tests.models.test_whisper_engine import samples_of, shares_right
from tests.models.test_whisper_engine import stock as stock  # noqa: PLC0414 - a fixture, found here by its name

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_languages_are_those_of_the_model(stock: WhisperEngine, messages: list[Spoken]) -> None:
    assert stock.abilities.languages == {"ru", "en"}
    assert stock.abilities.translates
    with pytest.raises(InvalidParameterError, match=r"en, ru.*got 'fr'"):
        stock.recognise([messages[0].samples], DecodingOptions(language="fr"))


def test_another_language_is_told_only_where_that_is_asked_for(
    dynamic: WhisperEngine, messages: list[Spoken], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chords belong to no language, so both languages are probable.

    With a stricter limit one of them counts as foreign.
    """
    checking = DecodingOptions(language="ru", checks_language=True)
    assert {one.foreign for one in dynamic.recognise(samples_of(messages), checking)} == {None}
    monkeypatch.setattr(recognition_call, "MOST_PROBABLE_FOREIGN", 1.1)
    heard = dynamic.recognise(samples_of(messages), checking)
    assert {one.language for one in heard} == {"ru"}
    assert {one.foreign for one in heard if one.duration_s >= recognition_call.SHORTEST_TO_TELL_S} <= {"ru", "en"}
    assert {one.foreign for one in heard if one.duration_s < recognition_call.SHORTEST_TO_TELL_S} == {None}
    assert {one.foreign for one in dynamic.recognise(samples_of(messages), DecodingOptions(language="ru"))} == {None}


def test_a_closed_engine_says_so(make_whisper: MakeWhisper, cache: Path) -> None:
    engine = WhisperEngine(make_whisper(), name="whisper:chords", cache=cache)
    engine.close()
    with pytest.raises(ModelError, match="closed"):
        engine.recognise([np.zeros(16_000, np.float32)])


def test_a_directory_is_served_by_its_name_and_converted_beside_the_models(
    make_whisper: MakeWhisper, tmp_path: Path, messages: list[Spoken]
) -> None:
    directory = make_whisper()
    engine = load_engine(f"whisper:{directory}", models_dir=tmp_path)
    assert engine.name == f"whisper:{directory}"
    assert shares_right(engine.recognise(samples_of(messages)), messages, "ru") >= 0.9
    (converted,) = (path for path in (tmp_path / "converted").iterdir() if path.is_dir())
    again = load_engine(f"whisper:{converted}", models_dir=tmp_path)
    assert [one.text for one in again.recognise(samples_of(messages))] == [
        one.text for one in engine.recognise(samples_of(messages))
    ], "a directory of CTranslate2 needs no conversion"


def test_a_model_of_ctranslate2_may_say_in_its_card_that_it_hears_without_padding(
    make_whisper: MakeWhisper, tmp_path: Path
) -> None:
    load_engine(f"whisper:{make_whisper()}", models_dir=tmp_path)
    (converted,) = (path for path in (tmp_path / "converted").iterdir() if path.is_dir())
    (converted / "README.md").write_text("---\ndynamic_context: true\n---\n", encoding="utf-8")
    engine = load_engine(f"whisper:{converted}", models_dir=tmp_path)
    assert isinstance(engine, WhisperEngine)
    assert engine.context == ContextRule(0.0)
    config = json.loads((converted / "config.json").read_text(encoding="utf-8"))
    assert "context_margin_s" not in config
