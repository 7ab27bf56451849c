"""Test that the festvox recordings are read, and that the held-out sentences are never used for training."""

from pathlib import Path

import pytest

from glas.domain.errors import ConfigurationError

pytest.importorskip("pymorphy3", reason="training dependencies are not installed (see `make train-setup`)")

from glas.training.voices.festvox import held_out_readings, read_festvox

SENTENCES = [
    "Она завела прядь вол+ос за ухо, подняла с тротуара корзинку.",
    "Со спокойным мужеством он ожидал всего в этом безумном городе.",
    "Дверь, почему-то, была открыта настежь.",
    "Через полчаса поезд подошёл к станции, и все вышли.",
    "Ветер с моря принёс запах соли и мокрых досок.",
    "Никто не заметил, как погас последний фонарь.",
]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Make files as in Debian's unpacked package."""
    voice = tmp_path / "unpacked" / "usr" / "share" / "festival" / "voices" / "russian" / "msu_ru_nsh_clunits"
    (voice / "etc").mkdir(parents=True)
    lines = [f'( ru_{number:04d} "{sentence}" )\n' for number, sentence in enumerate(SENTENCES)]
    (voice / "etc" / "txt.done.data").write_text("".join(lines), encoding="utf-8")
    return tmp_path / "unpacked"


def test_transcripts_lose_their_stress_marks_and_find_their_recordings(package: Path) -> None:
    readings = read_festvox(package)
    assert readings[0].text == "она завела прядь волос за ухо подняла с тротуара корзинку"
    assert [reading.audio.name for reading in readings] == [f"ru_{number:04d}.wav" for number in range(6)]


def test_half_of_the_sentences_is_held_out(package: Path) -> None:
    held_out = {reading.text for reading in held_out_readings(package)}
    assert 0 < len(held_out) < len(read_festvox(package))


def test_another_folder_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"festvox-ru with one etc/txt\.done\.data .* got 0"):
        read_festvox(tmp_path)
