"""Find alternatives to the most probable text of a sound.

The decoder first writes one text greedily. At some places another token was nearly as probable and would change a word.
At such a place, decoding is repeated with the other token until the text agrees with the first text again. From there
on, the first text continues. The probability of an alternative is computed from the probabilities of its own tokens,
and of the tokens of the first text before and after them. The effect of the alternative's own tokens on the
probabilities of later tokens is neglected. Only uncertain places are decoded again, so this method takes less time than
a beam search, which decodes every text to its end.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from glas.engines.whisper.decoding import Decoding, Prefix

DEPTH = 2.0  # natural logarithms by which a token may be less probable than the one that was written
# Natural logarithms by which a change may be less probable than the same number of tokens of the first text.
MOST_LOST = 5.0
AT_ONCE = 6  # changes that are followed in one call of the decoder
# Tokens of the first text that the decoder reads in the same call after a new token. A new token usually replaces only
# one token.
GUESSED = 2
AGREEING = 2  # successive equal tokens after which two texts count as agreeing again
SHIFT = 3  # tokens by which a change may be longer or shorter than what it replaces
_LAST = 2  # the last tokens: a punctuation mark and the end token
LONGEST = 40  # tokens of a change; one that does not agree with the first text again by then is given up

Letters = Callable[[int], str]


class Choice(NamedTuple):
    """A token of a text, and the prefix after which it was chosen."""

    after: Prefix
    token: int

    @property
    def logprob(self) -> float:
        """Natural logarithm of the token's probability.

        The probabilities of only some next tokens are known. For any other token, the smallest known probability is
        used.
        """
        found = self.after.logprob(self.token)
        return self.after.logprobs[-1] if found is None else found


Path = list[Choice]


class Alternative(NamedTuple):
    """A whole text that differs from the greedy text in one place.

    Attributes:
        path: all tokens of this text, including the end token if there is one.
        start, end: range `[start, end)` of the tokens of the greedy text that this text replaces.
    """

    path: Path
    start: int
    end: int


@dataclass(slots=True)
class _Change:
    """Tokens that replace a range of tokens of the first text.

    Attributes:
        start: index in the first text at which the change begins.
        path: the tokens of the change so far; the decoder has not read the last of these tokens yet.
        guessed: the tokens of the first text directly after `start`, at most `GUESSED`. The change often continues with
            these tokens. Therefore, when the decoder is called for this change for the first time, it reads both `path`
            and these tokens. After this call, `guessed` is empty.
        meets: index at which the first text continues after the change, if it is known.
        is_over: whether the change has ended or was given up.
    """

    start: int
    path: Path
    guessed: Sequence[int]
    meets: int | None = None
    is_over: bool = False


def alternatives(
    decoding: Decoding, first: Path, end: int, *, most: int, most_tokens: int, letters: Letters
) -> Iterator[Alternative]:
    """Yield texts that differ from the first text in one place.

    Args:
        decoding: the run of the decoder that wrote the first text.
        first: the most probable text, including the end token if there is one.
        end: id of the end token.
        most: largest number of other tokens that are tried; the most probable of these tokens are tried first.
        most_tokens: largest number of tokens of a text.
        letters: function that returns the letters and digits of a token in lower case.
    """
    begun = iter(_begun(first, end, letters)[:most])
    while changes := list(islice(begun, AT_ONCE)):
        while live := [change for change in changes if not change.is_over]:
            chains = [(change.path[-1].after, [change.path[-1].token, *change.guessed]) for change in live]
            for change, prefixes in zip(live, decoding.extend(chains), strict=True):
                _follow(change, prefixes, first, end, most_tokens)
        for change in changes:
            before = first[: change.start] + change.path
            if change.path[-1].token == end:
                yield Alternative(before, change.start, len(first))
            elif change.meets is not None:
                yield Alternative(before + first[change.meets :], change.start, change.meets)


def _begun(first: Path, end: int, letters: Letters) -> list[_Change]:
    """Return a change for each token that was nearly as probable as the written token, most probable change first."""
    found = []
    for place, written in enumerate(first):
        behind = [choice.token for choice in first[place + 1 :][:GUESSED]]
        for token, logprob in zip(written.after.best, written.after.logprobs, strict=True):
            lost = written.logprob - logprob
            if lost <= DEPTH and _is_worth_it(token, [written.token, *behind], end, letters):
                guessed = [guess for guess in behind if guess != end]
                change = _Change(place, [Choice(written.after, token)], guessed, is_over=token == end)
                found.append((lost, place, change))
    return [change for _, _, change in sorted(found, key=lambda one: one[:2])]


def _is_worth_it(token: int, written: Sequence[int], end: int, letters: Letters) -> bool:
    """Return whether writing `token` in place of `written[0]` may change words, not only punctuation or capitals.

    At the end of the text, a change of punctuation is also tried, because the decoder may have ended the text too early
    after a full stop.
    """
    if token == written[0]:
        return False
    if token == end or end in written[:2]:
        return True
    return bool(letters(token)) and letters(token) != letters(written[0])


def _follow(change: _Change, prefixes: Sequence[Prefix], first: Path, end: int, most_tokens: int) -> None:
    """Extend a change by the most probable next tokens, until it ends, is given up, or agrees with the first text."""
    for prefix, guess in zip(prefixes, [*change.guessed, None], strict=True):
        change.path.append(Choice(prefix, prefix.best[0]))
        change.meets = _meeting(change, first)
        has_led_somewhere = prefix.best[0] == end or change.meets is not None
        change.is_over = has_led_somewhere or _is_hopeless(change, first, most_tokens)
        if change.is_over or prefix.best[0] != guess:
            break
    change.guessed = []


def _is_hopeless(change: _Change, first: Path, most_tokens: int) -> bool:
    """Return whether a change is given up, because it is too long or too improbable.

    A change that begins at one of the last tokens of the first text is given up only if the whole text becomes longer
    than `most_tokens`.
    """
    if change.start + len(change.path) >= most_tokens:
        return True
    if change.start + _LAST >= len(first):
        return False
    replaced = first[change.start : change.start + len(change.path)]
    lost = sum(choice.logprob for choice in replaced) - sum(choice.logprob for choice in change.path)
    return len(change.path) > LONGEST or lost > MOST_LOST


def _meeting(change: _Change, first: Path) -> int | None:
    """Return the index of the token of the greedy text with which an alternative text continues after its change.

    A change ends when its last `AGREEING` tokens are also in the greedy text, at most `SHIFT` tokens away. If they are
    not, return None.

    Args:
        change: the tokens that an alternative text has in place of some tokens of the greedy text.
        first: all tokens of the greedy text.
    """
    if len(change.path) <= AGREEING:
        return None
    last = [choice.token for choice in change.path[-AGREEING:]]
    here = change.start + len(change.path) - AGREEING
    for place in range(max(change.start, here - SHIFT), here + SHIFT + 1):
        if [choice.token for choice in first[place : place + AGREEING]] == last:
            return place + AGREEING
    return None
