"""How sure of a word: the signs, the regression, what is refused."""

import json
from math import log
from pathlib import Path

import numpy as np
import pytest

from glas.domain.errors import ModelLoadError
from glas.domain.metrics import right_words
from glas.engines import confidence
from glas.engines.confidence import Calibration, Signs, entropies, features, signs_of
from glas.engines.language_model import LanguageModel
from glas.training.judged.logistic import auroc, bins, calibration_error, fit
from glas.training.language.language_model import LETTERS, estimate, save

RNG = np.random.default_rng(5)


@pytest.fixture(scope="module")
def lm(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    path = tmp_path_factory.mktemp("lm") / "lm.npz"
    letters = np.array([LETTERS.index(letter) for letter in "мама мыла раму " * 60], np.int64)
    save(estimate(letters, most_contexts=10_000), path)
    return LanguageModel(path)


def test_entropy_is_nothing_where_the_network_is_sure_and_the_logarithm_of_the_choices_where_it_is_not() -> None:
    rows = np.log(np.array([[1, 1e-30, 1e-30, 1e-30], *[[0.25] * 4] * 4], np.float32))
    assert entropies(rows, [4]) == pytest.approx([log(4)])
    assert entropies(rows, [0]) == pytest.approx([log(4) / 2])
    assert np.isfinite(entropies(np.array([[0, -np.inf]], np.float32), [0])).all()
    assert entropies(rows, []).shape == (0,)


def test_each_word_has_its_own_letters_and_the_space_after_it(lm: LanguageModel) -> None:
    texts = list(" мама  мылу ")
    logprobs = [-0.1] * len(texts)
    logprobs[10] = -2.0
    good, bad = signs_of(texts, logprobs, [0.5] * len(texts), lm)
    assert (good.letters, bad.letters) == (4, 4)
    assert good.logprob == pytest.approx(-0.4)
    assert bad.logprob == pytest.approx(-2.3)
    assert bad.prior < good.prior < 0
    assert signs_of([], [], [], lm) == []
    assert features([good, bad]).shape == (2, len(confidence.FEATURES))


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


def test_calibration_error_is_the_distance_between_word_and_deed() -> None:
    said, right = np.array([0.95] * 10 + [0.25] * 10), np.array([1.0] * 9 + [0] + [1] * 5 + [0] * 5)
    assert calibration_error(said, right) == pytest.approx((0.05 + 0.25) / 2)
    assert [one.size for one in bins(said, right)] == [10, 10]


def test_right_words_are_those_that_stand_in_their_place() -> None:
    assert right_words("Мама мыла раму.", "мама мыло раму") == [True, False, True]
    assert right_words("раз три", "раз два три") == [True, False, True]
    assert right_words("раз", "") == []


def _file(folder: Path, **changes: object) -> Path:
    (folder / "weights").write_bytes(b"weights")
    n = len(confidence.FEATURES)
    contents: dict[str, object] = {
        "sha256": {"weights": confidence.sha256_of(folder / "weights")},
        "features": confidence.FEATURES,
        "centres": [0] * n,
        "scales": [1] * n,
        "weights": [0, 0, 0, 0, 0, 1, 0],
        "bias": 1,
        "measured": {},
    }
    (folder / confidence.FILE).write_text(json.dumps(contents | changes), encoding="utf-8")
    return folder


def test_a_file_becomes_probabilities(tmp_path: Path) -> None:
    assert confidence.load(tmp_path) is None
    found = confidence.load(_file(tmp_path))
    assert isinstance(found, Calibration)
    signs = [Signs(4, -0.1, 0.2, -1.0), Signs(4, -0.1, 0.2, -5.0)]
    assert found.confidences(signs) == pytest.approx([0.5, 1 / (1 + np.exp(4))])
    assert found.confidences([]).shape == (0,)


def test_a_calibration_of_other_weights_is_refused(tmp_path: Path) -> None:
    _file(tmp_path)
    (tmp_path / "weights").write_bytes(b"other weights")
    with pytest.raises(ModelLoadError, match="another weights than the one beside it"):
        confidence.load(tmp_path)
    with pytest.raises(ModelLoadError, match="another version"):
        confidence.load(_file(tmp_path, features=["height"]))
    (tmp_path / confidence.FILE).write_text("{", encoding="utf-8")
    with pytest.raises(ModelLoadError, match="cannot be read"):
        confidence.load(tmp_path)
