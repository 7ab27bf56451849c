"""Open a version of the dataset: read the recordings of the version that are still in the export, with their words."""

from dataclasses import dataclass
from pathlib import Path

from glas.domain.splits import Split
from glas.system.files import sha256_of
from glas.training.datasets.exported import Message, read_export, target_of
from glas.training.datasets.replay import read_replay
from glas.training.datasets.version import Entry, Version, text_sha256

REPLAY = "replay"


@dataclass(frozen=True)
class Example:
    """A recording, and the words that a model learns for it.

    Attributes:
        audio: path of the file. A file of the export is 16 kHz, mono, PCM16; a replayed recording may have any format.
        text: the text that is learnt; empty if nobody speaks.
        speaker: the pseudonym of the speaker. For a replayed recording, `replay:` and the name of its directory.
        rank: who wrote or confirmed the words.
    """

    audio: Path
    text: str
    speaker: str
    rank: str


@dataclass(frozen=True)
class Dataset:
    """The recordings of a version that are available now.

    Attributes:
        train: the training set, with the replayed recordings.
        dev: the development set.
        test: the test set.
        n_gone: number of recordings that are no longer in the export, because a message was deleted or a consent was
            withdrawn.
        n_changed: number of recordings whose sound or words have changed since the version was made; these recordings
            are left out.
        gone_speakers: pseudonyms of speakers of the version who are no longer in the export.
    """

    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    test: tuple[Example, ...]
    n_gone: int
    n_changed: int
    gone_speakers: frozenset[str]


def open_dataset(export: Path, version: Version, *, checks_audio: bool = True) -> Dataset:
    """Read those recordings of a version that the export still contains.

    Args:
        export: directory of the export.
        version: the version to open.
        checks_audio: whether to compute the hash of the sound of each recording, and to compare the hash with the
            version. This takes about 1 s for each hour of sound.

    Raises:
        DataSetError: there is no export, or replayed recordings are missing or changed.
    """
    messages = {message.id: message for message in read_export(export)}
    examples: dict[Split, list[Example]] = {split: [] for split in Split}
    n_gone = n_changed = 0
    for entry in version.entries:
        message = messages.get(entry.id)
        if message is None:
            n_gone += 1
        elif (example := _example(entry, message, version.min_confidence, checks_audio=checks_audio)) is None:
            n_changed += 1
        else:
            examples[entry.split].append(example)
    for replay in version.replay:
        speaker = f"{REPLAY}:{Path(replay.place).name}"
        examples[Split.TRAIN] += [Example(one.audio, one.text, speaker, REPLAY) for one in read_replay(replay)]
    return Dataset(
        train=tuple(examples[Split.TRAIN]),
        dev=tuple(examples[Split.DEV]),
        test=tuple(examples[Split.TEST]),
        n_gone=n_gone,
        n_changed=n_changed,
        gone_speakers=version.speakers - {message.speaker for message in messages.values()},
    )


def _example(entry: Entry, message: Message, min_confidence: float, *, checks_audio: bool) -> Example | None:
    """Return a recording with its words; None if the sound or the words have changed since the version was made."""
    target = target_of(message, min_confidence=min_confidence)
    if target is None or text_sha256(target.text) != entry.reference_sha256:
        return None
    try:
        if checks_audio and sha256_of(message.audio) != entry.audio_sha256:
            return None
    except FileNotFoundError:
        return None  # an export that is running has moved the file
    return Example(message.audio, target.text, message.speaker, target.rank)
