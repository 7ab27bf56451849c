"""Test sentences for training: determined by a seed, varied, and never held-out sentences."""

import gettext
import struct
from pathlib import Path

import pytest

pytest.importorskip("pymorphy3", reason="training dependencies are not installed (see `make train-setup`)")

from glas.training.texts.lexicon import Lexicon
from glas.training.texts.packages import read_sentences
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


@pytest.mark.parametrize("order", ["<", ">"])
def test_translations_are_read_by_their_published_format(tmp_path: Path, order: str) -> None:
    """Catalogues in both byte orders and any charset are read; Python's gettext finds equal texts."""
    messages = {
        "": "Content-Type: text/plain; charset=KOI8-R\nPlural-Forms: nplurals=2; plural=n!=1;\n",
        "a wolf\0wolves": "Волк воет в лесу.\0Волки воют в лесу.",
        "home": "Пора домой.",
    }
    folder = tmp_path / "ru"
    folder.mkdir()
    (folder / "game.mo").write_bytes(compiled(messages, order))
    assert sorted(read_sentences(tmp_path)) == ["Волк воет в лесу.", "Волки воют в лесу.", "Пора домой."]
    with (folder / "game.mo").open("rb") as file:
        catalogue = gettext.GNUTranslations(file)
    assert catalogue.gettext("home") == "Пора домой."
    assert catalogue.ngettext("a wolf", "wolves", 5) == "Волки воют в лесу."


def compiled(messages: dict[str, str], order: str) -> bytes:
    """Make a catalogue as msgfmt writes it: header, two tables of lengths and offsets, texts."""
    texts = [text.encode("koi8-r") for pair in (messages.keys(), messages.values()) for text in pair]
    tables, place = b"", 28 + 8 * len(texts)
    for text in texts:
        tables += struct.pack(f"{order}2I", len(text), place)
        place += len(text) + 1
    header = struct.pack(f"{order}7I", 0x950412DE, 0, len(messages), 28, 28 + 8 * len(messages), 0, 0)
    return header + tables + b"".join(text + b"\0" for text in texts)
