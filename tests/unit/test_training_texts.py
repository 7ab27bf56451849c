"""Sentences for training: by seed, varied, and never those held out for tests."""

import pytest

pytest.importorskip("pymorphy3", reason="training dependencies are not installed (see `make train-setup`)")

from glas.training.texts.lexicon import Lexicon
from glas.training.texts.sentences import TextSource, held_out, label

CASES = ("nomn", "gent", "datv", "accs", "ablt", "loct")
NOUNS = {
    f"noun {case} {gender}": ["дом", "окна", "реки"]
    for case in CASES
    for gender in ("masc sing", "femn sing", "neut sing", "x plur")
}
VERBS = {"inf": ["петь", "искать"], "adv": ["быстро"], "verb3 sing": ["поёт"], "past masc sing": ["искал"]}
LEXICON = Lexicon(
    {**NOUNS, **VERBS}, attested=["дом", "ёж", "весна", "и", "берег"], rare=["кипрей", "дрезина", "щавель"]
)


def test_the_same_seed_gives_the_same_sentences() -> None:
    first, second = TextSource(LEXICON, 7), TextSource(LEXICON, 7)
    assert [first.draw() for _ in range(200)] == [second.draw() for _ in range(200)]


def test_sentences_are_varied_and_short_enough() -> None:
    source = TextSource(LEXICON, 1)
    sentences = [label(source.draw_message()) for _ in range(2000)]
    assert len(set(sentences)) > 1900
    assert len({word for sentence in sentences for word in sentence.split()}) > 800
    assert max(len(sentence.split()) for sentence in sentences) <= 25


def test_no_slot_is_left_open() -> None:
    source = TextSource(LEXICON, 2)
    assert not [text for text in (source.draw_message() for _ in range(3000)) if "{" in text or "}" in text]


def test_held_out_sentences_are_never_drawn_for_training() -> None:
    source = TextSource(LEXICON, 3)
    assert not any(held_out(source.draw()) for _ in range(1000))
    assert all(held_out(source.draw(test=True)) for _ in range(20))


def test_labels_have_only_the_networks_letters() -> None:
    assert label("Ёжик, приходи в 7:30 — ул. Мира, д. 5!") == "ежик приходи в семь тридцать ул мира д пять"


def test_held_out_does_not_depend_on_spelling() -> None:
    assert held_out("Всё, пока!") == held_out("все пока")
