"""A character n-gram model of Russian as people speak it, for the decoder of the embedded model.

It reads sentences of the training grammar, word forms of the dictionary and, where given, plain Russian texts;
sentences that are held out for tests are left out. It writes, for every context of up to `ORDER` - 1 letters that
occurred often enough, the probabilities of all letters after it, one byte each. Smoothing is Witten and Bell's (1991):
a context gives the shorter one weight by how many different letters it has seen.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from glas.training.lexicon import Lexicon, load_lexicon
from glas.training.texts import TextSource, held_out, label, read_lines

ORDER = 8  # letters of an n-gram, the predicted one included
SHORTER = 4.0  # times as much weight for the shorter context: without it rare contexts are believed too much
LETTERS = " абвгдежзийклмнопрстуфхцчшщъыьэюя"
STEP = 1 / 16  # natural logarithm of probability per unit of a byte: down to exp(-16)


@dataclass(frozen=True)
class LMSize:
    """How much to read and how much to keep."""

    sentences: int = 200_000  # drawn from the grammar and the dictionary
    contexts: int = 260_000  # rows of the file at most, about 34 bytes each


Codes = npt.NDArray[np.int64]
_SIZE = len(LETTERS)


def corpus(lexicon: Lexicon, texts: Path | None, sentences: int) -> str:
    """One long string of labels, words and sentences parted by single spaces."""
    source = TextSource(lexicon, seed=77)
    drawn = (label(source.draw()) for _ in range(sentences))
    lines = [clean for clean in (label(line) for line in read_lines(texts)) if clean and not held_out(clean)]
    return " ".join([*drawn, *lines])


def build(data: Path, texts: Path | None, to: Path, size: LMSize) -> None:
    """Count and write `to`, an .npz file."""
    text = corpus(load_lexicon(data / "lexicon.json"), texts, size.sentences)
    print(f"{len(text) / 1e6:.1f} million letters", flush=True)
    tables = estimate(np.array([LETTERS.index(letter) for letter in f" {text}"], np.int64), size.contexts)
    save(tables, to)
    rows = sum(len(contexts) for contexts, _ in tables)
    print(f"{to}: {rows} contexts, {to.stat().st_size / 1e6:.1f} MB, {perplexity_bits(tables, text):.2f} bits a letter")


def estimate(letters: Codes, most_contexts: int) -> list[tuple[Codes, npt.NDArray[np.float32]]]:
    """For each context length 0..ORDER-1: sorted contexts (n,) and probabilities after them (n, 33).

    A context is a number in base 33, its last letter the lowest digit.
    """
    least = 2
    while True:
        tables = _estimate(letters, least)
        if sum(len(contexts) for contexts, _ in tables) <= most_contexts:
            return tables
        least = least * 5 // 4 + 1


def _estimate(letters: Codes, least: int) -> list[tuple[Codes, npt.NDArray[np.float32]]]:
    """Tables of contexts that occurred at least `least` times, longer ones more often."""
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
        # What is kept occurred often, so its ending occurred at least as often; it may still have missed the threshold.
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


def save(tables: list[tuple[Codes, npt.NDArray[np.float32]]], to: Path) -> None:
    """Write the tables with probabilities as bytes."""
    arrays: dict[str, npt.NDArray[np.generic]] = {"letters": np.array(LETTERS), "step": np.array(STEP)}
    for length, (contexts, probabilities) in enumerate(tables):
        arrays[f"contexts{length}"] = contexts
        arrays[f"costs{length}"] = np.clip(np.round(-np.log(probabilities) / STEP), 0, 255).astype(np.uint8)
    np.savez_compressed(to, **arrays)  # type: ignore[arg-type]  # numpy's stub takes keyword arrays for its own flag


def perplexity_bits(tables: list[tuple[Codes, npt.NDArray[np.float32]]], text: str, most: int = 200_000) -> float:
    """Bits per letter of the beginning of a text: a check of the tables rather than of the model."""
    known = [dict(zip(contexts.tolist(), rows, strict=True)) for contexts, rows in tables]
    bits, letters = 0.0, [LETTERS.index(letter) for letter in text[:most]]
    for index, letter in enumerate(letters):
        for length in range(min(ORDER - 1, index), -1, -1):
            code = 0
            for one in letters[index - length : index]:
                code = code * _SIZE + one
            if (row := known[length].get(code)) is not None:
                bits -= float(np.log2(row[letter]))
                break
    return bits / len(letters)
