"""Make a version of the dataset from an export.

When recordings of a speaker are added to a version for the first time, the speaker is assigned to a split. All later
versions use the same split for this speaker. So the recordings of one speaker are never used both for training and for
the test. In a dataset for one person, not speakers but texts are assigned to splits in this way.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from glas.domain.errors import DataSetError, TooFewReferencesError
from glas.domain.splits import Split, draw
from glas.system.files import sha256_of
from glas.training.datasets.exported import Message, Target, read_export, target_of
from glas.training.datasets.replay import describe_replay
from glas.training.datasets.version import Entry, Version, text_sha256, versions_in, words_sha256, write_version

NO_TARGET, NOT_FOR_TESTS, BOTH_SIDES, MOVED = "no_target", "not_for_tests", "both_sides", "moved"


@dataclass(frozen=True)
class Rules:
    """Rules for the content of a version.

    Attributes:
        test_share: part of the speakers, 0..1, whose recordings form the test set. In a dataset for one person: part of
            the texts.
        dev_share: part of the speakers or texts, 0..1, whose recordings form the development set.
        min_confidence: a hypothesis with a lower confidence (0..1) is not learnt, even if it has the best rating.
        speaker: pseudonym of a person, if the dataset is for this person only; otherwise None.
        replay: directories or manifests of further recordings with reference texts, which are also used for training.
        non_speech: directories of sounds without speech, for which an empty text is learnt.
    """

    test_share: float = 0.1
    dev_share: float = 0.05
    min_confidence: float = 0.9
    speaker: str | None = None
    replay: Sequence[Path] = ()
    non_speech: Sequence[Path] = ()


@dataclass(frozen=True)
class MadeVersion:
    """The version that was made, and how many messages were left out for each reason."""

    version: Version
    path: Path
    left_out: Counter[str] = field(default_factory=Counter)


def make_version(export: Path, folder: Path, rules: Rules) -> MadeVersion:
    """Make a version from an export, and write it as a file.

    Args:
        export: directory of the export.
        folder: directory of all versions.
        rules: rules for the content of the version.

    Raises:
        TooFewReferencesError: the version would have no recordings for training.
        DataSetError: there is no export, or the file of an existing version was changed.
    """
    if not (rules.test_share >= 0 and rules.dev_share >= 0 and rules.test_share + rules.dev_share < 1):
        raise DataSetError(f"expected shares of test and dev below 1, got {rules.test_share} and {rules.dev_share}")
    sides, left_out = _Sides(versions_in(folder), rules), Counter[str]()
    entries: list[Entry] = []
    for message in read_export(export):
        if rules.speaker is None or message.speaker == rules.speaker:
            found = _entry(message, target_of(message, min_confidence=rules.min_confidence), sides)
            if isinstance(found, str):
                left_out[found] += 1
            else:
                entries.append(found)
    replay = [describe_replay(place, "reference") for place in rules.replay]
    replay += [describe_replay(place, "non_speech") for place in rules.non_speech]
    if not replay and not any(entry.split is Split.TRAIN for entry in entries):
        raise TooFewReferencesError(
            f"{export}: expected recordings to learn from, got none (left out: {left_out.total()})"
        )
    version = Version(
        speaker=rules.speaker,
        min_confidence=rules.min_confidence,
        test_share=rules.test_share,
        dev_share=rules.dev_share,
        entries=tuple(entries),
        replay=tuple(replay),
    )
    return MadeVersion(version, write_version(folder, version), left_out)


class _Sides:
    """Assigns recordings to splits: to the split in earlier versions or, if there is none, to a random split."""

    def __init__(self, versions: Iterable[Version], rules: Rules) -> None:
        self._rules = rules
        self._of_id: dict[int, Split] = {}
        self._of_key: dict[str, Split] = {}
        for version in versions:
            # A dataset for one person has its own model and tests, so only versions of the same person count.
            if version.speaker == rules.speaker:
                for entry in version.entries:
                    self._of_id.setdefault(entry.id, entry.split)
                    self._of_key.setdefault(self.key(entry.speaker, entry.words_sha256), entry.split)

    def key(self, speaker: str, words: str) -> str:
        """Return the grouping key of a recording; all recordings with the same grouping key must be in the same split.

        The grouping key is `speaker`. If the dataset is for one person, it is `words` (a hash of the normalised text).
        """
        return speaker if self._rules.speaker is None else words

    def split_of(self, number: int, key: str) -> Split | None:
        """Return the split of the message with the id `number` and the grouping key `key`.

        Return None if the message and other recordings with this grouping key have different splits in earlier
        versions.
        """
        drawn = draw(key, test_share=self._rules.test_share, dev_share=self._rules.dev_share)
        split = self._of_id.get(number) or self._of_key.get(key, drawn)
        if self._of_key.setdefault(key, split) is not split:
            return None
        return split


def _entry(message: Message, target: Target | None, sides: _Sides) -> Entry | str:
    """Return the entry for a message in the version, or the reason why the version leaves the message out."""
    if target is None:
        return NO_TARGET
    words = words_sha256(target.text)
    split = sides.split_of(message.id, sides.key(message.speaker, words))
    if split is None:
        return BOTH_SIDES
    if split is not Split.TRAIN and not target.may_be_tested:
        return NOT_FOR_TESTS
    try:
        audio_sha256 = sha256_of(message.audio)
    except FileNotFoundError:
        return MOVED  # an export that is running has moved the message
    return Entry(
        id=message.id,
        split=split,
        rank=target.rank,
        speaker=message.speaker,
        duration_s=message.duration_s,
        audio_sha256=audio_sha256,
        reference_sha256=text_sha256(target.text),
        words_sha256=words,
    )
