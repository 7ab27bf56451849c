"""Test RU-NORM v1 with a table; a change of the table requires a new version."""

import random
import unicodedata

import pytest

from glas.domain.text import RU_NORM_VERSION, normalise

PAIRS = [
    # letters
    ("Привет, мир!", "привет мир"),
    ("ЁЖИК ещё спит", "ежик еще спит"),
    ("Мой йод", "мой йод"),
    (unicodedata.normalize("NFD", "Мой йод и ёлка"), "мой йод и елка"),
    ("за́мок и замо́к", "замок и замок"),
    ("под\u00adстаканник", "подстаканник"),
    ("ﬁнал", "fiнал"),
    ("Telegram-бот", "telegram бот"),
    ("İstanbul", "i\u0307stanbul"),
    ("naïve café", "naïve café"),
    # punctuation
    ("", ""),
    ("  \t\n ", ""),
    ("…", ""),
    ("«Война и мир» — роман.", "война и мир роман"),
    ("по-моему, кто-нибудь", "по моему кто нибудь"),
    ("д’Артаньян", "д артаньян"),
    ("да/нет", "да нет"),
    ("snake_case", "snake case"),
    ("Люблю ❤️ тебя 👍🏽", "люблю тебя"),
    ("Ну... э-э-э", "ну э э э"),
    # whole numbers
    ("5", "пять"),
    ("21 мая", "двадцать один мая"),
    ("100", "сто"),
    ("1000", "тысяча"),
    ("1 000 рублей", "тысяча рублей"),
    ("1\u00a0000\u00a0000", "один миллион"),
    ("12\u202f345", "двенадцать тысяч триста сорок пять"),
    ("1990 год", "тысяча девятьсот девяносто год"),
    ("2024 100", "две тысячи двадцать четыре сто"),
    ("007", "ноль ноль семь"),
    ("0", "ноль"),
    ("４２", "сорок два"),
    ("h264", "h двести шестьдесят четыре"),
    ("10-15 минут", "десять пятнадцать минут"),
    ("10–15", "десять пятнадцать"),
    ("-5", "минус пять"),
    ("ночью −12", "ночью минус двенадцать"),
    ("2+2", "два плюс два"),
    ("+7 916 123-45-67", "плюс семь девятьсот шестнадцать сто двадцать три сорок пять шестьдесят семь"),
    ("1234567890123", "один два три четыре пять шесть семь восемь девять ноль один два три"),
    # ordinals
    ("21-го мая", "двадцать первого мая"),
    ("1-й класс, 2-я смена, 3-е место", "первый класс вторая смена третье место"),
    ("в 5-м классе", "в пятом классе"),
    ("90-е годы", "девяностые годы"),
    ("в 80-х", "в восьмидесятых"),
    ("4-ую", "четвертую"),
    ("5-летний", "пять летний"),
    # fractions, dates, times
    ("2,5", "две целых пять десятых"),
    ("1.1", "одна целая одна десятая"),
    ("0,05", "ноль целых пять сотых"),
    (f"1{'0' * 32},5", "сто нониллионов целых пять десятых"),
    (f"1{'0' * 33},5", f"один {'ноль ' * 33}целых пять десятых"),
    (f"{'0' * 40}7,5", "семь целых пять десятых"),
    ("3,14.", "три целых четырнадцать сотых"),
    ("21.05.2024", "двадцать один ноль пять две тысячи двадцать четыре"),
    ("в 7:30", "в семь тридцать"),
    ("07:05", "семь ноль пять"),
    ("12:00", "двенадцать ноль ноль"),
    # signs
    ("5 %", "пять процентов"),
    ("1%", "один процент"),
    ("22%", "двадцать два процента"),
    ("11%", "одиннадцать процентов"),
    ("2,5 %", "две целых пять десятых процента"),
    ("10-15%", "десять пятнадцать процентов"),
    ("100 ₽", "сто рублей"),
    ("1 001 ₽", "тысяча один рубль"),
    ("$5 и 3€", "пять долларов и три евро"),
    ("+20 °C", "плюс двадцать градусов цельсия"),
    ("1°", "один градус"),
    ("сколько %?", "сколько процентов"),
    ("№ 6", "номер шесть"),
    ("Палата №6", "палата номер шесть"),
    (
        "Все еще идет в 7:30, по моему 21-го мая.",
        "все еще идет в семь тридцать по моему двадцать первого мая",
    ),
]


@pytest.mark.parametrize(("text", "expected"), PAIRS)
def test_the_table(text: str, expected: str) -> None:
    assert normalise(text) == expected


def test_the_table_is_large_enough_to_be_a_contract() -> None:
    assert len(PAIRS) >= 60
    assert RU_NORM_VERSION == 1


def test_short_i_survives_in_both_forms() -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert normalise(unicodedata.normalize(form, "чай стой мой йогурт")) == "чай стой мой йогурт"


def test_normalising_twice_changes_nothing() -> None:
    pieces = [text for text, _ in PAIRS] + list("0123456789.,:-+−%₽$€°№ \u00a0\u0301\u0306ёйСcİ½²①٣\ufe0f\u200d")
    chance = random.Random(20_26)  # noqa: S311  reproducible examples, no secret
    for _ in range(3_000):
        once = normalise("".join(chance.choices(pieces, k=chance.randint(1, 8))))
        assert normalise(once) == once
        assert not any(character.isdecimal() for character in once)


def test_numbers_of_any_length_are_read() -> None:
    """Python converts at most 4,300 digits at once, and num2words has names for 33 digits."""
    nines, words = "9" * 5_000, " ".join(["девять"] * 5_000)
    assert normalise(nines) == words
    assert normalise(f"{nines} %") == f"{words} процентов"
    assert normalise(f"{nines},2 %") == f"{words} целых две десятых процента"
    assert normalise(f"{'0' * 5_000},2") == "ноль целых две десятых"


def test_no_letter_mark_or_sign_of_unicode_breaks_it() -> None:
    # The planes that hold scripts, marks and emoji, and the one with tags and variation selectors.
    for block in [*range(0, 0x20000, 0x1000), 0xE0000]:
        once = normalise(" б ".join(f"а{chr(code)}" for code in range(block, block + 0x1000)))
        assert normalise(once) == once
