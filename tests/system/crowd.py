"""Simulated people: what each of them sends, and the expected results, computed before anything is sent."""

import hashlib
import io
import wave
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import Enum
from itertools import count
from pathlib import Path

import numpy as np

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from glas.domain.ledger import Reason
from glas.domain.messages import MediaKind, Score
from glas.domain.rewards import BONUS_ABOVE_S, BONUS_BELOW_S, reward_hundredths
from glas.domain.transcription import SAMPLE_RATE_HZ, Hypothesis
from glas.launch.transcription import open_transcription
from glas.settings import Settings
from tests.conftest import FIRST_WORDS_S
from tests.parts.hostile import random_bytes
from tests.parts.recordings import Sound, encoded, film
from tests.telegram.world import JsonObject

CORRECTION_HUNDREDTHS = 100
_PEOPLE = count(7_300_000_001)
_PART_S = 3.5
_DOCUMENTS = ("flac", "m4a", "wav", "webm")
_MARKS = {Score.BAD: "❌", Score.NORMAL: "👌", Score.BEST: "✅"}


class Fate(Enum):
    """The expected result of a recording."""

    TEXT = "text"
    SILENCE = "silence"
    TOO_BIG = "too big"
    HOSTILE = "hostile"


# Words of the samples, and others that sound so much alike that the sound does not deny them.
_SOUNDS_ALIKE = (("Обнимешь", "Обнимишь"), ("зевает", "зивает"), ("Это", "Эта"), ("будто", "будта"))


@dataclass
class Sending:
    """One recording, the actions on its answer, and the message and answer in Telegram."""

    number: int
    person: int
    kind: MediaKind
    data: bytes
    file_id: str
    fate: Fate = Fate.TEXT
    is_forwarded: bool = False
    heard: Hypothesis | None = None
    message: JsonObject | None = None
    answer: JsonObject | None = None

    @property
    def sha256(self) -> str:
        """Hash of the sent bytes."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def text(self) -> str:
        """The recognised text."""
        return self.heard.text if self.heard else ""

    @property
    def ratings(self) -> list[Score]:
        """The scores that the speaker gives, in order."""
        first = Score((self.number + self.number // 3) % 4)
        if not self.text or first is Score.NOT_RATED:
            return []
        return [first, Score(self.number % 3 + 1)] if self.number % 9 in (1, 4) else [first]

    @property
    def score(self) -> Score:
        """The score that counts."""
        return self.ratings[-1] if self.ratings else Score.NOT_RATED

    @property
    def presses(self) -> int:
        """Number of presses of the first rating by an impatient person."""
        return 20 if self.number in (1, 26) else 1

    @property
    def is_coveted(self) -> bool:
        """Whether another person tries to rate the recording."""
        return bool(self.text) and self.number % 7 == 2

    @property
    def reference(self) -> str | None:
        """The words that the speaker gives as a correction."""
        if not self.text or self.number % 6 != 4:
            return None
        return next((self.text.replace(*pair) for pair in _SOUNDS_ALIKE if pair[0] in self.text), None)

    def button(self, score: Score) -> str:
        """The button of a score."""
        return _MARKS[score]


@dataclass
class Crowd:
    """People and their recordings."""

    people: list[int]
    consenting: set[int]
    stranger: int
    sendings: list[Sending]

    @property
    def kept(self) -> list[Sending]:
        """The recordings that must have a row."""
        return [one for one in self.sendings if one.person != self.stranger and one.fate is not Fate.TOO_BIG]

    @property
    def archived(self) -> list[Sending]:
        """The recordings that must have objects."""
        return [one for one in self.kept if one.fate is not Fate.HOSTILE]

    @property
    def exported(self) -> list[Sending]:
        """The recordings that must be in the export."""
        return [one for one in self.archived if one.person in self.consenting and not one.is_forwarded]

    def of(self, person: int) -> list[Sending]:
        """Return the expected rows of a person."""
        return [one for one in self.kept if one.person == person]

    def owed(self, person: int) -> list[tuple[Reason, int]]:
        """Return the expected ledger of a person: each recording is paid once for a rating, once for a correction."""
        groups: dict[str, list[Sending]] = defaultdict(list)
        for one in self.of(person):
            if not one.is_forwarded and one.heard and one.text:
                groups[one.file_id].append(one)
        owed = []
        for group in groups.values():
            if any(one.ratings for one in group) and group[0].heard:
                # The recogniser tells durations to the millisecond.
                owed.append((Reason.RATING, reward_hundredths(round(group[0].heard.duration_s, 3))))
            if any(one.reference for one in group):
                owed.append((Reason.CORRECTION, CORRECTION_HUNDREDTHS))
        return sorted(owed)


def gather(
    n_people: int, n_rounds: int, samples: Sequence[Path], settings: Settings, *, first_words: bool = False
) -> Crowd:
    """Make people who each send so many recordings, and recognise every recording beforehand.

    The last person never presses /start; two of three others agree to training. With `first_words`, most recordings are
    the samples up to their first pause.
    """
    people = [next(_PEOPLE) for _ in range(n_people)]
    sendings: list[Sending] = []
    sounds = [np.concatenate(list(decode_blocks(path.read_bytes(), DecodeLimits()))) for path in samples]
    for number in range(n_people * n_rounds):
        person, earlier = people[number % n_people], number - n_people
        again = number % 12 == 7 and earlier >= 0 and sendings[earlier].fate is Fate.TEXT
        made = _sending(number, person, sounds, first_words=first_words)
        if again:
            # A file that is sent again stays what it is.
            made = replace(sendings[earlier], number=number, is_forwarded=made.is_forwarded)
        sendings.append(made)
    _hear(sendings, settings)
    return Crowd(people, {person for index, person in enumerate(people[:-1]) if index % 3}, people[-1], sendings)


def _sending(number: int, person: int, sounds: Sequence[Sound], *, first_words: bool) -> Sending:
    kind = tuple(MediaKind)[number % len(MediaKind)]
    fate = {9: Fate.TOO_BIG, 11: Fate.HOSTILE}.get(number, Fate.SILENCE if number % 16 == 5 else Fate.TEXT)
    match fate:
        case Fate.SILENCE:
            data = _silence(2 + number / 1000)
        case Fate.TEXT:
            # Now and then one of 20 to 30 s, which pays half as much again; no two recordings are alike.
            place = number % len(sounds)
            end = round(FIRST_WORDS_S[place] * SAMPLE_RATE_HZ) if first_words else None
            sound = long_sound(sounds) if number % 24 == 14 else sounds[place][:end]
            data = _recording(number, kind, (sound * (1 - number / 1000)).astype(np.float32))
        case _:
            data = random_bytes(5000 + number)
    is_forwarded = number % 10 == 3
    return Sending(number, person, kind, data, f"file-{person}-{number}", fate, is_forwarded)


def long_sound(sounds: Sequence[Sound]) -> Sound:
    """Join the beginnings of all samples."""
    sound = np.concatenate([one[: round(_PART_S * SAMPLE_RATE_HZ)] for one in sounds])
    assert BONUS_ABOVE_S < len(sound) / SAMPLE_RATE_HZ < BONUS_BELOW_S
    return sound


def _recording(number: int, kind: MediaKind, sound: Sound) -> bytes:
    match kind:
        case MediaKind.VIDEO | MediaKind.VIDEO_NOTE:
            return film(sound, SAMPLE_RATE_HZ)
        case MediaKind.AUDIO:
            return encoded(sound, "mp3", SAMPLE_RATE_HZ)
        case MediaKind.DOCUMENT:
            return encoded(sound, _DOCUMENTS[number // len(MediaKind) % len(_DOCUMENTS)], SAMPLE_RATE_HZ)
        case _:
            return encoded(sound, "ogg-opus", SAMPLE_RATE_HZ)


def _silence(seconds: float) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
        file.writeframes(bytes(2 * int(seconds * SAMPLE_RATE_HZ)))
    return buffer.getvalue()


def _hear(sendings: list[Sending], settings: Settings) -> None:
    """Recognise each distinct recording with the embedded model, with decoder and engine alone."""
    distinct = {one.file_id: one.data for one in sendings if one.fate in (Fate.TEXT, Fate.SILENCE)}
    with open_transcription(settings) as transcribe, ThreadPoolExecutor(2) as pool:
        heard = dict(zip(distinct, pool.map(lambda data: transcribe(data).hypothesis, distinct.values()), strict=True))
    for one in sendings:
        one.heard = heard.get(one.file_id)
