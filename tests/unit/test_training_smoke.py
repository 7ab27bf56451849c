"""The whole way in miniature: speak, train a few steps, resume, export, and let onnx-asr load the result."""

import hashlib
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (see `make train-setup`)")
pytest.importorskip("espeakng_loader", reason="training dependencies are not installed (see `make train-setup`)")
pytest.importorskip("pymorphy3", reason="training dependencies are not installed (see `make train-setup`)")
onnx_asr = pytest.importorskip("onnx_asr", reason="recognition dependencies are not installed")

from glas.training.network.alignment import align
from glas.training.network.export import export, fold_narrowing
from glas.training.network.model import Network, Shape, output_lengths
from glas.training.network.train import Knobs, load_network, train
from glas.training.texts.lexicon import Lexicon
from glas.training.texts.sentences import TextSource
from glas.training.voices.espeak import HELD_OUT_VARIANTS, Espeak, variants
from glas.training.voices.synthesise import Speaker, write_training_shard
from glas.training.voices.voxforge import BandMap

SMALL = Shape(stem_width=16, width=16, kernels=(3, 3))
CASES = ("nomn", "gent", "datv", "accs", "ablt", "loct")
NOUNS = {f"noun {case} {kind}": ["дом"] for case in CASES for kind in ("masc sing", "femn sing", "neut sing", "x plur")}
VERBS = {"inf": ["петь"], "adv": ["быстро"], "verb3 sing": ["поёт"], "past masc sing": ["искал"]}
LEXICON = Lexicon({**NOUNS, **VERBS}, ["дом", "ёж", "весна"], ["кипрей"])


@pytest.fixture(scope="module")
def espeak() -> Espeak:
    return Espeak()


def digest(seed: int) -> str:
    speaker = Speaker(Espeak(), TextSource(LEXICON, seed), seed, None)
    return hashlib.sha256(b"".join(speaker.utterance()[2].tobytes() for _ in range(4))).hexdigest()


@pytest.mark.slow
def test_a_seed_decides_every_byte() -> None:
    # In fresh processes, because espeak-ng keeps state between utterances.
    with get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        first, second, other = pool.map(digest, [11, 11, 12], chunksize=1)
    assert first == second != other


def test_held_out_voices_exist_and_are_not_trained_on(espeak: Espeak) -> None:
    assert set(HELD_OUT_VARIANTS) <= set(variants())
    speaker = Speaker(espeak, TextSource(LEXICON, 1), 1, None)
    # Drawn, not spoken: espeak-ng dies of some manners, and a crash takes the worker with it.
    assert not {speaker.manner(espeak.voices).variant for _ in range(200)} & set(HELD_OUT_VARIANTS)


@pytest.mark.slow
def test_speak_train_resume_export_load(espeak: Espeak, tmp_path: Path) -> None:
    write_training_shard(tmp_path / "shards", "synthetic-00000", Speaker(espeak, TextSource(LEXICON, 0), 0, None), 20)
    weights, zeros, ones, narrow = (
        x.astype(np.float32) for x in (np.zeros((106, 80)), np.zeros(80), np.ones(80), np.eye(80))
    )
    BandMap(weights, zeros, ones, narrow).save(tmp_path / "map.npz")
    run = tmp_path / "run"
    train(tmp_path, run, Knobs(minutes=0.02, batch_seconds=10, shape=SMALL))
    _, before = load_network(run / "checkpoint.pt")
    train(tmp_path, run, Knobs(minutes=0.04, batch_seconds=10, shape=SMALL))
    _, after = load_network(run / "checkpoint.pt")
    assert after.step > before.step > 0
    export(run / "checkpoint.pt", tmp_path / "model", tmp_path / "map.npz", narrowing=0.5)
    model = onnx_asr.load_model("nemo-conformer-ctc", tmp_path / "model", quantization="int8")
    assert isinstance(model.recognize(np.zeros(16_000, np.float32), sample_rate=16_000), str)


def test_padding_does_not_change_the_outputs() -> None:
    torch.manual_seed(0)
    network = Network(SMALL).eval()
    short, long = torch.randn(1, 80, 83), torch.randn(1, 80, 200)
    both = torch.zeros(2, 80, 200)
    both[0, :, :83], both[1] = short[0], long[0]
    lengths = torch.tensor([83, 200])
    with torch.inference_mode():
        alone, _ = network(short, lengths[:1])
        together, _ = network(both, lengths)
    count = int(output_lengths(SMALL, lengths)[0])
    assert alone.shape[1] >= count
    torch.testing.assert_close(together[0, :count], alone[0, :count], atol=1e-5, rtol=1e-4)


def test_narrowing_folded_into_the_weights_equals_narrowed_features() -> None:
    torch.manual_seed(0)
    network, features, lengths = Network(SMALL).eval(), torch.randn(1, 80, 90), torch.tensor([90])
    narrow = np.random.default_rng(0).standard_normal((80, 80)).astype(np.float32) * 0.1
    narrowed = 0.7 * features + 0.3 * torch.einsum("bit,ij->bjt", features, torch.from_numpy(narrow))
    with torch.inference_mode():
        expected, _ = network(narrowed, lengths)
    fold_narrowing(network, narrow, 0.3)
    with torch.inference_mode():
        torch.testing.assert_close(network(features, lengths)[0], expected, atol=1e-4, rtol=1e-3)


def test_alignment_finds_where_symbols_begin() -> None:
    probabilities = np.full((8, 34), 0.001, np.float32)
    for t, symbol in enumerate([33, 5, 5, 33, 0, 33, 7, 33]):
        probabilities[t, symbol] = 0.95
    starts, score = align(np.log(probabilities), [5, 0, 7])
    assert starts == [1, 4, 6]
    assert score > -0.1
