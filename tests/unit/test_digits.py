"""Test that numbers are written in digits as people expect, and that RU-NORM gives the spoken words back."""

import random

import pytest

from glas.domain import numerals
from glas.domain.digits import in_digits
from glas.domain.text import normalise


def written(said: str) -> str:
    return " ".join(piece.text for piece in in_digits(said.split()))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("запиши номер заказа семьсот сорок два", "запиши номер заказа 742"),
        ("дом двадцать пять квартира сто двенадцать", "дом 25 квартира 112"),
        ("билеты стоят две тысячи рублей", "билеты стоят 2000 рублей"),
        ("двадцать пять тысяч рублей", "25 тысяч рублей"),
        ("двадцать одна тысяча", "21000"),
        ("три миллиона", "3 миллиона"),
        ("пятьдесят процентов", "50 процентов"),
        ("буду через пять минут", "буду через 5 минут"),
        ("в пять часов", "в 5 часов"),
        ("двадцать пятого в семь тридцать", "25-го в 7:30"),
        ("на четверг на пятнадцать тридцать", "на четверг на 15:30"),
        ("в семь ноль пять", "в 7:05"),
        ("к девяти ноль ноль", "к девяти ноль ноль"),
        ("в двадцать два тридцать два", "в 22:32"),
        ("пятого мая", "5-го мая"),
        ("двадцать четвёртого числа", "24-го числа"),
        ("в две тысячи двадцать пятом году", "в 2025-м году"),
        ("восемь девятьсот шестнадцать сто двадцать три сорок пять шестьдесят семь", "8-916-123-45-67"),
        ("девятьсот шестнадцать сто двадцать три сорок пять шестьдесят семь", "916-123-45-67"),
        ("в пятницу двадцать человек", "в пятницу 20 человек"),
        ("нас семья двадцать пять дворников", "нас семья 25 дворников"),
        ("Двадцать пять, нет, тридцать.", "25, нет, 30."),
    ],
)
def test_what_is_written(said: str, shown: str) -> None:
    assert written(said) == shown


@pytest.mark.parametrize(
    "said",
    [
        "один раз",
        "нас двое или трое",
        "две минуты",
        "двадцать одна минута",
        "пяти городов",
        "двадцати пяти рублей",
        "сорок второй размер",
        "пятого этажа",
        "минут на двадцать тридцать",
        "пять десять минут",
        "два триста",
        "тысяча извинений",
        "полтора часа",
        "одна тысяча рублей",
        "сто первый километр",
        "пяти десять",
        "тысяча одна ночь",
        "",
    ],
)
def test_what_stays_in_words(said: str) -> None:
    assert written(said) == said


def test_every_number_and_time_is_read_back_as_it_was_said() -> None:
    rng = random.Random(7)  # noqa: S311 - a test
    for _ in range(1500):
        first, second = rng.choice((99, 2500, 10**6)), rng.randrange(60)
        number = numerals.cardinal(rng.randrange(first))
        said = rng.choice(
            (
                f"позвони в {number} {numerals.cardinal(second)} вечером",
                f"это стоит {number} рублей и {numerals.cardinal(second)} копеек",
                f"{number} {number} {numerals.cardinal(second)}",
                f"{numerals.ordinal(rng.randrange(1, 100), rng.choice(('го', 'м', 'й', 'я')))} {number} мая",
            )
        )
        assert normalise(written(said)) == normalise(said)
        assert [at for piece in in_digits(said.split()) for at in range(piece.start, piece.end)] == list(
            range(len(said.split()))
        )
