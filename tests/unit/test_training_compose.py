"""Words that nobody read, from pieces of what was read; and that all shards are heard from the start."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed (see `make train-setup`)")
pytest.importorskip("pymorphy3", reason="training dependencies are not installed (see `make train-setup`)")
pytest.importorskip("onnx_asr", reason="recognition dependencies are not installed")

from glas.training.network import compose as composing
from glas.training.network.alignment import Aligned
from glas.training.network.batches import Source
from glas.training.network.compose import LETTERS_OF_A_VOICE, select, voices
from glas.training.sound.shards import write_shard

FRAMES_PER_LETTER = 8
LETTERS = sorted(set(" домкрат"))


def spoken(text: str, reader: str) -> Aligned:
    """An utterance whose every frame shows, in its first band, which letter it is."""
    rows = [np.full((FRAMES_PER_LETTER, 80), 20 + 20 * LETTERS.index(letter), np.uint8) for letter in text]
    middles = np.arange(len(text)) * FRAMES_PER_LETTER + FRAMES_PER_LETTER // 2
    return Aligned(text, reader, np.concatenate(rows), middles)


def test_a_new_word_is_made_of_pieces_that_say_its_letters_in_order() -> None:
    made = voices([spoken("дом рот", "a"), spoken("крот так", "a"), spoken("март", "b")])
    units, price = select(np.random.default_rng(0), made[0], " драка ")
    assert price < np.inf
    said = ""
    for unit in units:
        one = made[0].recordings[unit.recording]
        inside = [k for k, frame in enumerate(one.frames) if unit.start <= frame < unit.stop]
        piece = "".join(one.text[k] for k in inside)
        said += piece[1:] if said and said[-1] == piece[0] else piece
    assert said == " драка "


def test_what_was_read_as_a_whole_is_one_piece() -> None:
    made = voices([spoken("дом рот", "a"), spoken("март", "b")])
    units, price = select(np.random.default_rng(0), made[0], " дом рот ")
    assert len(units) == 1
    assert price == 0
    assert len(made[0].letters) < LETTERS_OF_A_VOICE


def test_a_letter_that_nobody_said_makes_the_text_impossible() -> None:
    made = voices([spoken("дом", "a"), spoken("март", "b")])
    assert select(np.random.default_rng(0), made[0], " щит ") == ([], np.inf)


def test_every_shard_is_heard_from_the_start(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        rows = [(f"{name}", name, np.zeros((2, 80), np.uint8)) for _ in range(100)]
        write_shard(tmp_path, f"speech-{name}", rows)
    source = Source(tmp_path, "speech", np.random.default_rng(0))
    drawn = [text for _, text in source.draw(60)]
    assert min(drawn.count(name) for name in ("one", "two", "three")) >= 8


def test_where_no_reader_is_aligned_nothing_is_composed_and_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(composing, "align_shard", lambda *_: [])
    composing.compose(tmp_path, tmp_path / "checkpoint.pt", [], 10, [1])
    assert "not yet good enough" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
