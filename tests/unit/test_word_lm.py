"""Test the words of the language model: counting, writing, reading, and probabilities."""

import struct
from math import log
from pathlib import Path

import numpy as np
import pytest

from glas.domain.errors import ModelLoadError
from glas.engines.language_model import FOREIGN_LOGPROB, LanguageModel
from glas.engines.word_lm import LISTED
from glas.training.language.held_out import HeldOutSentences
from glas.training.language.language_model import LETTERS, estimate, plain_sentences, save
from glas.training.language.words import WeightedSentences, class_gains, classify, costs, frequencies, word_arrays
from glas.training.texts.sentences import read_lines

READ = ["новая девушка читает книгу", "большая девушка читает газету", "новую девушку видел другой человек"]
WORDS = 3000


@pytest.fixture(scope="module")
def lm(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    """Make a language model of the most frequent Russian words and three repeated sentences."""
    path = tmp_path_factory.mktemp("lm") / "lm.npz"
    letters = np.array([LETTERS.index(letter) for letter in " ".join(READ * 20) + " "], np.int64)
    save(estimate(letters, most_contexts=10_000), path, word_arrays([WeightedSentences(READ, times=5)], WORDS))
    return LanguageModel(path)


def logprob(lm: LanguageModel, text: str) -> float:
    """Return the log-probability of the words of a text, each with the space after it."""
    return sum(lm.logprobs(text))


def test_a_word_is_worth_what_the_formula_says(tmp_path: Path) -> None:
    """«время» does not occur in the texts, so its probability comes mostly from its frequency."""
    alone = LanguageModel(_without_pairs(tmp_path))
    frequency = frequencies(WORDS)
    classes = classify(frequency)
    gains = class_gains([WeightedSentences(READ, times=5)], frequency, classes)
    gain = gains[-1, classes.names.index(classes.of["время"])]
    assert logprob(alone, "время") == pytest.approx(log(LISTED * frequency["время"] * gain), abs=0.1)


def _without_pairs(folder: Path) -> Path:
    frequency_only = word_arrays([WeightedSentences(READ, times=5)], WORDS)
    for name in ("pair_contexts", "pair_words", "pair_costs", "pair_rest"):
        frequency_only[name] = frequency_only[name][:0]
    letters = np.array([LETTERS.index(letter) for letter in " ".join(READ * 20) + " "], np.int64)
    save(estimate(letters, most_contexts=10_000), folder / "alone.npz", frequency_only)
    return folder / "alone.npz"


def test_words_that_go_together_and_forms_that_agree_are_more_probable(lm: LanguageModel) -> None:
    assert logprob(lm, "читает книгу") > logprob(lm, "книгу читает")

    def gain(before: str, after: str) -> float:
        return logprob(lm, f"{before} {after}") - logprob(lm, before) - logprob(lm, after)

    # Neither pair was read, but an adjective and a noun of the same case were.
    assert gain("большую", "работу") - gain("большую", "работа") > log(1.5)


def test_a_word_that_is_not_on_the_list_can_be_written_at_a_price(lm: LanguageModel) -> None:
    strange = logprob(lm, "абракадаброид")
    assert -100 < strange < logprob(lm, "человек") - 5
    assert logprob(lm, "ъ" * 2000) < -500, "no word is so long that it breaks the sums"


def test_words_are_those_of_ru_norm_and_foreign_ones_have_a_price(lm: LanguageModel) -> None:
    assert lm.logprobs("Читает книгу!") == lm.logprobs("читает книгу")
    assert len(lm.logprobs("в 2 раза")) == 3
    before, foreign, after = lm.logprobs("читает Wikipedia газету")
    assert foreign == FOREIGN_LOGPROB < before
    assert after < 0


def test_texts_of_its_kind_take_fewer_bits(lm: LanguageModel) -> None:
    """The words save about half a bit per letter, with the space after each word."""

    def bits_a_letter(sentences: list[str]) -> float:
        nepers = -sum(logprob(lm, sentence) for sentence in sentences)
        return nepers / log(2) / sum(len(sentence) + 1 for sentence in sentences)

    assert bits_a_letter(READ) < bits_a_letter(["съешь ещё этих мягких французских булок"]) - 0.5


def test_what_is_no_language_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lm.npz").write_bytes(b"no archive")
    with pytest.raises(ModelLoadError, match="language model"):
        LanguageModel(tmp_path / "lm.npz")
    np.savez(tmp_path / "empty.npz", letters=np.array(LETTERS))
    with pytest.raises(ModelLoadError, match="language model"):
        LanguageModel(tmp_path / "empty.npz")


def test_costs_are_bytes_that_give_the_probability_back() -> None:
    probabilities = np.array([1.0, 0.3, 1e-8, 0.0])
    assert np.exp(-costs(probabilities)[:3].astype(float) / 12) == pytest.approx(probabilities[:3], rel=0.05)
    assert costs(probabilities)[3] == 255


def test_sentences_of_packages_are_found_and_those_of_tests_left_out(tmp_path: Path) -> None:
    fortunes = tmp_path / "usr" / "share" / "games" / "fortunes" / "ru"
    fortunes.mkdir(parents=True)
    (fortunes / "2001.03").write_text("Мама мыла раму весь день!\nне более 3 раз\nи т. д.\n%\n", encoding="utf-8")
    (fortunes / "2001.03.dat").write_bytes("Это не текст вовсе".encode())
    catalogue = tmp_path / "locale" / "ru" / "LC_MESSAGES"
    catalogue.mkdir(parents=True)
    (catalogue / "game.mo").write_bytes(_mo("Hail!", "<b>Приветствую тебя</b>, храбрый\nвоин! Уже поздно, $name."))
    page = tmp_path / "help" / "ru"
    page.mkdir(parents=True)
    text = "<page><head>Это не для чтения</head><p>Нажмите <gui>правую кнопку</gui> мыши.</p></page>"
    (page / "mouse.page").write_text(text, encoding="utf-8")
    lines = [" ".join(line.lower().split()) for line in read_lines(tmp_path)]
    expected = ["мама мыла раму весь день", "нажмите правую кнопку мыши", "приветствую тебя храбрый воин"]
    assert sorted(lines) == expected
    kept = plain_sentences(tmp_path, ["Я приветствую тебя, храбрый воин", "А мама мыла раму весь день напролёт"])
    assert kept == ["нажмите правую кнопку мыши"]


def test_what_is_alike_shares_four_words_in_a_row_or_is_the_same() -> None:
    tests = HeldOutSentences(["Один два три четыре пять", "Да, да"])
    assert "ноль два три четыре пять" in tests
    assert "два три четыре шесть" not in tests
    assert "да да" in tests
    assert "да" not in tests


def _mo(key: str, text: str) -> bytes:
    """Make a catalogue of translations with header and one entry (GNU gettext's format)."""
    entries = [(b"", b"Content-Type: text/plain; charset=UTF-8\n"), (key.encode(), text.encode())]
    keys, texts, tables = b"", b"", [b"", b""]
    start = 28 + 16 * len(entries)
    for one, _ in entries:
        tables[0] += struct.pack("<II", len(one), start + len(keys))
        keys += one + b"\0"
    for _, one in entries:
        tables[1] += struct.pack("<II", len(one), start + len(keys) + len(texts))
        texts += one + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(entries), 28, 28 + 8 * len(entries), 0, 0)
    return head + tables[0] + tables[1] + keys + texts
