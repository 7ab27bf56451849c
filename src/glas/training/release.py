"""Write the directory of the embedded model: the weights with the merged adapter, the vocabulary, and checksums."""

import hashlib
from pathlib import Path

from glas.domain.decoding import RUSSIAN
from glas.engines.checksums import FILE as CHECKSUMS
from glas.engines.whisper.backend import LANGUAGES
from glas.engines.whisper.build import build_model
from glas.engines.whisper.context import CONTEXT_MARGIN
from glas.engines.whisper.trimming import choose_tokens, trim
from glas.engines.whisper.vocabulary import load_tokenizer
from glas.training.texts.written import written_lines

ADAPTER = "adapter"
# Seconds of silence after a piece when the model recognises the piece. This is twice the time by which a training may
# shorten a clip: 16 positions of the encoder, of 20 ms each.
MARGIN_S = 0.64
# Settings in `config.json`: how much silence the model needs, and the languages of its vocabulary.
SETTINGS = {CONTEXT_MARGIN: MARGIN_S, LANGUAGES: [RUSSIAN]}


def write_weights(base: Path, to: Path, texts: Path | None) -> None:
    """Write the weights of the embedded model.

    The adapter in `to` is merged into the weights (its change is added to them). Only the tokens that Russian texts
    need are kept.

    Args:
        base: directory of the official model.
        to: directory of the embedded model; other files in it are not changed.
        texts: directory of unpacked Debian packages with Russian texts, whose tokens are also kept; None if there are
            no such packages.

    Raises:
        ModelFileMissingError, ModelLoadError: a file is missing or damaged.
    """
    tokenizer = load_tokenizer(base)
    small = trim(tokenizer, choose_tokens(tokenizer, written_lines(texts)))
    made = to.with_name(f"{to.name}.weights")
    build_model(base, made, adapter=to / ADAPTER, tokenizer=small, settings=SETTINGS)
    for path in made.iterdir():
        path.replace(to / path.name)
    made.rmdir()
    write_checksums(to)


def write_checksums(folder: Path) -> None:
    """Write the checksums of all files of a directory except the card to `SHA256SUMS`, which `sha256sum -c` reads."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in (CHECKSUMS, "README.md"))
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n" for path in files
    ]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8")
