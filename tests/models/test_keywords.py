"""Names that are sent as keywords are written if they are said, and are not written if they are not said."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="recognition dependencies are not installed")
pytest.importorskip("av", reason="recognition dependencies are not installed")

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from glas.domain.decoding import DecodingOptions
from glas.domain.transcription import Hypothesis, Samples
from glas.engines import Engine
from glas.engines.load import load_engine
from tests.conftest import Sample
from tests.models.spoken_names import RECORDING, SPOKEN, slots

NAMES = DecodingOptions(hotwords=", ".join(name for _, name, _, _ in SPOKEN))


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine("embedded", models_dir=Path("no-models"))


@pytest.fixture(scope="module")
def sounds() -> list[Samples]:
    return slots(decoded(RECORDING))


@pytest.fixture(scope="module")
def heard(engine: Engine, sounds: list[Samples]) -> list[Hypothesis]:
    return [engine.recognise([sound], NAMES)[0] for sound in sounds]


def decoded(path: Path) -> Samples:
    return np.concatenate(list(decode_blocks(path.read_bytes(), DecodeLimits())))


def test_names_are_written_in_the_case_that_was_said(
    engine: Engine, sounds: list[Samples], heard: list[Hypothesis]
) -> None:
    forms = [form for _, _, form, _ in SPOKEN]
    alone = [engine.recognise([sound])[0].text for sound in sounds]
    known = [form for form, text in zip(forms, alone, strict=True) if form in text]
    assert len(known) <= 1, "the model has learnt them; take other names"
    assert [form for form, one in zip(forms, heard, strict=True) if form not in one.text] == []


def test_the_result_tells_which_words_were_replaced_and_where(heard: list[Hypothesis]) -> None:
    for one, (_, _, form, _) in zip(heard, SPOKEN, strict=True):
        assert one.text == " ".join(word.text for word in one.words)
        times = [time_s for word in one.words for time_s in (word.start_s, word.end_s)]
        assert times == sorted(times)
        assert all(word.confidence is not None for word in one.words)
        uses = [use for use in one.segments[0].keywords if form in use.text]
        assert all(use.text in one.text and use.heard not in one.text for use in uses)
        assert all(0 < use.start_s < use.end_s <= one.duration_s for use in uses)
    assert sum(len(one.segments[0].keywords) for one in heard) >= len(SPOKEN) - 1


def test_names_that_nobody_says_change_nothing(engine: Engine, samples: list[Sample]) -> None:
    for sample in samples[:3]:
        sound = decoded(sample.path)
        assert engine.recognise([sound], NAMES) == engine.recognise([sound])
