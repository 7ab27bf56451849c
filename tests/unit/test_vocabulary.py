"""Test which words of a correction are added to the vocabulary."""

import pytest

from glas.domain.people import Locale
from glas.domain.vocabulary import MOST_OF_MESSAGE, digest, spelled, words_put_right
from glas.tg_bot.talk.words import counted, listed, typed


@pytest.mark.parametrize(
    ("heard", "said", "names", "others"),
    [
        ("передай а и гуль и позвони", "Передай Айгуль и позвони", ["Айгуль"], []),
        ("позвони прозору в ниж тагиле", "Позвони Фразору в Нижнем Тагиле.", ["Фразору", "Нижнем"], []),
        ("поставь ипхон на зарядку", "поставь iPhone на зарядку", ["iPhone"], []),
        ("это решает мэфэцэ и жека", "Это решает МФЦ и ЖЭК", ["МФЦ", "ЖЭК"], []),
        ("поехали в сант питер бург", "Поехали в Санкт-Петербург!", ["Санкт-Петербург"], []),
        ("гуля привет", "Айгуль, привет", [], ["Айгуль"]),
        ("Ладно. гуля привет", "Ладно. «Айгуль», привет", [], ["Айгуль"]),
        ("поднял губернатор в облаке", "поднял кубернетес в облаке", [], ["кубернетес"]),
        ("передай гуле", "ПЕРЕДАЙ АЙГУЛЕ", [], ["АЙГУЛЕ"]),
    ],
    ids=[
        "split",
        "names",
        "latin",
        "capitals",
        "hyphen",
        "first word",
        "first of a later sentence",
        "term",
        "shouting",
    ],
)
def test_words_that_were_put_right(heard: str, said: str, names: list[str], others: list[str]) -> None:
    """A name is found by its spelling; a word at the beginning of a sentence is not a name because of its capital."""
    found = words_put_right(heard, said)
    assert [one.word for one in found if one.is_name] == names
    assert [one.word for one in found if not one.is_name] == others


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("передай сергею", "Передай Сергею!"),
        ("айгуль передай а и гуль", "Айгуль, передай Айгуль"),
        ("передай привет", "Передай Айгуль привет"),
        ("передай собаке привет", "Передай Мкртчяну привет"),
        ("в пятнадцать тридцать", "В 16:30"),
        ("спасибо нам", "Спасибо Вам"),
        ("пиши на почту а собака бэ", "Пиши на почту a@b.ru"),
        ("", "Айгуль"),
        ("гуле", ""),
    ],
    ids=[
        "capital only",
        "heard elsewhere",
        "added",
        "unlike",
        "number",
        "politeness",
        "address",
        "nothing heard",
        "none",
    ],
)
def test_words_that_teach_nothing(heard: str, said: str) -> None:
    """Recognised words, added words, words unlike all recognised words, and non-words are not added."""
    assert words_put_right(heard, said) == ()


def test_a_message_teaches_a_limited_number_of_words() -> None:
    """If there are too many words, names are added first."""
    heard = "потом " + " ".join(f"вардан{letter}ч" for letter in "абвгдежзиклмнопрстуфхцчшщ")
    said = "Потом " + " ".join(f"вардан{letter}н" for letter in "абвгдежзиклмнопрстуфхцчш") + " Вардащян"
    found = words_put_right(heard, said)
    assert len(found) == MOST_OF_MESSAGE
    assert (found[0].word, found[0].is_name, found[1].is_name) == ("Вардащян", True, False)


@pytest.mark.parametrize(
    ("typed_by_hand", "word"),
    [
        (" «Нижний  Тагил», ", "Нижний Тагил"),
        ("C++", "C++"),
        ("О'Нил", "О'Нил"),
        ("16", None),
        ("!!!", None),
        ("https://example.org", None),
        ("раз два три четыре пять", None),
        ("ы" * 61, None),
    ],
)
def test_words_typed_by_hand(typed_by_hand: str, word: str | None) -> None:
    """A person can add a word or a short phrase; punctuation around it is removed."""
    assert spelled(typed_by_hand) == word


def test_a_digest_names_a_set() -> None:
    """The digest does not depend on the order; an empty set has none."""
    assert digest(["б", "а"]) == digest(["а", "б", "а"]) != digest(["а"])
    assert digest([]) is None


def test_how_words_are_shown() -> None:
    """Only some of many words are shown; Russian nouns agree with the number."""
    assert (listed("абвг"), listed("абвгде")) == ("а, б, в, г", "а, б, в, г, д…")
    numbers = (1, 2, 5, 11, 21)
    assert [counted(number, Locale.RU) for number in numbers] == [
        "1 слово",
        "2 слова",
        "5 слов",
        "11 слов",
        "21 слово",
    ]
    assert [counted(number, Locale.EN) for number in (1, 2)] == ["1 word", "2 words"]
    assert typed("Айгуль, Нижний Тагил;\nC++\n") == ["Айгуль", "Нижний Тагил", "C++"]
