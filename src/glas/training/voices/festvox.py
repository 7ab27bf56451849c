"""Read the recordings of Debian's package `festvox-ru`: one man reads 620 sentences, 1.7 h at 16 kHz.

The embedded model is never trained on his voice. Half of his sentences, chosen by a hash of the sentence, are test
data. The other half is used to test how models learn from corrections. VoxForge (another collection of recordings) has
mostly the same sentences, so it is not used for training either.

To use the package, unpack it (`dpkg -x festvox-ru_*.deb FOLDER`), and pass the directory FOLDER. In the package,
`etc/txt.done.data` has lines `( id "text" )`, in which + is written before a stressed vowel; the sound is in
`wav/ID.wav`.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from glas.domain.errors import ConfigurationError
from glas.training.texts.sentences import label, share_of

TRANSCRIPTS = Path("etc/txt.done.data")
_LINE = re.compile(r'\(\s*(\S+)\s+"(.*)"\s*\)')


@dataclass(frozen=True)
class Reading:
    """One recording, and the text that is read in it, in the form of `glas.training.texts.sentences.label`."""

    audio: Path
    text: str


def held_out_reading(text: str) -> bool:
    """Return whether a sentence of festvox-ru belongs to the half that is used only for tests."""
    return share_of(text, 2) == 1


def read_festvox(folder: Path) -> list[Reading]:
    """Return all recordings of the package with their texts, in the order of the file `txt.done.data`.

    `folder` is the directory of the unpacked package, or the directory of the voice inside the package.

    Raises:
        ConfigurationError: the directory does not contain this package.
    """
    found = sorted(folder.rglob(str(TRANSCRIPTS)))
    if len(found) != 1:
        raise ConfigurationError(
            f"expected the unpacked package festvox-ru with one {TRANSCRIPTS} under {folder}, got {len(found)}"
        )
    readings = []
    for line in found[0].read_text(encoding="utf-8").splitlines():
        match = _LINE.match(line)
        if not match:
            raise ConfigurationError(f'expected ( id "text" ) in {found[0]}, got {line[:80]!r}')
        readings.append(Reading(found[0].parents[1] / "wav" / f"{match[1]}.wav", label(match[2].replace("+", ""))))
    return readings


def held_out_readings(folder: Path) -> list[Reading]:
    """Return the recordings of that half of the package that is used only for tests."""
    return [reading for reading in read_festvox(folder) if held_out_reading(reading.text)]
