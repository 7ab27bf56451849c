"""What a model directory must hold, family by family, and which files of it are to be loaded.

A file name may contain `?` and `*`, as in `pathlib.Path.glob`. The names are those that onnx-asr 0.12 looks for.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from glas.domain.errors import ModelFileMissingError, ModelLoadError

Precision = Literal["int8", "fp32"]

CONFIG = "config.json"


@dataclass(frozen=True)
class Layout:
    """The files of one family of models.

    Attributes:
        kind: name under which onnx-asr knows the family.
        networks: ONNX files as they are called in fp32; the int8 ones have `.int8` before the ending.
        texts: vocabulary and configuration, all of them needed.
        optional: taken along where they exist.
        version: what `version` in `config.json` must say; without it onnx-asr silently computes features of GigaAM v2.
    """

    kind: str
    networks: tuple[str, ...]
    texts: tuple[str, ...]
    optional: tuple[str, ...] = ()
    version: str | None = None

    def networks_in(self, precision: Precision) -> tuple[str, ...]:
        """Names of the ONNX files in the given precision."""
        if precision == "fp32":
            return self.networks
        return tuple(name.removesuffix(".onnx") + ".int8.onnx" for name in self.networks)

    def files(self, precision: Precision) -> tuple[str, ...]:
        """All files without which the model cannot be loaded."""
        return (*self.networks_in(precision), *self.texts)

    def missing(self, directory: Path, precision: Precision) -> tuple[str, ...]:
        """Files of `files` that `directory` lacks; a link to nowhere counts as lacking."""
        return tuple(name for name in self.files(precision) if not any(p.is_file() for p in directory.glob(name)))


GIGAAM_V2_CTC = Layout("gigaam-v2-ctc", ("v2_ctc.onnx",), ("v2_vocab.txt",), (CONFIG,))
GIGAAM_V2_RNNT = Layout(
    "gigaam-v2-rnnt",
    tuple(f"v2_rnnt_{part}.onnx" for part in ("encoder", "decoder", "joint")),
    ("v2_vocab.txt",),
    (CONFIG,),
)
GIGAAM_V3_CTC = Layout("gigaam-v3-ctc", ("v3_ctc.onnx",), ("v3_vocab.txt", CONFIG), version="v3")
GIGAAM_V3_RNNT = Layout(
    "gigaam-v3-rnnt",
    tuple(f"v3_rnnt_{part}.onnx" for part in ("encoder", "decoder", "joint")),
    ("v3_vocab.txt", CONFIG),
    version="v3",
)
GIGAAM_V3_E2E_CTC = Layout("gigaam-v3-e2e-ctc", ("v3_e2e_ctc.onnx",), ("v3_e2e_ctc_vocab.txt", CONFIG), version="v3")
GIGAAM_V3_E2E_RNNT = Layout(
    "gigaam-v3-e2e-rnnt",
    tuple(f"v3_e2e_rnnt_{part}.onnx" for part in ("encoder", "decoder", "joint")),
    ("v3_e2e_rnnt_vocab.txt", CONFIG),
    version="v3",
)
NEMO_CTC = Layout("nemo-conformer-ctc", ("model.onnx",), ("vocab.txt", CONFIG))
NEMO_RNNT = Layout("nemo-conformer-rnnt", ("encoder-model.onnx", "decoder_joint-model.onnx"), ("vocab.txt", CONFIG))
NEMO_TDT = Layout("nemo-conformer-tdt", NEMO_RNNT.networks, NEMO_RNNT.texts)
VOSK = Layout("vosk", ("*/encoder.onnx", "*/decoder.onnx", "*/joiner.onnx"), ("*/tokens.txt",), (CONFIG,))
T_ONE = Layout("t-one-ctc", ("model.onnx",), (CONFIG,))

LAYOUTS = (
    GIGAAM_V2_CTC,
    GIGAAM_V2_RNNT,
    GIGAAM_V3_CTC,
    GIGAAM_V3_RNNT,
    GIGAAM_V3_E2E_CTC,
    GIGAAM_V3_E2E_RNNT,
    NEMO_CTC,
    NEMO_RNNT,
    NEMO_TDT,
    VOSK,
    T_ONE,
)


def layout_of(directory: Path) -> Layout:
    """Recognise the family of a directory that no catalogue knows.

    `config.json` decides where it names a `model_type`; else the names of the files do.

    Raises:
        ModelFileMissingError: there is no such directory, or no family has all its files in it.
        ModelLoadError: `config.json` is broken, or the files of several families lie together.
    """
    if not directory.is_dir():
        raise ModelFileMissingError(f"There is no model directory {directory}.")
    named = configuration(directory).get("model_type")
    for layout in LAYOUTS:
        if layout.kind == named:
            return layout
    fitting = [layout for layout in LAYOUTS if any(not layout.missing(directory, p) for p in ("int8", "fp32"))]
    # NeMo's families differ by `model_type` only, and T-one's files are a part of NeMo's: the first that fits is meant.
    fitting = [
        layout
        for layout in fitting
        if layout.networks not in [other.networks for other in fitting[: fitting.index(layout)]]
    ]
    if not fitting:
        raise ModelFileMissingError(
            f"{directory} holds no model of a known family. Expected, for example, {', '.join(NEMO_CTC.files('fp32'))} "
            f"or {', '.join(GIGAAM_V3_CTC.files('fp32'))} (or their .int8.onnx); got {_listing(directory)}."
        )
    if len(fitting) > 1:
        raise ModelLoadError(
            f"{directory} holds several models ({', '.join(layout.kind for layout in fitting)}). "
            "Expected the files of one: move them into a directory of their own."
        )
    return fitting[0]


def precision_of(directory: Path, layout: Layout, prefer: Precision) -> Precision:
    """Choose which variant of a model to load.

    Returns:
        `prefer` where all its files are there, else the other one.

    Raises:
        ModelFileMissingError: neither is complete; the message names the files that the nearer one lacks.
        ModelLoadError: the configuration says that this is another model.
    """
    other: Precision = "fp32" if prefer == "int8" else "int8"
    lacking = {precision: layout.missing(directory, precision) for precision in (prefer, other)}
    chosen = min(lacking, key=lambda precision: len(lacking[precision]))
    if lacking[chosen]:
        raise ModelFileMissingError(
            f"{directory} lacks {', '.join(lacking[chosen])}. "
            f"Expected for {layout.kind}: {', '.join(layout.files(chosen))}; got {_listing(directory)}."
        )
    if layout.version and (version := configuration(directory).get("version")) != layout.version:
        raise ModelLoadError(
            f'{directory / CONFIG}: expected "version": "{layout.version}" for {layout.kind}, got {version!r}.'
        )
    return chosen


def configuration(directory: Path) -> dict[str, object]:
    """Read `config.json`; empty where there is none.

    Raises:
        ModelLoadError: it is not a JSON object.
    """
    path = directory / CONFIG
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelLoadError(f"{path} is not JSON: {error}.") from error
    if not isinstance(content, dict):
        raise ModelLoadError(f"{path}: expected a JSON object, got {type(content).__name__}.")
    return content


def _listing(directory: Path) -> str:
    if not directory.is_dir():
        return "no such directory"
    return ", ".join(sorted(path.name for path in directory.iterdir())[:12]) or "an empty directory"
