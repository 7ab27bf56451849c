"""With the Russian vocabulary, the official weights write the same Russian texts and the same Latin names as before.

The recordings in `latin_names.ogg` are synthetic; see `latin_names.py`. `make test` recognises twenty of the fifty,
`make whole` all.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from glas.domain.decoding import PLAIN
from glas.engines.checksums import FILE as CHECKSUMS
from glas.engines.whisper.arrays import load_arrays
from glas.engines.whisper.build import build_model
from glas.engines.whisper.context import ContextRule, context_rule
from glas.engines.whisper.convert import write_model
from glas.engines.whisper.mel import filled, log_mel
from glas.engines.whisper.model import read_model
from glas.engines.whisper.network import Network
from glas.engines.whisper.vocabulary import load_tokenizer
from glas.training.release import ADAPTER, SETTINGS
from tests.conftest import ROOT
from tests.models.latin_names import RECORDING, SLOT_SAMPLES, SPOKEN

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

RUSSIAN = ROOT / "models" / "whisper-base-ru"
FLOAT16_SHA256 = "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"
# Shorter than these weights are served with, which halves the work; both networks write from the same encoded sound.
CONTEXT = ContextRule(3.0)
BATCH = 10  # recordings at once, which costs less than one after the other
N_RECORDINGS = len(SPOKEN) if "WHOLE_SETS" in os.environ else 20
MOST_BYTES, MOST_BYTES_OF_ALL = 54_500_000, 66_000_000


@pytest.fixture(scope="module")
def russian() -> Tokenizer:
    return load_tokenizer(RUSSIAN)


@pytest.fixture(scope="module")
def reduced(whisper_base: Path, russian: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The official weights with the Russian vocabulary, without an adapter."""
    target = tmp_path_factory.mktemp("built") / "base-ru"
    build_model(whisper_base, target, tokenizer=russian)
    return target


def network(directory: Path) -> Network:
    return Network(directory, device="cpu", precision="int8", threads=1, workers=1)


def test_official_weights_are_read_and_written_to_the_bit(whisper_base: Path, tmp_path: Path) -> None:
    write_model(read_model(whisper_base), tmp_path, "float16")
    before, after = load_arrays(whisper_base), load_arrays(tmp_path)
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert hashlib.sha256((tmp_path / "model.bin").read_bytes()).hexdigest() == FLOAT16_SHA256


def test_the_released_model_is_made_again_to_the_byte(whisper_base: Path, russian: Tokenizer, tmp_path: Path) -> None:
    build_model(whisper_base, tmp_path / "again", adapter=RUSSIAN / ADAPTER, tokenizer=russian, settings=SETTINGS)
    lines = (RUSSIAN / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    released = {name: digest for digest, name in map(str.split, lines)}
    for name in ("model.bin", "config.json", "vocabulary.json", "tokenizer.json"):
        assert hashlib.sha256((tmp_path / "again" / name).read_bytes()).hexdigest() == released[name], name
    assert (RUSSIAN / "model.bin").stat().st_size <= MOST_BYTES


def test_what_lies_in_the_repository_is_what_its_checksums_say_and_no_larger_than_it_may_be() -> None:
    lines = (RUSSIAN / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    for line in lines:
        digest, name = line.split()
        assert hashlib.sha256((RUSSIAN / name).read_bytes()).hexdigest() == digest, name
    assert sum(path.stat().st_size for path in RUSSIAN.rglob("*") if path.is_file()) <= MOST_BYTES_OF_ALL


def test_stock_weights_of_this_size_need_no_whole_window(whisper_base: Path, reduced: Path) -> None:
    assert context_rule(whisper_base) == context_rule(reduced)
    assert context_rule(reduced).margin_s is not None


def test_russian_is_cut_as_by_the_whole_vocabulary(whisper_base: Path, russian: Tokenizer) -> None:
    whole = load_tokenizer(whisper_base)
    spoken = [text for _, text in SPOKEN]
    for text in (
        *spoken,
        *(text.upper() for text in spoken),
        "Въезд №3 — 45 % скидки, т. е. «ёж»…",
        "XIX век, iPhone 15 Pro, WhatsApp, Wi-Fi, e-mail: a@ya.ru",
    ):
        assert pieces(russian, text) == pieces(whole, text)
        assert pieces(russian, f" {text}") == pieces(whole, f" {text}")


def pieces(tokenizer: Tokenizer, text: str) -> list[str]:
    return list(tokenizer.encode(text, add_special_tokens=False).tokens)


def test_texts_with_latin_names_are_the_same(whisper_base: Path, reduced: Path) -> None:
    pairs = list(texts_of(network(whisper_base), network(reduced)))
    assert len(pairs) == N_RECORDINGS
    assert [small for _, small in pairs] == [whole for whole, _ in pairs]
    assert sum(any("A" <= letter <= "z" for letter in whole) for whole, _ in pairs) >= N_RECORDINGS // 2


def texts_of(whole: Network, small: Network) -> Iterator[tuple[str, str]]:
    """The texts of both models for each recording, ten at a time.

    They share the encoder's weights, so each is encoded once.
    """
    sound = np.concatenate(list(decode_blocks(RECORDING.read_bytes(), DecodeLimits())))
    slots = [sound[start : start + SLOT_SAMPLES] for start in range(0, N_RECORDINGS * SLOT_SAMPLES, SLOT_SAMPLES)]
    for first in range(0, len(slots), BATCH):
        heard = [log_mel(slot, whole.n_mels) for slot in slots[first : first + BATCH]]
        n_frames = CONTEXT.n_frames(max(features.shape[1] for features, _ in heard) & ~1, whole.n_frames)
        encoded = whole.encode([filled(features, silence, n_frames) for features, silence in heard])
        yield from zip(written(whole, encoded, len(heard)), written(small, encoded, len(heard)), strict=True)


def written(model: Network, encoded: object, count: int) -> list[str]:
    prompt = model.vocabulary.prompt(model.vocabulary.task("ru", "transcribe"), PLAIN)
    drafts = model.generate(encoded, [prompt] * count, most_tokens=60, temperature=0, beam_size=1, with_times=False)
    return [model.vocabulary.decode(best.tokens) for best, *_ in drafts]
