"""Count the words of the language model: their frequencies, their classes, and pairs of successive words.

Frequencies are those of wordfreq (Robyn Speer, data CC BY-SA 4.0: subtitles, Wikipedia, news, books, web, Twitter).
Glas also has texts of its own: plain Russian texts, and messages from its grammar. The frequencies of words in these
texts are not added to those of wordfreq. In an experiment, a language model with this sum gave lower probabilities to
texts that were kept only for comparing language models. Words with the same grammatical properties form a class. The
properties are those in pymorphy's dictionary: part of speech, case, number, gender, tense and person, for all readings
of the word that are not rare. In the texts of Glas, it is counted how often two classes or two words follow each other.
All counts are smoothed by the method of Witten and Bell (1991). `glas.engines.word_lm` describes how the probabilities
are combined.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pymorphy3
import wordfreq

from glas.engines.word_lm import ENCODING

STEP = 1 / 12  # a byte b stands for the probability exp(-b * STEP), so the least probability is about exp(-21)
SHORTER = 4.0  # factor on the weight of single words, compared with pairs of words; see `language_model.SHORTER`
RARE_READING = 0.15  # readings of a form do not count if their score is below this share of the best reading's score
CLASSES = 250
UNKNOWN_SHARE = 0.03  # share of the words in texts that are not in the list of words
LEAST_GAIN = 1e-4
LEAST_SEEN = 1.5  # least weighted count of a pair of words that is kept
BEGINNING = "<s>"
UNKNOWN = "?"

Arrays = dict[str, npt.NDArray[np.generic]]
Pairs = dict[str, Counter[str]]


@dataclass
class WeightedSentences:
    """Sentences as label texts (see `glas.training.texts.sentences.label`); each is counted `times` times."""

    sentences: list[str]
    times: float = 1.0


@dataclass
class Classes:
    """The class of each word in the word list, and the names of all classes."""

    of: dict[str, str]
    names: list[str] = field(default_factory=list)


def word_arrays(readings: list[WeightedSentences], most_words: int) -> Arrays:
    """Compute the arrays of `WordLM` from wordfreq, pymorphy and the texts `readings`."""
    frequency = frequencies(most_words)
    classes = classify(frequency)
    words = sorted(frequency)
    gains = class_gains(readings, frequency, classes)
    return {
        "word_step": np.array(STEP),
        "words": np.frombuffer(b"".join(word.encode(ENCODING) + b"\n" for word in words), np.uint8),
        "word_costs": costs(np.array([frequency[word] for word in words])),
        "word_classes": np.array([classes.names.index(classes.of[word]) for word in words], np.uint8),
        "class_gains": np.clip(np.round(np.log(gains) / STEP), -127, 127).astype(np.int8),
    } | pair_arrays(readings, words)


def frequencies(most_words: int) -> dict[str, float]:
    """Return the most frequent words with their frequencies, whose sum is 1."""
    common: dict[str, float] = defaultdict(float)
    for spelling, share in wordfreq.get_frequency_dict("ru", wordlist="large").items():
        # The language model has no hyphen and no other letters, and it has one letter for ё and е.
        if re.fullmatch("[а-яё]+", spelling):
            common[spelling.replace("ё", "е")] += share
    chosen = sorted(common, key=lambda word: (-common[word], word))[:most_words]
    total = sum(common[word] for word in chosen)
    return {word: common[word] / total for word in chosen}


def classify(frequency: dict[str, float]) -> Classes:
    """Return the grammatical class of each word.

    The class of a word is the set of all its readings (grammatical meanings of the form). If this class is rare, the
    word gets the class of a single reading: the most probable reading whose class is frequent. If no reading has a
    frequent class, the word gets the most frequent class of all.
    """
    morph = pymorphy3.MorphAnalyzer()
    readings = {word: _readings(morph, word) for word in frequency}
    shares: Counter[str] = Counter()
    for word, forms in readings.items():
        shares["|".join(sorted(forms))] += frequency[word]  # type: ignore[assignment]
    kept = {name for name, _ in shares.most_common(CLASSES)}
    other = shares.most_common(1)[0][0]
    of = {}
    for word, forms in readings.items():
        name = "|".join(sorted(forms))
        of[word] = name if name in kept else next((form for form in forms if form in kept), other)
    return Classes(of, sorted(set(of.values())))


def _readings(morph: pymorphy3.MorphAnalyzer, word: str) -> list[str]:
    parses = morph.parse(word)
    forms = []
    for parse in parses:
        if parse.score >= RARE_READING * parses[0].score:
            tag = parse.tag
            gender = tag.gender if tag.number == "sing" else None
            signs = (tag.POS, tag.case, tag.number, gender, tag.tense, tag.person)
            forms.append(" ".join(sign for sign in signs if sign))
    return list(dict.fromkeys(forms))


def class_gains(
    readings: list[WeightedSentences], frequency: dict[str, float], classes: Classes
) -> npt.NDArray[np.float64]:
    """Compute the gain of each pair of successive classes, shape (n, n).

    The gain is the probability of the following class after the preceding class, divided by the probability of the
    following class after any class. A row belongs to the preceding class, a column to the following class. The last two
    classes are those of unknown words and of the beginning of a sentence.
    """
    names = [*classes.names, UNKNOWN, BEGINNING]
    number = {name: index for index, name in enumerate(names)}
    seen = np.zeros((len(names), len(names)))
    for reading in readings:
        for sentence in reading.sentences:
            before = number[BEGINNING]
            for word in sentence.split():
                after = number[classes.of.get(word, UNKNOWN)]
                seen[before, after] += reading.times
                before = after
    share = np.zeros(len(names))
    for word, its_share in frequency.items():
        share[number[classes.of[word]]] += (1 - UNKNOWN_SHARE) * its_share
    share[number[UNKNOWN]] = UNKNOWN_SHARE
    kinds = (seen > 0).sum(axis=1, keepdims=True) + 1  # one more, so that a class that was never seen changes nothing
    follows = (seen + kinds * share) / (seen.sum(axis=1, keepdims=True) + kinds)
    gains: npt.NDArray[np.float64] = np.maximum(follows / np.where(share > 0, share, 1), LEAST_GAIN)
    return gains


def count_pairs(readings: Iterable[WeightedSentences]) -> Pairs:
    """Count for each pair of words how often the second word follows the first."""
    pairs: Pairs = defaultdict(Counter)
    for reading in readings:
        for sentence in reading.sentences:
            words = sentence.split()
            for before, after in zip([BEGINNING, *words], words, strict=False):
                pairs[before][after] += reading.times  # type: ignore[assignment]
    return pairs


def pair_arrays(readings: list[WeightedSentences], words: list[str]) -> Arrays:
    """Return pairs of successive words that are both in the list `words`, in the format of `WordLM`."""
    pairs, number = count_pairs(readings), {word: index for index, word in enumerate(words)}
    contexts: list[int] = []
    starts = [0]
    followers: list[int] = []
    shares: list[float] = []
    rest: list[float] = []
    for context, word in [*enumerate(words), (len(words), BEGINNING)]:
        after = sorted(
            (number[one], count) for one, count in pairs[word].items() if one in number and count >= LEAST_SEEN
        )
        if after:
            all_counts = sum(pairs[word].values()) + SHORTER * len(pairs[word])
            contexts.append(context)
            followers += [one for one, _ in after]
            shares += [count / all_counts for _, count in after]
            starts.append(len(followers))
            rest.append(1 - sum(count for _, count in after) / all_counts)
    return {
        "pair_contexts": np.array(contexts, np.int32),
        "pair_starts": np.array(starts, np.int32),
        "pair_words": np.array(followers, np.int32),
        "pair_costs": costs(np.array(shares)),
        "pair_rest": costs(np.array(rest)),
    }


def costs(probabilities: npt.NDArray[np.float64], step: float = STEP) -> npt.NDArray[np.uint8]:
    """Encode each probability as one byte, on a logarithmic scale whose unit is `step` nats."""
    least = np.exp(-step * 255)
    return np.round(-np.log(np.maximum(probabilities, least)) / step).astype(np.uint8)
