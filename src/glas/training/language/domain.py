"""Adapt a language model to a domain: make the words of corrected texts more probable, and add words it does not know.

The new frequency of a word is (1 - s) · U(w) + s · D(w): a linear interpolation (Jelinek and Mercer 1980). U is the
word's relative frequency in the language model, D its relative frequency in the corrected texts, and s the share of the
domain. Words that the language model does not know are mostly names and terms. They are added with all their
inflected forms, which pymorphy guesses from their endings, because a name that was corrected in the genitive will soon
be said in another case.

The word list of a language model can be read from its file. Therefore a new word is added only if at least two people
wrote one of its forms, or if all texts are those of one person, whose model answers nobody else.
"""

import shutil
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pymorphy3

from glas.domain.text import normalise
from glas.engines.character_lm import SPACE
from glas.engines.word_lm import ENCODING
from glas.recognition.references import Utterance
from glas.training.language.words import Arrays, costs

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
    counts = count_words(domain, set(known), set(str(arrays["letters"])) - {SPACE})
    np.savez_compressed(to, **_with_words(arrays, known, counts, domain.share))  # type: ignore[arg-type]


def count_words(domain: Domain, known: set[str], letters: set[str]) -> Counter[str]:
    """Count the words of a domain, and each inflected form of a word that is not known once more.

    Words that are not known are left out if fewer than two people wrote one of their forms.

    Args:
        domain: the corrected texts.
        known: words of the language model.
        letters: letters of which words can consist.
    """
    morph = _Morphology()
    people = _people_of_lemmas([*domain.learnt, *domain.others], morph)
    enough = min(LEAST_PEOPLE, len(set().union(*people.values())))

    def may_count(word: str) -> bool:
        return word in known or max(len(people[lemma]) for lemma in morph.lemmas(word)) >= enough

    said = (word for one in domain.learnt for word in normalise(one.text).split() if set(word) <= letters)
    counts = Counter(word for word in said if may_count(word))
    forms = {form for word in counts if word not in known for form in morph.forms(word)}
    counts.update(form for form in forms if set(form) <= letters)
    return counts


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


def _people_of_lemmas(corrected: Sequence[Utterance], morph: _Morphology) -> dict[str, set[str | None]]:
    people: dict[str, set[str | None]] = defaultdict(set)
    for one in corrected:
        for word in normalise(one.text).split():
            for lemma in morph.lemmas(word):
                people[lemma].add(one.speaker)
    return people


def _with_words(arrays: Arrays, known: list[str], counts: Counter[str], share: float) -> Arrays:
    """Return the arrays of a language model with new words and new frequencies.

    Added words belong to the class of unknown words. The words stay sorted, so the indices of words in the pairs grow,
    but their order does not change.
    """
    step, all_counts = float(arrays["word_step"]), sum(counts.values())
    frequencies = np.exp(-step * arrays["word_costs"].astype(np.float64))
    frequency = dict(zip(known, (1 - share) * frequencies / frequencies.sum(), strict=True))
    for word, count in counts.items():
        frequency[word] = frequency.get(word, 0.0) + share * count / all_counts
    unknown = len(arrays["class_gains"]) - 2
    of_class = dict.fromkeys(counts, unknown) | dict(zip(known, arrays["word_classes"].tolist(), strict=True))
    words = sorted(frequency, key=lambda word: word.encode(ENCODING))
    number = {word: index for index, word in enumerate(words)}
    renumbered = np.array([*(number[word] for word in known), len(words)], np.int32)
    return arrays | {
        "words": np.frombuffer(b"".join(word.encode(ENCODING) + b"\n" for word in words), np.uint8),
        "word_costs": costs(np.array([frequency[word] for word in words]), step),
        "word_classes": np.array([of_class[word] for word in words], np.uint8),
        "pair_contexts": renumbered[arrays["pair_contexts"]],
        "pair_words": renumbered[arrays["pair_words"]],
    }
