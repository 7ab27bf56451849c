"""Test Whisper's confidence of words (signs, regression, calibration file), and the choice among its texts."""

import json
from math import log
from pathlib import Path

import numpy as np
import pytest

from glas.domain.errors import ModelLoadError
from glas.engines.language_model import FILE as LM_FILE
from glas.engines.language_model import LanguageModel
from glas.engines.whisper.backend import Draft
from glas.engines.whisper.confidence import (
    FEATURES,
    FILE,
    Alternative,
    Signs,
    load_calibration,
    signs_of,
)
from glas.engines.whisper.rescoring import choose, with_changes
from glas.system.files import sha256_of
from glas.training.evaluation.calibrate import score_message
from glas.training.evaluation.logistic import auroc, bins, calibration_error, fit
from tests.conftest import ROOT

RNG = np.random.default_rng(1)


@pytest.fixture(scope="module")
def lm() -> LanguageModel:
    """Load the released language model."""
    return LanguageModel(ROOT / "models" / "whisper-base-ru" / LM_FILE)


def test_a_word_that_all_texts_have_is_agreed_on_and_one_that_few_have_is_not(lm: LanguageModel) -> None:
    texts = [Alternative("Нажмите решетку.", log(0.5)), Alternative("Нажмите решотку.", log(0.25))]
    first, second = signs_of([("Нажмите", -0.1), ("решетку.", -0.7)], texts, lm, -0.4)
    assert (first.agreement, second.agreement) == pytest.approx((1, 2 / 3))
    assert (first.letters, second.letters) == (7, 7)
    (strange,) = signs_of([("решотку", -0.7)], texts, lm, -0.4)
    assert strange.prior < second.prior, "a word that does not exist is improbable"


WORDS = [
    "",
    "Введите",
    "номер",
    "обанинта",
    "абонента",
    "нажмите",
    "решотку",
    "решетку",
    "Все операторы заняты.",
    "Пожалуйста, оставайтесь на линии.",
]


def draft(tokens: list[int], logprobs: list[float], replaced: tuple[int, int] | None = None) -> Draft:
    """Make a draft of words by their numbers; `logprobs` has one more value, for the end."""
    looks = tuple(np.full((1, 1), number, np.float32) for number in [-1, *tokens, 0])
    return Draft(tokens, sum(logprobs) / len(logprobs), 0.0, True, logprobs[:-1], looks, replaced)


def read(tokens: list[int]) -> str:
    return " ".join(WORDS[token] for token in tokens)


FIRST = draft([1, 2, 3, 5, 6], [-0.1, -0.2, -0.5, -0.3, -0.4, -0.1])
ONE = draft([1, 2, 4, 5, 6], [-0.1, -0.2, -1.0, -0.3, -0.4, -0.1], (2, 3))
OTHER = draft([1, 2, 3, 5, 7], [-0.1, -0.2, -0.5, -0.3, -0.9, -0.1], (4, 5))


def test_the_language_model_prefers_words_that_exist_and_makes_changes_together(lm: LanguageModel) -> None:
    assert choose([FIRST, ONE], read, lm).text == "Введите номер абонента нажмите решотку"
    assert choose([FIRST, ONE], read, None).text == "Введите номер обанинта нажмите решотку"
    chosen = choose([FIRST, ONE, OTHER], read, lm)
    assert chosen.text == "Введите номер абонента нажмите решетку"
    assert chosen.draft.logprobs == pytest.approx([-0.1, -0.2, -1.0, -0.3, -0.9])
    assert chosen.draft.avg_logprob == pytest.approx(-2.6 / 6)
    assert len(chosen.alternatives) == 4


def test_changes_that_overlap_are_not_made_together() -> None:
    long = draft([1, 4, 6], [-0.1, -0.7, -0.4, -0.1], (1, 4))
    assert with_changes(FIRST, [ONE, long]).tokens == ONE.tokens
    assert with_changes(FIRST, [long, ONE]).tokens == long.tokens
    whole = with_changes(FIRST, [OTHER, long])
    assert whole.tokens == [1, 4, 7]
    assert whole.attention is not None
    assert [float(look[0, 0]) for look in whole.attention] == [-1, 1, 4, 7, 0]


def test_a_change_up_to_the_end_keeps_its_own_end() -> None:
    ending = draft([1, 2], [-0.1, -0.2, -2.0], (2, 6))
    whole = with_changes(FIRST, [ending])
    assert (whole.tokens, whole.has_ended) == ([1, 2], True)
    assert whole.avg_logprob == pytest.approx(-2.3 / 3)


def test_a_text_that_leaves_out_half_is_not_preferred_for_being_short(lm: LanguageModel) -> None:
    whole, half = draft([8, 9], [-3.0, -3.0, -3.0]), draft([8], [-3.0, -5.0], (1, 3))
    assert choose([whole, half], read, lm).draft is whole


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
    found = score_message(["Санкт-Петербург,", "пять", "часов"], signs, "Санкт Петербурге пять часов")
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
