"""Join tokens with times and probabilities into words with times and confidences."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import exp, inf

from glas.domain.transcription import Word

# A model gives the beginning of a token but not its end. If the next token does not follow directly, the token gets
# this time for each letter. Ordinary Russian speech has 12 to 15 letters per second.
LETTER_S = 0.08

_CLOSING = frozenset(".,!?…:;%)»”")
# `<unk>`, `<sos/eos>` and similar entries of the vocabulary, which have no text.
_SPECIAL = re.compile(r"\s*<[^<>\s]+>\s*")


@dataclass
class _Stretch:
    """Tokens between two spaces. Punctuation has no influence on the times and the confidence of the word."""

    start_s: float
    text: str = ""
    last_start_s: float = 0.0
    last_letters: int = 0
    until_s: float = inf
    logprobs: list[float] = field(default_factory=list)

    def add(self, piece: str, start_s: float, logprob: float | None) -> None:
        self.text += piece
        letters = sum(character.isalnum() for character in piece)
        if not letters:
            return
        if not self.last_letters:
            self.start_s = start_s
        self.last_start_s, self.last_letters = start_s, letters
        if logprob is not None:
            self.logprobs.append(logprob)

    def word(self, duration_s: float) -> Word:
        end_s = min(self.last_start_s + LETTER_S * self.last_letters, self.until_s)
        return Word(
            text=self.text,
            start_s=min(self.start_s, duration_s),
            end_s=min(max(end_s, self.start_s), duration_s),
            # Because of rounding, a softmax in float32 may be slightly larger than one.
            confidence=exp(min(0.0, sum(self.logprobs))) if self.logprobs else None,
        )


def spell(
    tokens: Sequence[str],
    starts_s: Sequence[float],
    logprobs: Sequence[float] | None,
    *,
    duration_s: float,
) -> tuple[Word, ...]:
    """Join the tokens of a hypothesis into words.

    A token that begins with a space begins a word. Closing punctuation (`,` `.` `»`) belongs to the word before it,
    even after a space. A punctuation mark between two spaces, such as a dash, also belongs to the word before it:
    `Москва —`. So the words joined by spaces are the text. (onnx-asr's own text loses the space before an opening quote
    or a dash.)

    The raw confidence of a word is the product of the probabilities of its tokens, because a word is right only if all
    its letters are right. Of several ways to combine the probabilities, the product separates right words from wrong
    words best. The product is also nearly equal to the share of words that are right. The smallest of the probabilities
    is higher than this share, and their geometric mean is much higher (measured: docs/models.md).

    Args:
        tokens: subwords or letters; a leading space stands for SentencePiece's `▁`.
        starts_s: start of each token in seconds; no token starts earlier than the previous token.
        logprobs: natural logarithm of each token's probability; None if the model returns none.
        duration_s: length of the audio in seconds; no time in the result is larger.

    Returns:
        The words in order, each with `0 <= start_s <= end_s <= duration_s`. No word begins before the previous word has
        ended.
    """
    stretches = _with_lonely_marks_joined(_stretches(tokens, starts_s, logprobs))
    return tuple(stretch.word(duration_s) for stretch in stretches)


def _stretches(tokens: Sequence[str], starts_s: Sequence[float], logprobs: Sequence[float] | None) -> list[_Stretch]:
    found: list[_Stretch] = []
    spaced = True
    for index, (token, start_s) in enumerate(zip(tokens, starts_s, strict=True)):
        spaced |= token[:1].isspace()
        if spaced and found:
            found[-1].until_s = min(found[-1].until_s, start_s)
        piece = "" if _SPECIAL.fullmatch(token) else token.strip()
        if not piece:
            continue
        if not found or (spaced and not set(piece) <= _CLOSING):
            found.append(_Stretch(start_s))
        found[-1].add(piece, start_s, None if logprobs is None else logprobs[index])
        spaced = token[-1].isspace()
    return found


def _with_lonely_marks_joined(stretches: Sequence[_Stretch]) -> list[_Stretch]:
    joined: list[_Stretch] = []
    before = ""
    for stretch in stretches:
        if stretch.last_letters:
            stretch.text, before = before + stretch.text, ""
            joined.append(stretch)
        elif joined:
            joined[-1].text += f" {stretch.text}"
        else:
            before += f"{stretch.text} "
    for earlier, later in pairwise(joined):
        earlier.until_s = min(earlier.until_s, later.start_s)
    return joined
