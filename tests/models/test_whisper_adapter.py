"""Adapters: written and read completely, merged to equal bits on each machine, refused for other weights."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glas.domain.errors import ModelError, ModelFileMissingError, ModelLoadError
from glas.engines.safetensors import Array, read_tensors, write_tensors
from glas.engines.whisper.adapter import Adapter, Factors, digest, merge, read_adapter, write_adapter
from glas.engines.whisper.arrays import load_arrays
from tests.models.random_whisper import WIDTH, save_random

RANK = 4
MERGED_SHA256 = "433ba9b161d91394d57fcf91e1862b5ef5451a31fb5255dfb6238bb4bf1259b2"
QUERIES = "encoder.layers.0.self_attn.q_proj"


def factors(seed: int, inputs: int = WIDTH, outputs: int = WIDTH, rank: int = RANK) -> Factors:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0, 0.1, (rank, inputs)), rng.normal(0, 0.1, (outputs, rank))
    return Factors(a.astype(np.float16), b.astype(np.float16))


@pytest.fixture(scope="module")
def arrays(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Array]:
    return load_arrays(save_random(tmp_path_factory.mktemp("whisper") / "random"))


@pytest.fixture
def adapter(arrays: dict[str, Array]) -> Adapter:
    return Adapter(
        factors={QUERIES: factors(1), "encoder.layers.1.fc1": factors(2, WIDTH, 48)},
        rank=RANK,
        alpha=8.0,
        base="openai/whisper-random",
        base_digest=digest(arrays),
        facts={"trained_s": 900},
    )


def same(one: Adapter, other: Adapter) -> bool:
    return one.factors.keys() == other.factors.keys() and all(
        np.array_equal(one.factors[name].a, pair.a) and np.array_equal(one.factors[name].b, pair.b)
        for name, pair in other.factors.items()
    )


def test_an_adapter_is_read_as_it_was_written_and_written_to_the_same_bytes(adapter: Adapter, tmp_path: Path) -> None:
    write_adapter(tmp_path / "adapter", adapter)
    read = read_adapter(tmp_path / "adapter")
    assert same(read, adapter)
    assert (read.rank, read.alpha, read.base, read.base_digest) == (RANK, 8.0, adapter.base, adapter.base_digest)
    assert read.facts["trained_s"] == 900
    before = {path.name: path.read_bytes() for path in (tmp_path / "adapter").iterdir()}
    assert before.keys() == {"adapter_config.json", "adapter_model.safetensors"}
    backwards = replace(adapter, factors=dict(reversed(adapter.factors.items())))
    write_adapter(tmp_path / "adapter", backwards)
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "adapter").iterdir()}
    stored = read_tensors(tmp_path / "adapter" / "adapter_model.safetensors")
    assert stored[f"base_model.model.model.{QUERIES}.lora_A.weight"].dtype == np.float16


def test_merging_adds_the_product(arrays: dict[str, Array], adapter: Adapter) -> None:
    for share in (1.0, 0.3):
        merged = merge(arrays, adapter, share)
        assert merged.keys() == arrays.keys()
        for name, (a, b) in adapter.factors.items():
            change = share * 8.0 / RANK * (b.astype(np.float64) @ a.astype(np.float64))
            assert np.allclose(merged[f"{name}.weight"], arrays[f"{name}.weight"] + change, rtol=0, atol=1e-7)
            assert not np.allclose(merged[f"{name}.weight"], arrays[f"{name}.weight"], atol=1e-3)
            assert merged[f"{name}.weight"].dtype == np.float32
        changed = {name.removesuffix(".weight") for name in arrays if merged[name] is not arrays[name]}
        assert changed == adapter.factors.keys()


def test_merging_gives_the_same_bits_on_every_machine() -> None:
    """The digest was computed once, from numbers of a generator that is the same in all versions."""
    rng = np.random.default_rng(7)
    matrix = rng.integers(-4096, 4096, (96, 64)).astype(np.float32) / 8192
    # So far apart that the order of the sum tells in its last bits.
    a, b = (
        np.ldexp(rng.integers(-2048, 2048, shape), rng.integers(-20, -10, shape)).astype(np.float16)
        for shape in ((32, 64), (96, 32))
    )
    change = Adapter({"layer": Factors(a, b)}, rank=32, alpha=64.0, base="")
    merged = merge({"layer.weight": matrix}, change, share=0.3)["layer.weight"]
    assert hashlib.sha256(merged.astype("<f4").tobytes()).hexdigest() == MERGED_SHA256


def test_a_digest_does_not_depend_on_the_precision_or_the_order(arrays: dict[str, Array]) -> None:
    halves = {name: arrays[name].astype(np.float16) for name in reversed(arrays)}
    assert digest(halves) == digest(arrays)
    changed = arrays | {f"{QUERIES}.bias": arrays[f"{QUERIES}.bias"] + 1}
    assert digest(changed) != digest(arrays)


def test_an_adapter_of_other_weights_is_refused(arrays: dict[str, Array], adapter: Adapter) -> None:
    other = arrays | {"encoder.conv1.bias": arrays["encoder.conv1.bias"] + 1}
    with pytest.raises(ModelLoadError, match="belongs to other weights: expected those of openai/whisper-random"):
        merge(other, adapter)
    unknown = replace(adapter, factors={"encoder.layers.7.fc1": factors(1)})
    with pytest.raises(ModelLoadError, match=r"changes encoder\.layers\.7\.fc1: .* got none"):
        merge(arrays, unknown)
    wide = replace(adapter, factors={QUERIES: factors(1, inputs=64)})
    with pytest.raises(ModelLoadError, match=r"shape \(32, 64\) there, got \(32, 32\)"):
        merge(arrays, wide)


def says(**entries: Any) -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        path = directory / "adapter_config.json"
        path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | entries), encoding="utf-8")

    return change


def with_tensors(change: Callable[[dict[str, Array]], None]) -> Callable[[Path], None]:
    def rewrite(directory: Path) -> None:
        path = directory / "adapter_model.safetensors"
        tensors = {name: np.array(tensor) for name, tensor in read_tensors(path).items()}
        change(tensors)
        write_tensors(path, tensors)

    return rewrite


KEY = f"base_model.model.model.{QUERIES}.lora_A.weight"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (says(peft_type="IA3"), ModelLoadError, 'expected "peft_type": "LORA", got \'IA3\''),
        (says(use_dora=True), ModelLoadError, "expected plain LoRA, got use_dora: True"),
        (says(r=8), ModelLoadError, "expected factors of rank 8"),
        (says(r="four"), ModelLoadError, "expected numbers for r and lora_alpha, got 'four'"),
        (with_tensors(lambda tensors: tensors.__delitem__(KEY)), ModelLoadError, "lora_A and lora_B"),
        (with_tensors(lambda tensors: tensors[KEY].__setitem__(0, np.inf)), ModelLoadError, "NaN or infinity"),
        (with_tensors(lambda tensors: tensors.update(more=tensors[KEY])), ModelLoadError, "got more"),
        (with_tensors(lambda tensors: tensors.clear()), ModelLoadError, "changes a matrix, got none"),
        (lambda place: os.truncate(place / "adapter_model.safetensors", 900), ModelLoadError, "damaged"),
        (lambda place: (place / "adapter_model.safetensors").unlink(), ModelFileMissingError, "adapter_model"),
        (lambda place: (place / "adapter_config.json").unlink(), ModelFileMissingError, "PEFT's layout"),
    ],
)
def test_what_is_no_adapter_is_told(
    adapter: Adapter, tmp_path: Path, change: Callable[[Path], None], error: type[Exception], message: str
) -> None:
    write_adapter(tmp_path / "adapter", adapter)
    change(tmp_path / "adapter")
    with pytest.raises(error, match=message):
        read_adapter(tmp_path / "adapter")


def test_factors_that_do_not_fit_are_not_written(adapter: Adapter, tmp_path: Path) -> None:
    name, (a, b) = next(iter(adapter.factors.items()))
    wrong = adapter.factors | {name: Factors(a[:-1], b)}
    with pytest.raises(ModelLoadError, match=f"expected factors of one rank for {name}"):
        write_adapter(tmp_path / "adapter", replace(adapter, factors=wrong))
    assert not list(tmp_path.iterdir())


def test_a_type_that_safetensors_has_not_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"expected x to be one of .* got complex128"):
        write_tensors(tmp_path / "file", {"x": np.zeros(2, np.complex128)})
