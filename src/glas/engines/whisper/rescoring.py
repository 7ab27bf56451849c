"""Choose among the texts for one sound with the help of a separate language model of Russian words.

A text's score is `log P(text | sound) + WEIGHT * (log P(words) + WORD_BONUS * number of words)`. Both constants were
chosen with OpenAI's whisper-base. With this model, every weight from 0.1 to 0.3, and every bonus from 0 to 8, reduces
the errors (docs/lab-notes.md).

The score is a sum over the tokens and words of a text. Missing words do not lower this sum, so a text that ends too
early can have a higher score than the whole text. The mean of the log-probabilities of the tokens does not have this
fault. Therefore a text cannot be chosen if it is much shorter than the text with the highest mean.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from glas.engines.language_model import LanguageModel
from glas.engines.whisper.backend import Draft
from glas.engines.whisper.confidence import Alternative

WEIGHT = 0.15
WORD_BONUS = 3.0  # natural logarithm of probability; without it short texts are preferred
LEAST_LENGTH = 0.85  # of the letters of the text with the highest mean


class Chosen(NamedTuple):
    """The chosen draft, its text, and all texts of the sound."""

    draft: Draft
    text: str
    alternatives: list[Alternative]


def choose(drafts: Sequence[Draft], read: Callable[[list[int]], str], language_model: LanguageModel | None) -> Chosen:
    """Choose the text of one sound with the highest score, as the module's docstring defines it.

    Drafts with a higher score than the first draft may differ from the first draft in different places. In this case,
    their differences are combined into one more text, which is chosen if its score is higher still.

    Args:
        drafts: drafts of one sound, the most probable one first.
        read: function that returns the text of a list of tokens.
        language_model: a language model of the written language; without it, the text with the highest mean
            log-probability of its tokens is chosen.
    """
    found = [Alternative(read(draft.tokens), _logprob(draft)) for draft in drafts]
    # A text that was cut off has no end token. The scores of all other texts contain the probability of the end token,
    # so a text that was cut off cannot be compared with them.
    ended = [number for number, draft in enumerate(drafts) if draft.has_ended] or [0]
    likely = max(ended, key=lambda number: drafts[number].avg_logprob)
    if language_model is None or len(ended) == 1:
        return Chosen(drafts[likely], found[likely].text, found)

    def score(text: str, logprob: float) -> float:
        words = language_model.logprobs(text)
        return logprob + WEIGHT * (sum(words) + WORD_BONUS * len(words))

    least = LEAST_LENGTH * len(found[likely].text)
    scores = {number: score(*found[number]) for number in ended if len(found[number].text) >= least}
    best = max(scores, key=lambda number: scores[number])
    chosen = Chosen(drafts[best], found[best].text, found)
    if 0 not in scores or drafts[best].replaced is None:
        return chosen
    better = sorted((number for number in scores if scores[number] > scores[0]), key=lambda number: -scores[number])
    changed = with_changes(drafts[0], [drafts[number] for number in better])
    text = read(changed.tokens)
    if len(text) >= least and score(text, _logprob(changed)) > scores[best]:
        return Chosen(changed, text, [*found, Alternative(text, _logprob(changed))])
    return chosen


def with_changes(first: Draft, changed: Sequence[Draft]) -> Draft:
    """Make one draft with the differences of several drafts from the first draft.

    If the differences of two drafts overlap, only those of the draft that is earlier in `changed` are used.
    """
    taken: list[tuple[int, int, list[_Step]]] = []
    steps = _steps(first)
    for draft in changed:
        start, end = draft.replaced or (0, 0)
        others = _steps(draft)
        new = others[start : len(others) - (len(steps) - end)]
        if all(end <= before or after <= start for before, after, _ in taken):
            taken.append((start, end, new))
    for start, end, new in sorted(taken, key=lambda one: one[:2], reverse=True):
        steps[start:end] = new
    return _draft(first, steps)


class _Step(NamedTuple):
    """One token of a draft, or its end (None), with its log-probability, and the attention when it was predicted."""

    token: int | None
    logprob: float
    look: npt.NDArray[np.float32] | None


def _steps(draft: Draft) -> list[_Step]:
    logprobs = draft.logprobs or [draft.avg_logprob] * len(draft.tokens)
    tokens: list[int | None] = [*draft.tokens]
    if draft.has_ended:
        tokens, logprobs = [*tokens, None], [*logprobs, _logprob(draft) - sum(logprobs)]
    looks = draft.attention[-len(tokens) :] if draft.attention and tokens else [None] * len(tokens)
    return [_Step(*step) for step in zip(tokens, logprobs, looks, strict=True)]


def _draft(first: Draft, steps: Sequence[_Step]) -> Draft:
    """Make a draft from steps; the attention for the prompt is taken from the first draft."""
    tokens = [step.token for step in steps if step.token is not None]
    logprobs = [step.logprob for step in steps]
    looks = [step.look for step in steps if step.look is not None]
    n_before = len(first.attention) - len(_steps(first)) if first.attention else 0
    return first._replace(
        tokens=tokens,
        avg_logprob=min(sum(logprobs) / len(logprobs), 0.0) if tokens else 0.0,
        has_ended=len(steps) > len(tokens),
        logprobs=logprobs[: len(tokens)],
        attention=(*first.attention[:n_before], *looks) if first.attention else None,
    )


def _logprob(draft: Draft) -> float:
    return draft.avg_logprob * (len(draft.tokens) + draft.has_ended)
