"""Build the language model of spoken Russian: probabilities of letters and words, with which an engine chooses a text.

The module reads texts from a grammar of voice messages, word forms of pymorphy's dictionary, word frequencies of the
library wordfreq and, if given, plain Russian texts. Sentences for tests, and sentences similar to them, are left out. A
context is a sequence of up to `ORDER` - 1 letters. For each context that occurred often enough, the probabilities of
all letters after the context are written, one byte each. The probabilities are smoothed by the method of Witten and
Bell (1991): the larger the number of distinct letters that followed a context, the larger is the weight of the next
shorter context. Words are counted in `glas.training.language.words`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from glas.training.language.held_out import HeldOutSentences
from glas.training.language.words import Arrays, WeightedSentences, word_arrays
from glas.training.texts.lexicon import Lexicon, load_lexicon
from glas.training.texts.sentences import TextSource, held_out, label, read_lines

ORDER = 5  # letters of an n-gram, the predicted one included
# Factor on the weight that the method of Witten and Bell gives to the shorter context. Without this factor, the
# estimates of rare contexts have too much weight.
SHORTER = 4.0
LETTERS = " абвгдежзийклмнопрстуфхцчшщъыьэюя"
STEP = 1 / 16  # a byte b stands for the probability exp(-b * STEP), so the least probability is about exp(-16)


# Weight of a sentence from the grammar in the counts of words. It is less than 1, because the grammar repeats its few
# phrases again and again.
MESSAGES_COUNT = 0.3


@dataclass(frozen=True)
class LMSize:
    """Sizes of the language model, and of the texts from which it is built."""

    sentences: int = 200_000  # sentences that are drawn from the grammar and the dictionary, to count letters
    contexts: int = 60_000  # largest number of contexts of letters; each takes about 20 bytes of the file
    words: int = 200_000  # largest number of words; each takes about 4 bytes of the file
    messages: int = 60_000  # messages that are drawn from the grammar alone, to count pairs of words
    prefix: str = ""  # only words of the dictionary with this prefix are read; to read all words takes a minute


Codes = npt.NDArray[np.int64]
_SIZE = len(LETTERS)


def build(data: Path, texts: Path | None, to: Path, size: LMSize, tests: Iterable[str] = ()) -> None:
    """Count letters and words, and write the language model.

    Args:
        data: directory with the data of the training.
        texts: directory of unpacked Debian packages (see `glas.training.texts.packages`), or of plain text files.
        to: path of the .npz file to write.
        size: how much is read, and how large the language model becomes.
        tests: sentences of tests; sentences similar to them are not read.
    """
    lexicon, lines = load_lexicon(data / "lexicon.json", size.prefix), plain_sentences(texts, tests)
    letters = " ".join([*drawn(lexicon, size.sentences), *lines])
    print(f"{len(letters) / 1e6:.1f} million letters, {len(lines)} plain sentences", flush=True)
    tables = estimate(np.array([LETTERS.index(letter) for letter in f" {letters}"], np.int64), size.contexts)
    words = word_arrays(
        [WeightedSentences(lines), WeightedSentences(messages(lexicon, size.messages), MESSAGES_COUNT)], size.words
    )
    save(tables, to, words)
    rows = sum(len(contexts) for contexts, _ in tables)
    print(f"{to}: {rows} contexts, {len(words['pair_words'])} pairs of words, {to.stat().st_size / 1e6:.1f} MB")


def drawn(lexicon: Lexicon, sentences: int) -> list[str]:
    """Draw random label texts: texts of voice messages from the grammar, and sequences of words from the dictionary.

    A label text is the result of `glas.training.texts.sentences.label`: words in lower case, without punctuation.
    """
    source = TextSource(lexicon, seed=77)
    return [label(source.draw()) for _ in range(sentences)]


def messages(lexicon: Lexicon, count: int) -> list[str]:
    """Draw `count` random label texts of whole voice messages from the grammar."""
    source = TextSource(lexicon, seed=78)
    return [label(source.draw_message()) for _ in range(count)]


def plain_sentences(texts: Path | None, tests: Iterable[str]) -> list[str]:
    """Return the label texts of a directory, each only once, without those that are similar to a test sentence."""
    known = HeldOutSentences(tests)
    sentences = dict.fromkeys(label(line) for line in read_lines(texts))
    return [sentence for sentence in sentences if sentence and not held_out(sentence) and sentence not in known]


def estimate(letters: Codes, most_contexts: int) -> list[tuple[Codes, npt.NDArray[np.float32]]]:
    """Return, for each context length 0..ORDER-1, the sorted contexts and the probabilities of the next letter.

    For n contexts, the array of contexts has the shape (n,), and the array of probabilities has the shape (n, 33).

    A context is stored as a number in base 33, in which the last letter of the context is the lowest digit. Rare
    contexts are left out, so that all lengths together have at most `most_contexts` contexts.
    """
    least = 2
    while True:
        tables = _estimate(letters, least)
        if sum(len(contexts) for contexts, _ in tables) <= most_contexts:
            return tables
        least = least * 5 // 4 + 1


def _estimate(letters: Codes, least: int) -> list[tuple[Codes, npt.NDArray[np.float32]]]:
    """Estimate the tables. Contexts that occurred less than a certain number of times are left out.

    This number is 1 for contexts of up to one letter, and `least` * (1 + length) for longer contexts.
    """
    tables: list[tuple[Codes, npt.NDArray[np.float32]]] = []
    code = np.zeros(len(letters), np.int64)  # of the context before each letter
    for length in range(ORDER):
        if length:
            code[length:] += letters[: len(letters) - length] * _SIZE ** (length - 1)
        grams, counts = np.unique(code[length:] * _SIZE + letters[length:], return_counts=True)
        contexts, first = np.unique(grams // _SIZE, return_index=True)
        totals = np.add.reduceat(counts, first)
        kept = totals >= (least * (1 + length) if length > 1 else 1)
        tables.append(_smoothed(grams, counts, contexts, totals, kept=kept, shorter=tables))
    return tables


def _smoothed(
    grams: Codes,
    counts: Codes,
    contexts: Codes,
    totals: Codes,
    *,
    kept: npt.NDArray[np.bool_],
    shorter: list[tuple[Codes, npt.NDArray[np.float32]]],
) -> tuple[Codes, npt.NDArray[np.float32]]:
    chosen = contexts[kept]
    table = np.zeros((len(chosen), _SIZE))
    of_kept = np.isin(grams // _SIZE, chosen)
    table[np.searchsorted(chosen, grams[of_kept] // _SIZE), grams[of_kept] % _SIZE] = counts[of_kept]
    kinds = (table > 0).sum(axis=1, keepdims=True)
    if shorter:
        lower_contexts, lower = shorter[-1]
        # The probabilities of a context need those of its ending, the context that is one letter shorter. An ending
        # occurs at least as often as its context. Nevertheless, the ending may have been left out as too rare.
        ending = chosen % _SIZE ** (len(shorter) - 1)
        row = np.searchsorted(lower_contexts, ending)
        found = (row < len(lower_contexts)) & (lower_contexts[np.minimum(row, len(lower_contexts) - 1)] == ending)
        chosen, table, kinds, row = chosen[found], table[found], kinds[found], row[found]
        before = lower[row].astype(np.float64)
        totals_kept = totals[kept][found][:, None]
    else:
        before, totals_kept = np.full((1, _SIZE), 1 / _SIZE), totals[kept][:, None]
    kinds = SHORTER * kinds
    return chosen, ((table + kinds * before) / (totals_kept + kinds)).astype(np.float32)


def save(tables: list[tuple[Codes, npt.NDArray[np.float32]]], to: Path, words: Arrays) -> None:
    """Write a language model: the tables, with each probability as one byte, and the arrays of the words."""
    arrays: Arrays = {"letters": np.array(LETTERS), "step": np.array(STEP)} | words
    for length, (contexts, probabilities) in enumerate(tables):
        arrays[f"contexts{length}"] = contexts
        arrays[f"costs{length}"] = np.clip(np.round(-np.log(probabilities) / STEP), 0, 255).astype(np.uint8)
    np.savez_compressed(to, **arrays)  # type: ignore[arg-type]  # numpy's stub takes keyword arrays for its own flag
