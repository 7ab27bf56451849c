"""Adapters: small changes of a model's weights by low-rank factors (LoRA) for some matrices, in PEFT's file format.

adapter_config.json           rank, alpha, names of the matrices, name of the model; and entries that only Glas reads
adapter_model.safetensors     float16 factors: `base_model.model.model.<matrix>.lora_A.weight`, shape (rank, inputs),
                              and `….lora_B.weight`, shape (outputs, rank)

The changed matrix is `W + alpha / rank * B @ A` (Hu et al., "LoRA", 2021, section 4.1). PEFT can read the files that
this module writes. This module can read PEFT's files if they use only the features that are described here.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from glas.domain.errors import ModelFileMissingError, ModelLoadError
from glas.engines.folders import written_whole
from glas.engines.json_file import read_json
from glas.engines.safetensors import Array, read_tensors, write_tensors

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
BASE_DIGEST = "base_weights_sha256"

_KEY = re.compile(r"base_model\.model\.(?:model\.)?(.+)\.lora_([AB])\.weight")
_SAME_QUOTIENT = 1e-9
_NUMBERS_AT_ONCE = 32_768  # of a product; 256 KB, which stay in the cache of a processor's core
# Features of PEFT beyond plain LoRA, with the values of its configuration that mean that the feature is not used.
_PLAIN: dict[str, tuple[Any, ...]] = {
    "use_dora": (False, None),
    "use_rslora": (False, None),
    "fan_in_fan_out": (False, None),
    "bias": ("none", None),
    "modules_to_save": (None, []),
}


class Factors(NamedTuple):
    """The change of one matrix: `a` of shape (rank, inputs), `b` of shape (outputs, rank)."""

    a: Array
    b: Array


@dataclass(frozen=True, slots=True)
class Adapter:
    """Low-rank changes of a model's matrices.

    Attributes:
        factors: the change of each matrix. The keys are the names of the matrices without `.weight`, such as
            `encoder.layers.0.self_attn.q_proj`.
        rank: usual rank of the factors (number of columns of `b`); the factors of some matrices may have another rank.
        alpha: every change is multiplied by `alpha / rank`.
        base: name of the base model, such as `openai/whisper-base`.
        base_digest: `digest` of the base model's weights; empty if the adapter does not contain it.
        facts: other entries of `adapter_config.json`.
    """

    factors: dict[str, Factors]
    rank: int
    alpha: float
    base: str
    base_digest: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def digest(arrays: Mapping[str, Array]) -> str:
    """Compute the sha256 of weights: of their names, shapes and numbers, sorted by name.

    Numbers are rounded to float16, because OpenAI published the weights in float16. So copies in float16 and float32
    have the same digest.
    """
    whole = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        whole.update(f"{name} {array.shape}\n".encode())
        whole.update(np.ascontiguousarray(array, "<f2").tobytes())
    return whole.hexdigest()


def write_adapter(directory: Path, adapter: Adapter) -> None:
    """Write an adapter in float16, in place of an older adapter; the same adapter always gives the same bytes.

    Raises:
        ModelLoadError: the shapes of the two factors of a matrix do not fit each other.
    """
    _check(str(directory), adapter)
    tensors = {
        f"base_model.model.model.{name}.lora_{letter}.weight": factor.astype(np.float16)
        for name, factors in adapter.factors.items()
        for letter, factor in (("A", factors.a), ("B", factors.b))
    }
    ranks = {name: len(pair.a) for name, pair in sorted(adapter.factors.items()) if len(pair.a) != adapter.rank}
    config = adapter.facts | {
        "peft_type": "LORA",
        "task_type": None,
        "base_model_name_or_path": adapter.base,
        "r": adapter.rank,
        "lora_alpha": adapter.alpha,
        "rank_pattern": ranks,
        # PEFT scales each change by alpha / rank. A matrix of another rank needs another alpha for the same scale.
        "alpha_pattern": {name: adapter.alpha * rank / adapter.rank for name, rank in ranks.items()},
        "lora_dropout": 0.0,
        "bias": "none",
        "inference_mode": True,
        # PEFT reads this text as a regular expression. A list of endings of names would also mean matrices of the
        # decoder.
        "target_modules": rf"(model\.)?({'|'.join(re.escape(name) for name in sorted(adapter.factors))})",
        BASE_DIGEST: adapter.base_digest,
    }
    with written_whole(directory) as part:
        text = json.dumps(config, indent=2, sort_keys=True, ensure_ascii=False)
        (part / ADAPTER_CONFIG).write_text(text + "\n", encoding="utf-8")
        write_tensors(part / ADAPTER_WEIGHTS, tensors, {"format": "pt"})


def read_adapter(directory: Path) -> Adapter:
    """Read an adapter that `write_adapter` or PEFT wrote.

    Raises:
        ModelFileMissingError: a file is missing.
        ModelLoadError: the adapter is not a plain LoRA, or its files are damaged or do not belong together.
    """
    place = directory / ADAPTER_CONFIG
    if not place.is_file():
        raise ModelFileMissingError(f"There is no file {place}; expected an adapter in PEFT's layout.")
    config = read_json(place)
    if config.get("peft_type") != "LORA":
        raise ModelLoadError(f'{place}: expected "peft_type": "LORA", got {config.get("peft_type")!r}.')
    for name, plain in _PLAIN.items():
        if config.get(name) not in plain:
            raise ModelLoadError(f"{place}: expected plain LoRA, got {name}: {config[name]!r}.")
    rank, alpha = config.get("r"), config.get("lora_alpha")
    if not isinstance(rank, int) or rank < 1 or not isinstance(alpha, int | float):
        raise ModelLoadError(f"{place}: expected numbers for r and lora_alpha, got {rank!r} and {alpha!r}.")
    adapter = Adapter(
        factors=_factors(directory / ADAPTER_WEIGHTS),
        rank=rank,
        alpha=float(alpha),
        base=str(config.get("base_model_name_or_path") or ""),
        base_digest=str(config.get(BASE_DIGEST) or ""),
        facts=config,
    )
    _check(str(directory), adapter)
    _check_patterns(str(place), adapter, config.get("rank_pattern") or {}, config.get("alpha_pattern") or {})
    return adapter


def merge(arrays: Mapping[str, Array], adapter: Adapter, share: float = 1.0) -> dict[str, Array]:
    """Apply an adapter to weights; the bits of the result are the same on every machine.

    The product is summed in float64, column by column, with elementwise operations only. IEEE 754 defines how the
    results of these operations are rounded. A library's matrix product is not used, because its result depends on the
    processor.

    Args:
        arrays: float32 weights of the base model; see `glas.engines.whisper.arrays`. These arrays are not changed.
        adapter: the low-rank changes that are added to the weights.
        share: the part of the changes that is applied, 0..1.

    Returns:
        All weights in float32. For weights that the adapter does not change, these are the array objects of `arrays`.

    Raises:
        ModelLoadError: the adapter belongs to other weights.
    """
    if adapter.base_digest and (found := digest(arrays)) != adapter.base_digest:
        raise ModelLoadError(
            f"The adapter belongs to other weights: expected those of {adapter.base or 'its base'} with digest "
            f"{adapter.base_digest}, got {found}."
        )
    merged = dict(arrays)
    for name, factors in adapter.factors.items():
        matrix = arrays.get(f"{name}.weight")
        shape = (len(factors.b), factors.a.shape[1])
        if matrix is None or matrix.shape != shape:
            raise ModelLoadError(
                f"The adapter changes {name}: expected a matrix of shape {shape} there, "
                f"got {'none' if matrix is None else matrix.shape}."
            )
        change = _product(factors)
        change *= share * adapter.alpha / adapter.rank
        merged[f"{name}.weight"] = (matrix + change).astype(np.float32)
    return merged


def _product(factors: Factors) -> npt.NDArray[np.float64]:
    """Multiply B by A in float64, as `merge` describes it.

    A few rows are computed at a time, because their numbers stay in the processor's cache.
    """
    a, b = factors.a.astype(np.float64), factors.b.astype(np.float64)
    found = np.zeros((len(b), a.shape[1]), np.float64)
    n_rows = max(1, _NUMBERS_AT_ONCE // a.shape[1])
    product = np.empty((n_rows, a.shape[1]), np.float64)
    for first in range(0, len(b), n_rows):
        part = found[first : first + n_rows]
        for column, row in zip(b[first : first + n_rows].T, a, strict=True):
            part += np.multiply(column[:, None], row, out=product[: len(part)])
    return found


def _factors(path: Path) -> dict[str, Factors]:
    found: dict[str, dict[str, Array]] = {}
    for key, tensor in read_tensors(path).items():
        match = _KEY.fullmatch(key)
        if match is None:
            raise ModelLoadError(f"{path}: expected names like …q_proj.lora_A.weight, got {key}.")
        found.setdefault(match[1], {})[match[2]] = tensor
    if lonely := [name for name, pair in found.items() if len(pair) < len("AB")]:
        raise ModelLoadError(f"{path}: expected lora_A and lora_B for every matrix; one is missing of {lonely[0]}.")
    return {name: Factors(pair["A"], pair["B"]) for name, pair in sorted(found.items())}


def _check(place: str, adapter: Adapter) -> None:
    if not adapter.factors:
        raise ModelLoadError(f"{place}: expected an adapter that changes a matrix, got none.")
    for name, (a, b) in adapter.factors.items():
        if a.ndim != 2 or b.ndim != 2 or len(a) != b.shape[1]:  # noqa: PLR2004
            raise ModelLoadError(
                f"{place}: expected factors of one rank for {name}, got shapes {a.shape} and {b.shape}."
            )
        if not (np.isfinite(a).all() and np.isfinite(b).all()):
            raise ModelLoadError(f"{place}: expected finite factors for {name}, got NaN or infinity.")


def _check_patterns(place: str, adapter: Adapter, ranks: Mapping[str, int], alphas: Mapping[str, float]) -> None:
    for name, pair in adapter.factors.items():
        if len(pair.a) != ranks.get(name, adapter.rank):
            raise ModelLoadError(
                f"{place}: expected factors of rank {ranks.get(name, adapter.rank)} for {name}, got {len(pair.a)}."
            )
        quotient = alphas.get(name, adapter.alpha) / len(pair.a)
        if abs(quotient - adapter.alpha / adapter.rank) > _SAME_QUOTIENT:
            raise ModelLoadError(f"{place}: expected one quotient of alpha and rank for all matrices, not of {name}.")
