"""Adapt a language model to a domain: make the words of corrected texts more probable, and add words it does not know.

The new frequency of a word is (1 - s) · U(w) + s · D(w): a linear interpolation (Jelinek and Mercer 1980). U is the
word's relative frequency in the language model, D its relative frequency in the corrected texts, and s the share of the
domain. Pairs of successive words become more probable, too. Words that the language model does not know are mostly
names and terms. They are added with all their inflected forms, which pymorphy guesses from their endings, because a
name that was corrected in the genitive will soon be said in another case.

The words and pairs of a language model can be read from its file. Therefore a new word is added only if at least two
people said one of its forms, and a pair only if at least two people said it. If all texts are those of one person,
whose model answers nobody else, everything is added.
"""

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pymorphy3

from glas.domain.text import normalise
from glas.engines.character_lm import SPACE
from glas.engines.word_lm import ENCODING
from glas.recognition.references import Utterance
from glas.training.language.words import BEGINNING, SHORTER, Arrays, Pairs, costs

LEAST_PEOPLE = 2
_INFLECTED = {"NOUN", "ADJF"}


class Domain(NamedTuple):
    """Corrected texts of a domain.

    Attributes:
        learnt: recordings whose reference texts are counted.
        others: further corrected recordings; they only count in the question of how many people wrote a word.
        share: share of the domain in the frequencies of words, 0..1.
    """

    learnt: Sequence[Utterance]
    others: Sequence[Utterance]
    share: float


class DomainCounts(NamedTuple):
    """What is counted in the texts of a domain.

    Attributes:
        words: count of each word, and one more for each inflected form of a word that the language model does not know.
        pairs: for each word, and for the beginning of a text (`BEGINNING`), the counts of the words that follow it.
    """

    words: Counter[str]
    pairs: Pairs


def adapt(base: Path, domain: Domain, to: Path) -> None:
    """Write a language model that is adapted to a domain; if the share of the domain is 0, copy the file.

    Args:
        base: the language model, an .npz file that `glas.training.language.language_model` writes.
        domain: the corrected texts.
        to: path of the new file.
    """
    if not domain.share:
        shutil.copyfile(base, to)
        return
    with np.load(base) as file:
        arrays: Arrays = {name: file[name] for name in file.files}
    known = [word.decode(ENCODING) for word in arrays["words"].tobytes().split(b"\n")[:-1]]
    counts = count(domain, set(known), set(str(arrays["letters"])) - {SPACE})
    np.savez_compressed(to, **_with_counts(arrays, known, counts, domain.share))  # type: ignore[arg-type]


def count(domain: Domain, known: set[str], letters: set[str]) -> DomainCounts:
    """Count words and pairs of words in the texts of a domain.

    Args:
        domain: the corrected texts.
        known: words of the language model.
        letters: letters of which words can consist.
    """
    morph, corrected = _Morphology(), [*domain.learnt, *domain.others]
    people_of_lemmas, people_of_pairs = _people_of_lemmas(corrected, morph), _people_of_pairs(corrected)
    enough = min(LEAST_PEOPLE, len({one.speaker for one in corrected}))

    def may_count(word: str) -> bool:
        return set(word) <= letters and (
            word in known or max(len(people_of_lemmas[lemma]) for lemma in morph.lemmas(word)) >= enough
        )

    words: Counter[str] = Counter()
    pairs: Pairs = defaultdict(Counter)
    for text in (normalise(one.text).split() for one in domain.learnt):
        words.update(word for word in text if may_count(word))
        for before, after in _pairs(text):
            are_counted = after in words and (before == BEGINNING or before in words)
            if are_counted and len(people_of_pairs[before, after]) >= enough:
                pairs[before][after] += 1
    forms = {form for word in words if word not in known for form in morph.forms(word)}
    words.update(form for form in forms if set(form) <= letters)
    return DomainCounts(words, pairs)


class _Morphology:
    """Finds lemmas and forms of words, without the letter «ё», which language models do not have."""

    def __init__(self) -> None:
        self._analyser = pymorphy3.MorphAnalyzer()

    def lemmas(self, word: str) -> set[str]:
        """Return the dictionary forms that a word can have; for an unknown word these are guesses."""
        return {parse.normal_form.replace("ё", "е") for parse in self._analyser.parse(word)}

    def forms(self, word: str) -> set[str]:
        """Return all forms of a word: those of its best reading as a noun or an adjective, if it has one."""
        parses = self._analyser.parse(word)
        best = next((parse for parse in parses if parse.tag.POS in _INFLECTED), parses[0])
        return {form.word.replace("ё", "е") for form in best.lexeme}


def _pairs(words: list[str]) -> Iterator[tuple[str, str]]:
    return zip([BEGINNING, *words], words, strict=False)


def _people_of_lemmas(corrected: Sequence[Utterance], morph: _Morphology) -> dict[str, set[str | None]]:
    people: dict[str, set[str | None]] = defaultdict(set)
    for one in corrected:
        for lemma in chain.from_iterable(map(morph.lemmas, normalise(one.text).split())):
            people[lemma].add(one.speaker)
    return people


def _people_of_pairs(corrected: Sequence[Utterance]) -> dict[tuple[str, str], set[str | None]]:
    people: dict[tuple[str, str], set[str | None]] = defaultdict(set)
    for one in corrected:
        for pair in _pairs(normalise(one.text).split()):
            people[pair].add(one.speaker)
    return people


def _with_counts(arrays: Arrays, known: list[str], counts: DomainCounts, share: float) -> Arrays:
    """Return the arrays of a language model with new words, new frequencies and new pairs.

    Added words belong to the class of unknown words. All words stay sorted, so the indices of words in the pairs grow,
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
        **_with_pairs(moved, counts.pairs, number),
    }


def _with_pairs(arrays: Arrays, pairs: Pairs, number: Mapping[str, int]) -> Arrays:
    """Return the arrays of pairs with the pairs of the domain.

    The probability of a word after another is smoothed by the method of Witten and Bell (1991), with the probability
    by the base language model in place of that of a single word.
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
    for word, followers in pairs.items():
        context, seen = number[word], sum(followers.values())
        kept = SHORTER * len(followers) / (seen + SHORTER * len(followers))
        found = {one: kept * probability for one, probability in after.get(context, {}).items()}
        for follower, times in followers.items():
            found[number[follower]] = found.get(number[follower], 0.0) + (1 - kept) * times / seen
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
