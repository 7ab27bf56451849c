"""Divide a long text into paragraphs, at pauses of the speaker and at sentence ends.

The script of the web pages, `web/static/transcript.js`, divides texts by the same rule with the same limits.
"""

import re
from typing import Final

from glas.domain.realignment import realigned
from glas.domain.transcription import Hypothesis, Segment

PAUSE_S: Final = 2.0
CHARS: Final = 500
"""Number of characters after which a paragraph ends at the next end of a sentence."""

_SENTENCE_END = re.compile(r"""[.!?…]["'»”)]*$""")


def in_paragraphs(hypothesis: Hypothesis, text: str) -> str:
    """Return a text with an empty line between paragraphs.

    Args:
        hypothesis: the recognised text, with the times of its segments.
        text: the words to show: those of the hypothesis, or corrected words.

    Returns:
        The text with paragraphs. The text is returned unchanged if it is short, if it already has line breaks, or if
        the hypothesis has no segments.
    """
    if len(text) <= CHARS or "\n" in text or not hypothesis.segments:
        return text
    if hypothesis.text.split() != text.split():
        hypothesis = realigned(hypothesis, text)
    paragraphs: list[str] = []
    last: Segment | None = None
    for segment in hypothesis.segments:
        if last is None or _is_end(last, segment, len(paragraphs[-1])):
            paragraphs.append(segment.text)
        else:
            paragraphs[-1] = f"{paragraphs[-1]} {segment.text}"
        last = segment
    made = "\n\n".join(paragraphs)
    return made if made.split() == text.split() else text


def _is_end(last: Segment, following: Segment, n_chars: int) -> bool:
    """Return whether a paragraph ends after its segment `last`.

    It ends if a pause follows, or if the paragraph is long enough and `last` ends a sentence.

    Args:
        last: the last segment of the paragraph so far.
        following: the segment after `last`.
        n_chars: number of characters of the paragraph so far.
    """
    if following.start_s - last.end_s >= PAUSE_S:
        return True
    return n_chars >= CHARS and _SENTENCE_END.search(last.text) is not None
