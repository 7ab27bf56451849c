"""The files of each family of models: which of them must exist, and which are loaded.

A file name may contain `?` and `*`, as in `pathlib.Path.glob`. The file names are those that onnx-asr 0.12 expects. For
Whisper, they are the names under which Hugging Face transformers saves a checkpoint.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from glas.domain.errors import ModelFileMissingError, ModelLoadError
from glas.engines.json_file import read_json

Precision = Literal["int8", "fp32"]

PRECISIONS: tuple[Precision, ...] = ("int8", "fp32")

CONFIG = "config.json"


@dataclass(frozen=True)
class Layout:
    """The files of one family of models.

    Attributes:
        kind: name of the family in the library onnx-asr, or `whisper`; Whisper models have a separate engine.
        networks: names of the files of weights in fp32. ONNX files also exist in int8, with `.int8` before the
            extension of the name; other files do not.
        texts: files with vocabulary and configuration; all these files are required.
        optional: files that are used if they exist.
        version: the `version` that `config.json` must contain, if any. This check is necessary for GigaAM v3: without
            the right `version` in `config.json`, onnx-asr would compute the features of GigaAM v2 and report no error.
        index: a JSON file whose `weight_map` names the files of the weights. If the layout has an index, this file is
            required.
        otherwise: another layout of the same weights, which is used if a directory or a repository does not have the
            files of this layout.
    """

    kind: str
    networks: tuple[str, ...]
    texts: tuple[str, ...]
    optional: tuple[str, ...] = ()
    version: str | None = None
    index: str | None = None
    otherwise: "Layout | None" = None

    def networks_in(self, precision: Precision) -> tuple[str, ...]:
        """Return the names of the files of weights in a precision."""
        if precision == "fp32":
            return self.networks
        return tuple(
            name.removesuffix(".onnx") + ".int8.onnx" if name.endswith(".onnx") else name for name in self.networks
        )

    def files(self, precision: Precision) -> tuple[str, ...]:
        """Return the names of all files without which the model cannot be loaded."""
        return (*self.networks_in(precision), *self.texts, *((self.index,) if self.index else ()))

    def missing(self, directory: Path, precision: Precision) -> tuple[str, ...]:
        """Return the required files that are missing in `directory`.

        The required files are those that `files` returns and those that the index names. A broken link counts as
        missing.
        """
        wanted = (*self.files(precision), *(spread_over(directory / self.index) if self.index else ()))
        return tuple(name for name in wanted if not any(p.is_file() for p in directory.glob(name)))

    def is_whole(self, directory: Path) -> bool:
        """Return whether a directory has all files of this layout, or of the layout in `otherwise`."""
        return self.share(directory) == 1 or (self.otherwise is not None and self.otherwise.is_whole(directory))

    def share(self, directory: Path) -> float:
        """Return the share (0..1) of the required files that exist, for the precision for which this share is larger.

        If the directory contains only a configuration, the share is 0.
        """
        present = [
            1 - len(lacking) / len(self.files(precision))
            for precision in PRECISIONS
            if not set(self.files(precision)) - {CONFIG} <= set(lacking := self.missing(directory, precision))
        ]
        return max(present, default=0.0)


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
# Without a configuration, onnx-asr treats a model of NeMo as a FastConformer: 80 bands, one frame of output for 80 ms.
NEMO_CTC = Layout("nemo-conformer-ctc", ("model.onnx",), ("vocab.txt",), (CONFIG,))
NEMO_RNNT = Layout("nemo-conformer-rnnt", ("encoder-model.onnx", "decoder_joint-model.onnx"), ("vocab.txt",), (CONFIG,))
NEMO_TDT = Layout("nemo-conformer-tdt", NEMO_RNNT.networks, ("vocab.txt", CONFIG))
VOSK = Layout("vosk", ("*/encoder.onnx", "*/decoder.onnx", "*/joiner.onnx"), ("*/tokens.txt",), (CONFIG,))
T_ONE = Layout("t-one-ctc", ("model.onnx",), (CONFIG,))
# Older tokenizers are saved as vocab.json and merges.txt. The card states how much padding the model needs.
_BESIDE_WHISPER = (
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "vocab.json",
    "merges.txt",
    "added_tokens.json",
    "README.md",
)
# The files in which transformers saves a checkpoint that is larger than a limit.
_WHISPER_IN_SHARDS = Layout(
    "whisper",
    ("model-?????-of-?????.safetensors",),
    (CONFIG,),
    _BESIDE_WHISPER,
    index="model.safetensors.index.json",
)
WHISPER = Layout("whisper", ("model.safetensors",), (CONFIG,), _BESIDE_WHISPER, otherwise=_WHISPER_IN_SHARDS)

# The files that CTranslate2 loads. If a directory has a checkpoint instead, the checkpoint is converted into these
# files.
WHISPER_CONVERTED = Layout(
    "whisper",
    ("model.bin",),
    (CONFIG, "tokenizer.json"),
    ("vocabulary.txt", "vocabulary.json", "preprocessor_config.json", "README.md"),
    otherwise=WHISPER,
)

# The families among which `layout_of` chooses if no `model_type` is stated.
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
    """Detect the family of a model in a directory.

    If `config.json` contains a `model_type`, this entry determines the family. Otherwise the names of the files
    determine the family. If no family is complete, the family with the largest share of existing files is returned, so
    that `precision_of` can name the missing files.

    Raises:
        ModelFileMissingError: there is no such directory, or none of its files belongs to a model.
        ModelLoadError: `config.json` is damaged, or the directory has the files of several families.
    """
    if not directory.is_dir():
        raise ModelFileMissingError(f"There is no model directory {directory}.")
    named = configuration(directory).get("model_type")
    for layout in LAYOUTS:
        if layout.kind == named:
            return layout
    fitting = _fitting(directory)
    if len(fitting) > 1:
        raise ModelLoadError(
            f"{directory} holds several models ({', '.join(layout.kind for layout in fitting)}). "
            "Expected the files of one model: move the files of each model into its own directory."
        )
    nearest = fitting[0] if fitting else max(LAYOUTS, key=lambda layout: layout.share(directory))
    if not nearest.share(directory):
        raise ModelFileMissingError(
            f"{directory} holds no model of a known family. Expected, for example, {', '.join(NEMO_TDT.files('fp32'))} "
            f"or {', '.join(GIGAAM_V3_CTC.files('fp32'))} (or their .int8.onnx); got {_listing(directory)}."
        )
    return nearest


def _fitting(directory: Path) -> list[Layout]:
    fitting: dict[tuple[str, ...], Layout] = {}
    for layout in LAYOUTS:
        if layout.share(directory) == 1:
            # Families with the same networks differ only by `model_type`. Without a `model_type`, the first of them is
            # assumed.
            fitting.setdefault(layout.networks, layout)
    return list(fitting.values())


def precision_of(directory: Path, layout: Layout, prefer: Precision) -> Precision:
    """Choose the precision in which a model is loaded.

    Returns:
        `prefer` if all files of this precision exist, otherwise the other precision.

    Raises:
        ModelFileMissingError: no precision is complete; the error message names the missing files of the more complete
            precision.
        ModelLoadError: the configuration belongs to another model.
    """
    lacking = {precision: layout.missing(directory, precision) for precision in PRECISIONS}
    chosen = min(PRECISIONS, key=lambda precision: (len(lacking[precision]), precision != prefer))
    if lacking[chosen]:
        nearest = dict.fromkeys(names for names in lacking.values() if len(names) == len(lacking[chosen]))
        raise ModelFileMissingError(
            f"{directory} lacks {' or '.join(', '.join(names) for names in nearest)}. "
            f"Expected for {layout.kind}: {', '.join(layout.files(chosen))}; got {_listing(directory)}."
        )
    if layout.version and (version := configuration(directory).get("version")) != layout.version:
        raise ModelLoadError(
            f'{directory / CONFIG}: expected "version": "{layout.version}" for {layout.kind}, got {version!r}.'
        )
    return chosen


def spread_over(index: Path) -> tuple[str, ...]:
    """Return the files that a safetensors index names; return an empty tuple if there is no index.

    Raises:
        ModelLoadError: the index is not a JSON object.
    """
    named = read_json(index).get("weight_map", {})
    return tuple(sorted({Path(str(name)).name for name in named.values()}))


def configuration(directory: Path) -> dict[str, object]:
    """Read `config.json`; return an empty object if there is none.

    Raises:
        ModelLoadError: the file does not contain a JSON object.
    """
    return read_json(directory / CONFIG)


def vocabulary_of(directory: Path, layout: Layout) -> tuple[str, ...]:
    """Read the tokens of a model that onnx-asr decodes; return an empty tuple if the model's files contain no tokens.

    The tokens are in a text file with one token and its number on each line. For models of the family T-one, they are
    in the file `config.json`.
    """
    match configuration(directory).get("decoder_params"):
        case {"vocabulary": [*tokens]}:
            return tuple(map(str, tokens))
    files = [path for name in layout.texts if name.endswith(".txt") for path in directory.glob(name)]
    lines = [line for path in files for line in path.read_text(encoding="utf-8").split("\n") if line]
    return tuple(line.rpartition(" ")[0] for line in lines)


def _listing(directory: Path) -> str:
    if not directory.is_dir():
        return "no such directory"
    return ", ".join(sorted(path.name for path in directory.iterdir())[:12]) or "an empty directory"
