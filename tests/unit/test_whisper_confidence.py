"""How sure a Whisper is of a word: signs, regression, and the file that says how; and which of its texts is kept."""

import json
from math import log
from pathlib import Path

import numpy as np
import pytest

from glas.domain.errors import ModelLoadError
from glas.engines.language_model import FILE as LM_FILE
from glas.engines.language_model import LanguageModel
from glas.engines.whisper.confidence import (
    FEATURES,
    FILE,
    Alternative,
    Signs,
    load_calibration,
    sha256_of,
    signs_of,
)
from glas.engines.whisper.rescoring import best_text
from glas.training.judged.calibrate import judge
from glas.training.judged.logistic import auroc, bins, calibration_error, fit
from tests.conftest import ROOT

RNG = np.random.default_rng(1)


@pytest.fixture(scope="module")
def lm() -> LanguageModel:
    """The language model that is released."""
    return LanguageModel(ROOT / "models" / "whisper-base-ru" / LM_FILE)


def test_a_word_that_all_texts_have_is_agreed_on_and_one_that_few_have_is_not(lm: LanguageModel) -> None:
    texts = [Alternative("Нажмите решетку.", log(0.5)), Alternative("Нажмите решотку.", log(0.25))]
    first, second = signs_of([("Нажмите", -0.1), ("решетку.", -0.7)], texts, lm, -0.4)
    assert (first.agreement, second.agreement) == pytest.approx((1, 2 / 3))
    assert (first.letters, second.letters) == (7, 7)
    (strange,) = signs_of([("решотку", -0.7)], texts, lm, -0.4)
    assert strange.prior < second.prior, "a word that does not exist is improbable"


def test_the_language_model_prefers_words_that_exist(lm: LanguageModel) -> None:
    texts = [Alternative("Введите номер обанинта", -2.0), Alternative("Введите номер абонента", -2.6)]
    assert best_text(texts, lm) == 1
    assert best_text(texts[:1], lm) == 0


def test_a_text_that_leaves_out_half_is_not_preferred_for_being_short(lm: LanguageModel) -> None:
    whole = "Все операторы заняты. Пожалуйста, оставайтесь на линии."
    assert best_text([Alternative(whole, -9.0), Alternative("Все операторы заняты.", -3.0)], lm) == 0


def test_the_regression_finds_the_weights_that_made_the_data() -> None:
    examples = RNG.normal(3, 2, (20_000, 2))
    odds = 0.8 * examples[:, 0] - 1.5 * examples[:, 1] + 2
    line = fit(examples, RNG.random(20_000) < 1 / (1 + np.exp(-odds)))
    found = line.weights / line.scales
    assert found == pytest.approx([0.8, -1.5], abs=0.06)
    assert line.bias - float(found @ line.centres) == pytest.approx(2, abs=0.15)


def test_auroc_counts_pairs() -> None:
    scores, positive = RNG.integers(0, 6, 60).astype(float), RNG.random(60) < 0.4
    pairs = [(a > b) + (a == b) / 2 for a in scores[positive] for b in scores[~positive]]
    assert auroc(scores, positive) == pytest.approx(np.mean(pairs))
    assert auroc(scores, np.ones(60, bool)) is None


def test_calibration_error_is_the_distance_between_confidence_and_share_of_right_words() -> None:
    said, right = np.array([0.95] * 10 + [0.25] * 10), np.array([1.0] * 9 + [0] + [1] * 5 + [0] * 5)
    assert calibration_error(said, right) == pytest.approx((0.05 + 0.25) / 2)
    assert [one.size for one in bins(said, right)] == [10, 10]


def test_a_word_that_is_several_to_the_normalisation_is_right_if_all_are() -> None:
    signs = [Signs(-0.1, 1, -1, 5, -0.1)] * 3
    found = judge(["Санкт-Петербург,", "пять", "часов"], signs, "Санкт Петербурге пять часов")
    assert found.is_right == [False, True, True]
    assert found.has_error


def calibration_in(folder: Path, **changes: object) -> Path:
    (folder / "model.bin").write_bytes(b"weights")
    n = len(FEATURES)
    contents: dict[str, object] = {
        "sha256": {"model.bin": sha256_of(folder / "model.bin")},
        "features": FEATURES,
        "centres": [0] * n,
        "scales": [1] * n,
        "weights": [0, 0, 1, 0, 0],
        "bias": 1,
    }
    (folder / FILE).write_text(json.dumps(contents | changes), encoding="utf-8")
    return folder


def test_a_file_becomes_probabilities(tmp_path: Path) -> None:
    assert load_calibration(tmp_path) is None
    found = load_calibration(calibration_in(tmp_path))
    assert found is not None
    signs = [Signs(-0.1, 1, -1.0, 4, -0.1), Signs(-0.1, 1, -5.0, 4, -0.1)]
    assert found.confidences(signs) == pytest.approx([0.5, 1 / (1 + np.exp(4))])
    assert found.confidences([]) == []


def test_a_calibration_of_other_weights_is_refused(tmp_path: Path) -> None:
    calibration_in(tmp_path)
    (tmp_path / "model.bin").write_bytes(b"other weights")
    with pytest.raises(ModelLoadError, match=r"fitted to another model\.bin"):
        load_calibration(tmp_path)
    with pytest.raises(ModelLoadError, match="another version"):
        load_calibration(calibration_in(tmp_path, features=["height"]))
    (tmp_path / FILE).write_text("{", encoding="utf-8")
    with pytest.raises(ModelLoadError, match="cannot be read"):
        load_calibration(tmp_path)
