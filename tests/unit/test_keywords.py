"""Test that keywords are found where they sound like recognised words, and written only if the sound permits it."""

import itertools
import time
from collections.abc import Sequence

import pytest

from glas.domain.transcription import Word
from glas.engines.keywords import keywords_of, with_keywords
from glas.engines.keywords.declension import forms
from glas.engines.keywords.replacing import MOST_LOST, MOST_SCORED
from glas.engines.keywords.sounds import distance, sounds_of
from glas.engines.keywords.vocabulary import split_line

DOUBTFUL, CERTAIN = 0.3, 0.999
KNOWN = {"в", "на", "мы", "были", "с", "и", "роман", "приехали", "как", "машина", "камыш", "далеко"}


def words(text: str, confidence: float = DOUBTFUL) -> list[Word]:
    return [
        Word(text=one, start_s=float(number), end_s=number + 0.5, confidence=confidence)
        for number, one in enumerate(text.split())
    ]


class Judge:
    """Scores each text `lost` nats below the recognised text, and counts the calls."""

    def __init__(self, lost: float | dict[str, float]) -> None:
        self.lost = lost
        self.asked: list[list[str]] = []

    def __call__(self, texts: Sequence[str]) -> list[float]:
        self.asked.append(list(texts))
        return [0.0, *(-self._of(text) for text in texts[1:])]

    def _of(self, text: str) -> float:
        if isinstance(self.lost, float):
            return self.lost
        return next((lost for part, lost in self.lost.items() if part in text), 1000.0)


def written(text: str, line: str, lost: float | dict[str, float] = 0.0, confidence: float = DOUBTFUL) -> str:
    found = with_keywords(words(text, confidence), keywords_of(line), Judge(lost), KNOWN.__contains__)
    return " ".join(word.text for word in found.words)


@pytest.mark.parametrize(
    ("keyword", "expected"),
    [
        ("Камышин", ["Камышина", "Камышину", "Камышином", "Камышине"]),
        ("Елабуга", ["Елабуги", "Елабуге", "Елабугу", "Елабугой"]),
        ("Достоевский", ["Достоевского", "Достоевскому", "Достоевским", "Достоевском"]),
        ("Королёва", ["Королёвой", "Королёву"]),
        ("Юрий", ["Юрия", "Юрию", "Юрием", "Юрии"]),
        ("Череповец", ["Череповца", "Череповцу", "Череповцом", "Череповце"]),
        ("Мытищи", ["Мытищ", "Мытищам", "Мытищах"]),
        ("Химки", ["Химок", "Химкам", "Химках"]),
        ("Мезень", ["Мезени", "Мезенью"]),
        ("Нижний Новгород", ["Нижнего Новгорода", "Нижнему Новгороду", "Нижним Новгородом", "Нижнем Новгороде"]),
        ("биткоин", ["биткоины", "биткоинов", "биткоинами"]),
    ],
)
def test_a_name_has_its_cases(keyword: str, expected: list[str]) -> None:
    found = forms(keyword)
    assert found[0] == keyword
    assert set(expected) <= set(found)


def test_what_is_no_russian_word_has_no_cases() -> None:
    assert [forms(one) for one in ("GPU", "МЧС", "Ростов-на-Дону")] == [["GPU"], ["МЧС"], ["Ростов-на-Дону"]]


@pytest.mark.parametrize(
    ("one", "other"),
    [("камышин", "камыш ин"), ("кросс", "крос"), ("сделать", "зделать"), ("детский", "децкий"), ("кого", "каво")],
)
def test_what_sounds_alike_is_near(one: str, other: str) -> None:
    assert distance(sounds_of((one,)), sounds_of(tuple(other.split()))) <= 0.21


def test_what_sounds_otherwise_is_far() -> None:
    assert distance(sounds_of(("камышин",)), sounds_of(("череповец",))) > 4


def test_a_line_is_cut_at_commas_or_else_at_spaces() -> None:
    assert split_line("Камышин, Нижний Новгород;Юрий\nюнга,Юрий,") == ["Камышин", "Нижний Новгород", "Юрий", "юнга"]
    assert split_line("Нижний Новгород") == ["Нижний Новгород"]
    assert split_line("Анна Борис Вера Глеб") == ["Анна", "Борис", "Вера", "Глеб"]
    assert split_line(" , ") == []


@pytest.mark.parametrize(
    ("heard", "line", "expected"),
    [
        ("были в комышене, далеко", "Камышин", "были в Камышине, далеко"),
        ("были в камыш ине.", "Камышин", "были в Камышине."),
        ("Комышен далеко", "камышин", "Камышин далеко"),
        ("мы в нижнемнафгороди были", "Нижний Новгород", "мы в Нижнем Новгороде были"),
        ("мы были на кубернетисе", "Kubernetes", "мы были на Kubernetes"),
    ],
)
def test_what_sounds_like_a_keyword_is_replaced_by_its_form(heard: str, line: str, expected: str) -> None:
    assert written(heard, line) == expected


def test_words_that_were_put_together_keep_their_time_and_doubt() -> None:
    found = with_keywords(words("мы были в камыш ине."), keywords_of("Камышин"), Judge(0.0), KNOWN.__contains__)
    last = found.words[-1]
    assert (last.text, last.start_s, last.end_s, last.confidence) == ("Камышине.", 3.0, 4.5, DOUBTFUL)
    (use,) = found.uses
    assert (use.heard, use.text, use.start_s, use.end_s) == ("камыш ине", "Камышине", 3.0, 4.5)


def test_a_word_that_was_parted_divides_its_time() -> None:
    found = with_keywords(words("мы в нижнемновгороде"), keywords_of("Нижний Новгород"), Judge(0.0), KNOWN.__contains__)
    first, second = found.words[-2:]
    assert (first.start_s, second.end_s) == (2.0, 2.5)
    assert first.end_s == second.start_s
    assert 2.0 < second.start_s < 2.5


def test_what_the_sound_denies_is_not_written() -> None:
    assert written("были в комышене", "Камышин", MOST_LOST + 0.1) == "были в комышене"
    assert written("были в комышене", "Камышин", MOST_LOST - 0.1) == "были в Камышине"


def test_the_sound_chooses_among_forms_and_keywords() -> None:
    lost = {"Камышина": 0.5, "Камышин": 2.0, "Комышов": 1.0}
    assert written("приехали с комышна", "Камышин, Комышов", lost) == "приехали с Камышина"


def test_what_is_certain_and_known_is_left_without_asking_the_sound() -> None:
    judge = Judge(0.0)
    certain = words("мы приехали как машина", CERTAIN)
    found = with_keywords(certain, keywords_of("Камышин"), judge, KNOWN.__contains__)
    assert (list(found.words), found.uses, judge.asked) == (certain, (), [])


def test_a_certain_word_that_nobody_knows_is_doubtful() -> None:
    assert written("были в комышене", "Камышин", confidence=CERTAIN) == "были в Камышине"


def test_without_a_candidate_the_sound_is_not_asked() -> None:
    judge = Judge(0.0)
    heard = words("мы были далеко")
    found = with_keywords(heard, keywords_of("Камышин, Череповец"), judge, KNOWN.__contains__)
    assert (list(found.words), judge.asked) == (heard, [])


def test_letters_that_are_the_keyword_only_get_its_capitals() -> None:
    judge = Judge(1000.0)
    found = with_keywords(
        words("были в камышине и ростове на дону, королев.", CERTAIN),
        keywords_of("Камышин, Королёв, Ростове-на-Дону"),
        judge,
        KNOWN.__contains__,
    )
    assert " ".join(word.text for word in found.words) == "были в Камышине и Ростове-на-Дону, Королёв."
    assert judge.asked == []


def test_a_capital_at_the_beginning_of_a_sentence_stays() -> None:
    assert written("Барышня далеко", "барышня", confidence=CERTAIN) == "Барышня далеко"
    assert written("Барышне далеко", "барышня", confidence=CERTAIN) == "Барышне далеко"


def test_two_sentences_are_not_one_keyword() -> None:
    assert written("это череп. Овец далеко", "Череповец") == "это череп. Овец далеко"
    assert written("это череп овец далеко", "Череповец") == "это Череповец далеко"


def test_only_a_few_texts_are_scored() -> None:
    judge = Judge(1000.0)
    with_keywords(words("комышен " * 20), keywords_of("Камышин"), judge, KNOWN.__contains__)
    assert [len(texts) for texts in judge.asked] == [1 + MOST_SCORED]


def test_two_hundred_keywords_are_prepared_and_looked_for_quickly() -> None:
    parts = ("ко", "ма", "ше", "ри", "ла", "ну", "ты", "зо", "ги", "пе")
    names = ["".join(three) for three in itertools.product(parts, repeat=3)][:200]
    began = time.process_time()
    keywords = keywords_of(", ".join(names))
    prepared = time.process_time()
    with_keywords(words("мы приехали как машина " * 8, CERTAIN), keywords, Judge(0.0), KNOWN.__contains__)
    assert prepared - began < 1
    assert time.process_time() - prepared < 0.05
