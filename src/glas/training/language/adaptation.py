"""Adapt a language model to corrected texts: make their words and pairs of words more probable, and add new words.

The new frequency of a word is (1 - s) · U(w) + s · D(w): a linear interpolation (Jelinek and Mercer 1980). U is the
word's relative frequency in the language model, D its relative frequency in the corrected texts, and s their share. New
words are mostly names and terms. They are added with all their inflected forms, which pymorphy guesses from their
endings, because a name that was corrected in the genitive will soon be said in another case.

The words and pairs of a language model can be read from its file. Therefore a word or a pair counts only if at least
two people said it; forms of one word are the same word in this rule. A personal model, which answers only one person,
learns everything that this person said.
"""

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import pymorphy3

from glas.domain.errors import ModelLoadError
from glas.domain.text import normalise
from glas.engines.character_lm import SPACE
from glas.engines.word_lm import ENCODING
from glas.recognition.references import Utterance
from glas.training.language.words import BEGINNING, SHORTER, Arrays, Pairs, costs

LEAST_PEOPLE = 2
MOST_OF_PAIRS = 0.5  # largest share of the corrected texts in the probabilities of the words after one word
_INFLECTED = {"NOUN", "ADJF"}

_People = set[str | None]
_Said = TypeVar("_Said", str, tuple[str, str])


class CorrectedTexts(NamedTuple):
    """Texts to which a language model is adapted.

    Attributes:
        learnt: recordings whose reference texts are counted.
        others: further corrected recordings; they only count in the question of how many people said a word.
        share: share of the learnt texts in the frequencies of words, 0..1.
        is_personal: whether the model answers only the person who said the texts.
    """

    learnt: Sequence[Utterance]
    others: Sequence[Utterance]
    share: float
    is_personal: bool = False


class Counts(NamedTuple):
    """Counts of words and pairs in corrected texts.

    Attributes:
        words: the count of each word. The forms of a new word have a count of 1 together, in addition.
        pairs: for each word, and for the beginning of a text (`BEGINNING`), the counts of the words that follow it.
        followed: how often each word, and the beginning of a text, was followed by any word, and by how many distinct
            words.
    """

    words: Mapping[str, float]
    pairs: Pairs
    followed: Mapping[str, tuple[int, int]]


def adapt(base: Path, texts: CorrectedTexts, to: Path) -> None:
    """Write a language model that is adapted to corrected texts; if no word of these texts counts, copy the file.

    Args:
        base: the language model, an .npz file that `glas.training.language.language_model` writes.
        texts: the corrected texts.
        to: path of the new file.

    Raises:
        ModelLoadError: `base` is no such file.
    """
    try:
        with np.load(base) as file:
            arrays: Arrays = {name: file[name] for name in file.files}
        known = [word.decode(ENCODING) for word in arrays["words"].tobytes().split(b"\n")[:-1]]
        counts = count(texts, set(known), set(str(arrays["letters"])) - {SPACE})
        adapted = _adapted(arrays, known, counts, texts.share) if texts.share and counts.words else None
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise ModelLoadError(f"The language model {base} cannot be adapted: {error}") from error
    if adapted is None:
        shutil.copyfile(base, to)
    else:
        np.savez_compressed(to, **adapted)  # type: ignore[arg-type]  # numpy's stub takes arrays for its own flag


def count(texts: CorrectedTexts, known: set[str], letters: set[str]) -> Counts:
    """Count the words and pairs of corrected texts; leave out those that fewer than `LEAST_PEOPLE` people said.

    For a personal model, nothing is left out.

    Args:
        texts: the corrected texts.
        known: words of the language model.
        letters: letters of which words can consist.
    """
    least = 1 if texts.is_personal else LEAST_PEOPLE
    learnt, every = _said(texts.learnt), [*_said(texts.learnt), *_said(texts.others)]
    morph = _Morphology(_people((word, who) for words, who in every for word in words))
    people_of_pairs = _people((pair, who) for words, who in every for pair in _pairs(words))
    counted = Counter(word for words, _ in learnt for word in words if set(word) <= letters)
    words = {word: float(times) for word, times in counted.items() if n_people(morph.people_of(word)) >= least}
    after: Pairs = defaultdict(Counter)
    for before, word in (pair for words_said, _ in learnt for pair in _pairs(words_said)):
        after[before][word] += 1
    pairs: Pairs = defaultdict(Counter)
    for before, followers in after.items():
        for word, times in followers.items():
            are_words = word in words and (before == BEGINNING or before in words)
            if are_words and n_people(people_of_pairs[before, word]) >= least:
                pairs[before][word] = times
    for word in [word for word in words if word not in known]:
        forms = [form for form in sorted(morph.forms(word)) if set(form) <= letters]
        for form in forms:
            words[form] = words.get(form, 0.0) + 1 / len(forms)
    return Counts(words, pairs, {before: (sum(some.values()), len(some)) for before, some in after.items()})


def n_people(people: _People) -> int:
    """Return how many people there are at least; unknown people may be one person, and one of the known people."""
    return len(people - {None}) or len(people)


class _Morphology:
    """Finds the forms of words, and who said any form of a word. The letter «ё» is «е», as in language models."""

    def __init__(self, people: Mapping[str, _People]) -> None:
        self._people = people
        self._analyser = pymorphy3.MorphAnalyzer()
        self.forms = lru_cache(maxsize=None)(self._forms)

    def people_of(self, word: str) -> _People:
        """Return who said a word or another form of it.

        Two words count as forms of one word if each is among the forms of the other.
        """
        said = [form for form in self.forms(word) if form in self._people and word in self.forms(form)]
        return self._people[word].union(*(self._people[form] for form in said))

    def _forms(self, word: str) -> frozenset[str]:
        """Return all forms of a noun or an adjective by its most probable reading; of another word only the word."""
        best = self._analyser.parse(word)[0]
        if best.tag.POS not in _INFLECTED:
            return frozenset({word})
        return frozenset({word, *(form.word.replace("ё", "е") for form in best.lexeme)})


def _said(recordings: Sequence[Utterance]) -> list[tuple[list[str], str | None]]:
    return [(normalise(one.text).split(), one.speaker) for one in recordings]


def _people(said: Iterable[tuple[_Said, str | None]]) -> dict[_Said, _People]:
    people: dict[_Said, _People] = defaultdict(set)
    for what, who in said:
        people[what].add(who)
    return people


def _pairs(words: list[str]) -> Iterator[tuple[str, str]]:
    return zip([BEGINNING, *words], words, strict=False)


def _adapted(arrays: Arrays, known: list[str], counts: Counts, share: float) -> Arrays:
    """Return the arrays of a language model with new words, new frequencies and new pairs.

    New words belong to the class of unknown words. All words stay sorted, so the indices of words in the pairs grow,
    but their order does not change.
    """
    step, n_counted = float(arrays["word_step"]), sum(counts.words.values())
    frequencies = np.exp(-step * arrays["word_costs"].astype(np.float64))
    frequency = dict(zip(known, (1 - share) * frequencies / frequencies.sum(), strict=True))
    for word, times in counts.words.items():
        frequency[word] = frequency.get(word, 0.0) + share * times / n_counted
    unknown = len(arrays["class_gains"]) - 2
    of_class = dict.fromkeys(counts.words, unknown) | dict(zip(known, arrays["word_classes"].tolist(), strict=True))
    words = sorted(frequency, key=lambda word: word.encode(ENCODING))
    number = {word: index for index, word in enumerate([*words, BEGINNING])}
    renumbered = np.array([number[word] for word in [*known, BEGINNING]], np.int32)
    moved = arrays | {name: renumbered[arrays[name]] for name in ("pair_contexts", "pair_words")}
    return moved | {
        "words": np.frombuffer(b"".join(word.encode(ENCODING) + b"\n" for word in words), np.uint8),
        "word_costs": costs(np.array([frequency[word] for word in words]), step),
        "word_classes": np.array([of_class[word] for word in words], np.uint8),
        **_with_pairs(moved, counts, number),
    }


def _with_pairs(arrays: Arrays, counts: Counts, number: Mapping[str, int]) -> Arrays:
    """Return the arrays of a language model that contain its pairs, with the pairs of the corrected texts added.

    The probability of a word after another is smoothed by the method of Witten and Bell (1991), with the probability
    by the base language model in place of that of a single word. The share of the corrected texts is limited by
    `MOST_OF_PAIRS`, so that other texts stay probable after any number of corrections.
    """
    step, starts = float(arrays["word_step"]), arrays["pair_starts"]
    shares = np.exp(-step * arrays["pair_costs"].astype(np.float64))
    rests = np.exp(-step * arrays["pair_rest"].astype(np.float64))
    after: dict[int, dict[int, float]] = {}
    rest: dict[int, float] = {}
    for row, context in enumerate(arrays["pair_contexts"].tolist()):
        span = slice(int(starts[row]), int(starts[row + 1]))
        after[context] = dict(zip(arrays["pair_words"][span].tolist(), shares[span].tolist(), strict=True))
        rest[context] = float(rests[row])
    for word, followers in counts.pairs.items():
        context, (seen, n_distinct) = number[word], counts.followed[word]
        weight = min(seen / (seen + SHORTER * n_distinct), MOST_OF_PAIRS)
        kept = 1 - weight * sum(followers.values()) / seen
        found = {one: kept * probability for one, probability in after.get(context, {}).items()}
        for follower, times in followers.items():
            found[number[follower]] = found.get(number[follower], 0.0) + weight * times / seen
        after[context], rest[context] = found, kept * rest.get(context, 1.0)
    contexts = sorted(after)
    rows = [sorted(after[context].items()) for context in contexts]
    return {
        "pair_contexts": np.array(contexts, np.int32),
        "pair_starts": np.cumsum([0, *map(len, rows)]).astype(np.int32),
        "pair_words": np.array([one for row in rows for one, _ in row], np.int32),
        "pair_costs": costs(np.array([probability for row in rows for _, probability in row]), step),
        "pair_rest": costs(np.array([rest[context] for context in contexts]), step),
    }
