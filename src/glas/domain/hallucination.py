"""Remove text that nobody said: engines write such text for silence and noise.

The same rules apply to every engine. The rules use the text, the scores of the engine (`Segment.avg_logprob` and
`Segment.no_speech_probability`; either may be absent) and the result of the speech detector (`Evidence`):

1. Credits of subtitle makers are removed wherever they occur. Whisper learnt such credits from film subtitles.
2. A segment is dropped if it is a loop, that is a text that repeats itself. A text is a loop if it compresses well and,
   in addition, the engine is uncertain or nobody can speak so fast.
3. A segment is dropped if the engine is uncertain of its text, and the engine or the speech detector finds little
   speech in it. (In openai/whisper's `transcribe.py`, this rule uses only the scores of the engine.)
4. A text is dropped if nobody can say it in the seconds that the detector counts as speech, even if the engine gives
   the text a high confidence. An example is a whole sentence that the engine recognises in half a second of humming.
5. Some phrases, such as «Спасибо за просмотр», are often invented, but people also say them. Such a phrase is dropped
   only if it is the whole text, and the speech is too short or too quiet for it, or probably is no speech.
"""

import re
import zlib
from math import inf
from typing import Final, NamedTuple

from glas.domain.text import normalise
from glas.domain.transcription import Hypothesis, Segment, Word

# openai/whisper, transcribe.py: compression_ratio_threshold, logprob_threshold, no_speech_threshold.
MAX_COMPRESSION_RATIO: Final = 2.4
MIN_LOGPROB: Final = -1.0
MAX_NO_SPEECH: Final = 0.6

# Ordinary Russian speech has 12 to 15 letters a second; nobody says twice as many for long.
MAX_LETTERS_PER_S: Final = 30.0
# If the loudest part of the sound is quieter than this, nobody spoke into the microphone.
MIN_LEVEL_DB: Final = -60.0
# Least mean probability of speech, over the frames that the detector counts as speech. Of 150 pieces of real and
# synthetic speech, clean or with noise as loud as the speech, 95 % had more than 0.75. Humming above the detector's
# threshold of 0.5 had 0.51 to 0.77.
MIN_SPEECH_PROBABILITY: Final = 0.7
# From this probability on, somebody speaks, even if the engine is uncertain.
CLEAR_SPEECH_PROBABILITY: Final = 0.8

_MAKER = r"(?:с?делал|созда(?:ва)?л|подогнал|подготовил|добавил|выполнил|перев[её]л)[аи]?"
_KNOWN_NAME = r"dima\s?torz?h?ok\w*|дима\s?тор[зж]ок|диматорзок"
_NICKNAME = rf"(?:{_KNOWN_NAME}|[«\"„][^»\"“]{{1,30}}[»\"“]|[a-z][\w.-]*|симон\b)"
# Initials must have full stops, because «редактор субтитров а» may be the beginning of a person's own sentence.
_INITIALS = r"(?:[а-яё]\.\s?){1,2}(?:[а-яё]+\b)?"
_CREDIT = re.compile(
    rf"\bсубтитры\s+{_MAKER}\s+{_NICKNAME}"
    rf"|\b(?:редактор|корректор|переводчик|перевод|автор)\s+субтитров:?\s*(?:{_INITIALS}|{_KNOWN_NAME})"
    rf"|\bкорректор:?\s*{_INITIALS}"
    rf"|\bсубтитры\s+(?:от\s+|:\s*)?{_KNOWN_NAME}"
    r"|\bсубтитры\s+(?:создан[ыо]\s+)?(?:сообществ\w*\s+)?amara\.?\s?org"
    r"|\bsubtitles\s+by\s+(?:the\s+)?amara\.?\s?org(?:\s+community)?"
    rf"|\b(?:{_KNOWN_NAME})",
    re.IGNORECASE,
)
_LOOSE_MARKS = re.compile(r"^[\s.,!?…:;)»-]+")

# Phrases, under RU-NORM, with which Whisper ends films and clips. People also say all of these phrases.
_ORDINARY = (
    "спасибо за просмотр",
    "спасибо за внимание",
    "спасибо за субтитры",
    "продолжение следует",
    "смотрите продолжение в следующей (?:серии|части)",
    "(?:не забудьте )?подписаться на (?:мой |наш )?канал",
    "подписывайтесь на (?:мой |наш )?канал",
    "ставьте лайки(?: и подписывайтесь на (?:мой |наш )?канал)?",
    "до новых встреч",
    "до скорых встреч",
    "до свидания",
    "всем пока",
    "пока",
    "спасибо",
    "поехали",
    "субтитры",
    f"субтитры {_MAKER}",
    "(?:редактор|корректор|перевод) субтитров",
    "(?:динамичная|спокойная|веселая|грустная|торжественная|тревожная|играет|звучит) музыка",
    "музыка",
    "аплодисменты",
    "смех",
    "thank you(?: for watching)?",
    "thanks for watching",
    "you",
)
_ONLY_ORDINARY = re.compile(rf"(?:(?:{'|'.join(_ORDINARY)})(?: |$))+")


class Evidence(NamedTuple):
    """What the speech detector measured in a piece of sound.

    Attributes:
        speech_s: seconds of the piece that the detector counts as speech.
        probability: mean probability of speech over these seconds, 0..1.
        level_db: root mean square of the louder parts of the piece, in dB relative to full scale; at most 0.
    """

    speech_s: float
    probability: float
    level_db: float


def compression_ratio(text: str) -> float:
    """Return the length of a text in bytes, divided by its length after compression with zlib; 0 for an empty text.

    Whisper's detector of loops uses the same ratio: a text that repeats itself has a high ratio.
    """
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw)) if raw else 0.0


def without_inventions(heard: Hypothesis, evidence: Evidence) -> Hypothesis:
    """Return the hypothesis without text that nobody said; the remaining text may be empty.

    Args:
        heard: the hypothesis of an engine for one piece of sound.
        evidence: the result of the speech detector for the same piece.
    """
    cut = (_without_credits(segment) for segment in heard.segments)
    kept = tuple(segment for segment in cut if segment.text and not _is_invented(segment, evidence))
    text = " ".join(segment.text for segment in kept)
    if _n_letters(text) > MAX_LETTERS_PER_S * heard.duration_s:
        kept = ()
    if _ONLY_ORDINARY.fullmatch(normalise(text)) and _is_silent(text, kept, evidence):
        kept = ()
    if kept == heard.segments:
        return heard
    return heard.model_copy(update={"segments": kept, "text": " ".join(segment.text for segment in kept)})


def cut_credits(text: str) -> str:
    """Return the text without subtitle credits and without the punctuation that belonged to them."""
    pieces = _CREDIT.split(text)
    if len(pieces) == 1:
        return text
    first, *others = pieces
    return " ".join(" ".join([first, *(_LOOSE_MARKS.sub("", piece) for piece in others)]).split())


def _without_credits(segment: Segment) -> Segment:
    text = cut_credits(segment.text)
    if text == segment.text:
        return segment
    return segment.model_copy(update={"text": text, "words": _words_left(segment.words)})


def _words_left(words: tuple[Word, ...]) -> tuple[Word, ...]:
    line = " ".join(word.text for word in words)
    gone = [found.span() for found in _CREDIT.finditer(line)]
    left, start = [], 0
    for word in words:
        end = start + len(word.text)
        if not any(start < until and since < end for since, until in gone):
            left.append(word)
        start = end + 1
    return tuple(left)


def _is_invented(segment: Segment, evidence: Evidence) -> bool:
    """Return whether a segment is dropped by rule 2 or rule 3."""
    logprob = 0.0 if segment.avg_logprob is None else segment.avg_logprob
    is_unclear = evidence.probability < CLEAR_SPEECH_PROBABILITY
    if logprob < MIN_LOGPROB and (is_unclear or (segment.no_speech_probability or 0.0) > MAX_NO_SPEECH):
        return True
    is_repetitive = compression_ratio(segment.text) > MAX_COMPRESSION_RATIO
    return is_repetitive and (logprob < MIN_LOGPROB or _letters_per_s(segment.text, evidence) > MAX_LETTERS_PER_S)


def _is_silent(text: str, segments: tuple[Segment, ...], evidence: Evidence) -> bool:
    """Return whether the speech is too short or too quiet for this text, or probably is no speech (rule 5)."""
    return (
        evidence.level_db < MIN_LEVEL_DB
        or evidence.probability < MIN_SPEECH_PROBABILITY
        or _letters_per_s(text, evidence) > MAX_LETTERS_PER_S
        or any((segment.no_speech_probability or 0.0) > MAX_NO_SPEECH for segment in segments)
    )


def _letters_per_s(text: str, evidence: Evidence) -> float:
    return _n_letters(text) / evidence.speech_s if evidence.speech_s > 0 else inf


def _n_letters(text: str) -> int:
    return sum(character.isalnum() for character in text)
