"""Compute the exported data of one message from the data in the database: files, line of the manifest, split.

The exported data contain no Telegram ids: speakers have pseudonyms, and the ids of chat, message and file are left out.
"""

import hashlib
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from glas.clients.db_assist_bodies import Change
from glas.domain.corrections import Rank
from glas.domain.messages import MediaKind, Score, Status, Transcription
from glas.domain.metrics import error_rates
from glas.domain.reviews import Verdict
from glas.domain.splits import Split, draw
from glas.domain.transcription import SAMPLE_RATE_HZ

LANGUAGE = "ru"
TRAIN, TEST = Split.TRAIN.value, Split.TEST.value

# The messages with this many consecutive ids are in one dataset file. The file has about 80 MB if all messages are 10 s
# long and a fourth of them is exported. If a message changes, its file is written again.
_IDS_PER_SHARD = 1000


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class HypothesisOut(_Value):
    """The text that the engine recognised."""

    file: str
    text: str
    model: str | None
    model_version: str | None = Field(
        default=None, description="Version of the model: a hash of the files with its weights. null if it is not known."
    )
    confidence: float | None


class ReferenceOut(_Value):
    """The words of a recording according to a person; never an engine's text."""

    file: str
    text: str
    by: str = Field(
        description="Who gave the words: `reviewer` if the rank is `reviewer`, otherwise `speaker`. Words with "
        "the rank `agreed` come from both."
    )
    rank: Rank = Field(description="Reliability of the words: `agreed`, `reviewer` or `author`.")


class OriginalOut(_Value):
    """The recording as the person sent it."""

    key: str
    sha256: str
    size_bytes: int | None
    media_kind: MediaKind


class Record(_Value):
    """All exported data about a message; the content of its `{id}.json`."""

    id: int
    score: Score
    speaker: str = Field(description="Pseudonym of the speaker. All messages of one speaker have the same pseudonym.")
    split: str
    audio_file: str
    sample_rate_hz: int = SAMPLE_RATE_HZ
    duration_s: float = Field(description="Length in seconds of the exported audio file, counted in samples.")
    language: str = LANGUAGE
    hypothesis: HypothesisOut
    reference: ReferenceOut | None
    recognition_file: str | None = Field(
        default=None,
        description="Name of the file with the segments, the words and their times. null if they were not stored "
        "when the record was written.",
    )
    wer: float | None = Field(
        description="Word error rate of the recognised text against the reference, after the normalisation "
        "RU-NORM v1. null if there is no reference."
    )
    verdict: Verdict | None = Field(
        default=None,
        description="Verdict of a reviewer: `bad_audio` or `not_speech`. null if no reviewer gave this verdict, "
        "or if a person wrote the words.",
    )
    original: OriginalOut
    creation_datetime: datetime

    @property
    def fingerprint(self) -> str:
        """Return a hash over the values of the message in the database.

        The hash shows whether a message has changed after its export. So the recording need not be read for this.
        """
        told = self.model_dump_json(exclude={"duration_s", "recognition_file"})
        return hashlib.sha256(told.encode()).hexdigest()

    @property
    def shard(self) -> str:
        """Return the name of the dataset file that contains this message."""
        return f"{self.split}-{self.id // _IDS_PER_SHARD:05d}.parquet"

    @property
    def folder(self) -> str:
        """Return the directory of the message, relative to the export's directory."""
        return f"{int(self.score)}/{self.id}"


def describe(change: Change, *, test_share: float) -> Record | None:
    """Return the record of a message for the export; None if it may not be exported or is not finished.

    Args:
        change: the current state of the message, as db_assist returns it.
        test_share: share of the speakers, 0..1, whose messages are in the test set.
    """
    message = change.transcription
    if message is None or not change.is_exportable or message.status is not Status.DONE:
        return None
    if message.text is None or message.audio_key is None or message.audio_sha256 is None:
        return None
    number, speaker = message.id, pseudonym(message.user_id)
    hypothesis = HypothesisOut(
        file=f"{number}_transcription.txt",
        text=message.text,
        model=message.model,
        model_version=message.model_version,
        confidence=message.confidence,
    )
    reference = _reference_of(message)
    wer = None if reference is None else round(error_rates([reference.text], [message.text]).wer, 6)
    return Record(
        id=number,
        score=message.score,
        speaker=speaker,
        split=split_of(speaker, test_share=test_share),
        audio_file=f"{number}_audio.wav",
        duration_s=0,
        hypothesis=hypothesis,
        reference=reference,
        wer=wer,
        verdict=change.verdict,
        original=OriginalOut(
            key=message.audio_key,
            sha256=message.audio_sha256,
            size_bytes=message.audio_size_bytes,
            media_kind=message.media_kind,
        ),
        creation_datetime=message.creation_datetime,
    )


def _reference_of(message: Transcription) -> ReferenceOut | None:
    if message.reference is None or message.rank is None:
        return None
    by = "reviewer" if message.rank is Rank.REVIEWER else "speaker"
    return ReferenceOut(file=f"{message.id}_reference.txt", text=message.reference, by=by, rank=message.rank)


def pseudonym(user_id: int) -> str:
    """Return the pseudonym of a speaker; `user_id` is the id of a row in the database, not the Telegram id."""
    return hashlib.sha256(f"glas speaker {user_id}".encode()).hexdigest()[:16]


def split_of(speaker: str, *, test_share: float) -> str:
    """Return the split of a speaker's messages, `train` or `test`; it is the same in every export."""
    return draw(speaker, test_share=test_share, dev_share=0).value


def manifest_row(record: Record) -> dict[str, Any]:
    """Return a line of the NeMo manifest; paths are relative to the manifest, as NeMo requires."""
    return {
        "audio_filepath": f"{record.folder}/{record.audio_file}",
        "text": None if record.reference is None else record.reference.text,
        "pred_text": record.hypothesis.text,
        "wer": record.wer,
        "duration": record.duration_s,
        "language": record.language,
        "score": int(record.score),
        "confidence": record.hypothesis.confidence,
        "speaker": record.speaker,
        "split": record.split,
    }
