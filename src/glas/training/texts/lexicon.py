"""Word forms from pymorphy's dictionary (OpenCorpora, CC BY-SA 3.0), grouped by their function in a sentence.

Frequent forms are taken from OpenCorpora's annotated texts. Rare forms are a random sample of the whole dictionary. It
takes a minute to build the lexicon, so the lexicon is stored in a file.
"""

import json
import random
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pymorphy3

WORD = re.compile(r"[а-яё]{1,16}\Z")
UNWANTED = {"Abbr", "Erro", "Arch", "Dist", "Infr", "Init", "Prnt", "LATN", "Slng", "Orgn", "Surn", "Patr"}
RARE_FORMS = 150_000
RARE_VERBS = 3000  # of each grammatical use
LONGEST_RARE = 13  # letters


@dataclass(frozen=True)
class Lexicon:
    """Russian word forms, from which random sentences are made.

    Attributes:
        forms: forms by their grammatical use in pymorphy's abbreviations, such as "noun nomn femn sing" or "inf"
            (infinitive).
        attested: forms that occur in annotated texts.
        rare: a random sample of the forms in the dictionary, most of which are rare.
    """

    forms: dict[str, list[str]]
    attested: list[str]
    rare: list[str]


def use_of(tag: pymorphy3.tagset.OpencorporaTag) -> str | None:
    """Return the grammatical use of a form with the tag `tag`, such as "inf"; None if such forms are not used."""
    if tag.POS == "NOUN" and tag.case and tag.number:
        return f"noun {tag.case} {tag.gender if tag.number == 'sing' else 'x'} {tag.number}"
    if tag.POS == "ADJF" and tag.case and tag.number:
        return f"adj {tag.case} {tag.gender if tag.number == 'sing' else 'x'} {tag.number}"
    if tag.POS == "INFN":
        return "inf"
    if tag.POS == "VERB" and tag.person == "3per":
        return f"verb3 {tag.number}"
    if tag.POS == "VERB" and tag.tense == "past":
        return f"past {tag.gender if tag.number == 'sing' else 'x'} {tag.number}"
    return "adv" if tag.POS == "ADVB" else None


def build_lexicon(prefix: str = "") -> Lexicon:
    """Build the lexicon from pymorphy's dictionary; it contains only words that begin with the text `prefix`.

    The same version of the dictionary always gives the same lexicon.
    """
    morph = pymorphy3.MorphAnalyzer()
    forms: dict[str, list[str]] = {}
    attested = []
    for key in morph.prob_estimator.p_t_given_w.keys(prefix):
        word, _, tag_text = key.partition(":")
        if not WORD.match(word) or UNWANTED & set(re.split(r"[ ,]", tag_text)):
            continue
        known = morph.dictionary.words.similar_items(word, morph.char_substitutes)
        spoken = known[0][0] if known else word  # replaces е by ё where the word has ё
        attested.append(spoken)
        use = use_of(morph.TagClass(tag_text))
        if use:
            forms.setdefault(use, []).append(spoken)
    dictionary: dict[str, str | None] = {}
    for word, tag, *_ in morph.dictionary.iter_known_words(prefix):
        if WORD.match(word) and len(word) < LONGEST_RARE and not UNWANTED & tag.grammemes:
            dictionary[word] = use_of(tag)
    rng = random.Random(5)
    rare = rng.sample(sorted(dictionary), min(RARE_FORMS, len(dictionary)))
    # pymorphy's table of probabilities, which was read above, contains ambiguous forms only. Verbs are seldom
    # ambiguous, so add verbs from the dictionary.
    for use in ("inf", "verb3 sing", "past masc sing"):
        verbs = sorted(word for word, its_use in dictionary.items() if its_use == use)
        forms.setdefault(use, []).extend(rng.sample(verbs, min(RARE_VERBS, len(verbs))))
    return Lexicon(forms, sorted(set(attested)), rare)


def load_lexicon(path: Path, prefix: str = "") -> Lexicon:
    """Read the lexicon from a file; if the file is missing, build the lexicon with `prefix`, and write the file."""
    if not path.exists():
        lexicon = build_lexicon(prefix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(lexicon.__dict__, ensure_ascii=False), encoding="utf-8")
    return Lexicon(**json.loads(path.read_text(encoding="utf-8")))


@lru_cache(maxsize=1)
def _morph() -> pymorphy3.MorphAnalyzer:
    return pymorphy3.MorphAnalyzer()


@lru_cache(maxsize=50_000)
def inflect(phrase: str, case: str) -> str:
    """Inflect a Russian phrase: «паспортный стол» becomes «паспортного стола»; words without cases do not change."""
    words = []
    for word in phrase.split():
        parses = [p for p in _morph().parse(word) if p.tag.case == "nomn"] or _morph().parse(word)
        form = parses[0].inflect({case})
        words.append(form.word if form else word)
    return " ".join(words)
