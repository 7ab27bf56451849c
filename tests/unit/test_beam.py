"""Beam search: right by brute force without a language model, better with one; the model's file read back."""

import itertools
from math import log
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from glas.domain.errors import ModelLoadError
from glas.engines.beam import BeamOptions, BeamSearch
from glas.engines.language_model import LanguageModel, State
from glas.training.language.language_model import LETTERS, estimate, save

SAID = "мама мыла раму а папа читал газету "
VOCABULARY = [*LETTERS, "<blk>"]
BLANK = len(LETTERS)
EXACT = BeamOptions(width=500, weight=0, bonus=0, least_logprob=-60, sure_blank_logprob=1)


@pytest.fixture(scope="module")
def lm(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    """A model that has read one sentence very often."""
    path = tmp_path_factory.mktemp("lm") / "lm.npz"
    letters = np.array([LETTERS.index(letter) for letter in SAID * 40], np.int64)
    save(estimate(letters, most_contexts=10_000), path)
    return LanguageModel(path)


def random_logprobs(frames: int, letters: str, seed: int) -> npt.NDArray[np.float32]:
    """Frames in which only some letters and the blank are possible."""
    rng = np.random.default_rng(seed)
    allowed = [VOCABULARY.index(letter) for letter in letters] + [BLANK]
    probabilities = np.full((frames, len(VOCABULARY)), 1e-30)
    probabilities[:, allowed] = rng.dirichlet(np.ones(len(allowed)) * 0.7, frames)
    return np.asarray(np.log(probabilities), np.float32)


def collapsed(path: tuple[int, ...]) -> str:
    """Repeats are one letter, blanks none."""
    kept = [index for index, before in zip(path, (BLANK, *path), strict=False) if index not in {before, BLANK}]
    return "".join(VOCABULARY[index] for index in kept)


@pytest.mark.parametrize("seed", range(20))
def test_without_a_language_model_it_finds_the_most_probable_text(lm: LanguageModel, seed: int) -> None:
    """Held against the sum over all 729 ways to write every text."""
    logprobs = random_logprobs(6, "аб", seed)
    choices = [VOCABULARY.index("а"), VOCABULARY.index("б"), BLANK]
    totals: dict[str, float] = {}
    for path in itertools.product(choices, repeat=6):
        probability = float(np.exp(sum(logprobs[frame, index] for frame, index in enumerate(path))))
        totals[collapsed(path)] = totals.get(collapsed(path), 0.0) + probability
    found = BeamSearch(lm, VOCABULARY, BLANK, EXACT).decode(logprobs)
    text = "".join(VOCABULARY[token.id] for token in found)
    assert totals[text] == pytest.approx(max(totals.values()), rel=1e-4)
    frames = [token.frame for token in found]
    assert frames == sorted(frames)


def test_what_is_heard_unclearly_becomes_what_people_say(lm: LanguageModel) -> None:
    """«мома» is heard a little better than «мама»; who has read Russian writes «мама»."""
    logprobs = np.full((9, len(VOCABULARY)), log(1e-6), np.float32)
    for frame, letter in enumerate("м?м а"):
        if letter == "?":
            logprobs[2 * frame, VOCABULARY.index("о")] = log(0.5)
            logprobs[2 * frame, VOCABULARY.index("а")] = log(0.4)
        elif letter != " ":
            logprobs[2 * frame, VOCABULARY.index(letter)] = log(0.99)
        else:
            logprobs[2 * frame, BLANK] = log(0.99)
    logprobs[1::2, BLANK] = log(0.99)

    def text(options: BeamOptions) -> str:
        return "".join(VOCABULARY[token.id] for token in BeamSearch(lm, VOCABULARY, BLANK, options).decode(logprobs))

    assert text(EXACT) == "мома"
    assert text(BeamOptions()) == "мама"


def test_silence_has_no_letters(lm: LanguageModel) -> None:
    logprobs = np.full((50, len(VOCABULARY)), -20, np.float32)
    logprobs[:, BLANK] = 0
    assert BeamSearch(lm, VOCABULARY, BLANK).decode(logprobs) == []
    assert BeamSearch(lm, VOCABULARY, BLANK).decode(logprobs[:0]) == []


def test_probabilities_are_whole_and_know_what_was_read(lm: LanguageModel) -> None:
    """After every prefix all letters together have the probability 1, and the letter that was read nearly all of it."""

    def row(state: State) -> list[float]:
        return [lm.look(state, letter)[0] for letter in range(len(LETTERS))]

    state = lm.start
    for letter in SAID:
        assert np.exp(row(state)).sum() == pytest.approx(1, abs=0.05)
        state = lm.after(state, LETTERS.index(letter), None)
    state = lm.start
    for letter in "мама мыл":
        state = lm.after(state, LETTERS.index(letter), None)
    assert LETTERS[int(np.argmax(row(state)))] == "а"
    assert state[0][0] == 7, "the longest context was read 40 times and must be known"
    assert lm.end(state) == 0, "without words the end of a text is as good as any"


def test_a_strange_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "lm.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ModelLoadError, match=r"lm\.npz"):
        LanguageModel(tmp_path / "lm.npz")
    np.savez(tmp_path / "empty.npz", letters=np.array("аб"))
    with pytest.raises(ModelLoadError, match=r"empty\.npz"):
        LanguageModel(tmp_path / "empty.npz")
