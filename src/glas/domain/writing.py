"""Add capitals and full stops to recognised words, if the model writes neither; write numbers in digits.

RU-NORM gives the same words for the text with and without these changes, so error rates do not change. If several words
become one number, the number has the start of the first word, the end of the last word, and the lowest confidence of
all these words.
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from glas.domain.decoding import RUSSIAN
from glas.domain.digits import in_digits
from glas.domain.transcription import Hypothesis, Segment, Word

# A pause of this length between two words ends a sentence. It is longer than most pauses in which people look for a
# word, because a wrong full stop disturbs readers more than a missing one. No commas are written, because in Russian
# they depend on grammar, not on pauses. (Median pauses of a CTC model for speech of espeak-ng, which speaks fast: 0.40
# s at full stops, 0.22 s at commas, 0.06 s elsewhere; docs/lab-notes.md.)
SENTENCE_PAUSE_S = 0.6

_ENDS = (".", "!", "?", "…")


class Style(BaseModel):
    """The changes that are made to the text of an engine."""

    model_config = ConfigDict(frozen=True)

    sentences: bool = False
    digits: bool = False


class Writer:
    """Writes the text of one recording, piece by piece; a sentence may continue from one piece to the next."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._goes_on = False

    def write(self, heard: Hypothesis, *, is_cut: bool = False) -> Hypothesis:
        """Return the hypothesis of a piece with those changes that the `Style` of this writer contains.

        Args:
            heard: the hypothesis of the piece.
            is_cut: whether the piece ends in the middle of speech, so that its last sentence may continue in the next
                piece.
        """
        if not heard.text or heard.language != RUSSIAN or self._style == Style():
            return heard
        last = len(heard.segments) - 1
        segments = tuple(
            self._segment(segment, ends=not (is_cut and number == last))
            for number, segment in enumerate(heard.segments)
        )
        return heard.model_copy(update={"segments": segments, "text": " ".join(one.text for one in segments)})

    def _segment(self, segment: Segment, *, ends: bool) -> Segment:
        if segment.words:
            words = self._written(segment.words, ends=ends)
            return segment.model_copy(update={"words": words, "text": " ".join(word.text for word in words)})
        # A text without times is written as if it were said without a pause.
        bare = [Word(text=text, start_s=0, end_s=0) for text in segment.text.split()]
        return segment.model_copy(update={"text": " ".join(word.text for word in self._written(bare, ends=ends))})

    def _written(self, words: Sequence[Word], *, ends: bool) -> tuple[Word, ...]:
        written = _numbered(words) if self._style.digits else list(words)
        return tuple(self._in_sentences(written, ends=ends) if self._style.sentences else written)

    def _in_sentences(self, words: list[Word], *, ends: bool) -> list[Word]:
        found = []
        for number, word in enumerate(words):
            text = word.text if self._goes_on else word.text[:1].upper() + word.text[1:]
            is_last = number == len(words) - 1
            is_end = ends if is_last else words[number + 1].start_s - word.end_s >= SENTENCE_PAUSE_S
            if is_end and not text.endswith(_ENDS):
                text += "."
            self._goes_on = not is_end
            found.append(word.model_copy(update={"text": text}))
        return found


def _numbered(words: Sequence[Word]) -> list[Word]:
    found = []
    for piece in in_digits([word.text for word in words]):
        parts = words[piece.start : piece.end]
        sure = [word.confidence for word in parts if word.confidence is not None]
        found.append(
            Word(
                text=piece.text,
                start_s=parts[0].start_s,
                end_s=parts[-1].end_s,
                confidence=min(sure) if sure else None,
            )
        )
    return found
