"""The answers that people get, and when: the first and the last reply, read from the simulated Telegram."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.bot_under_load.speaking import Sent
from tests.telegram.server import TelegramServer

_WAITING = ("…", "⏳", "🎧")
_REFUSED = ("Слишком часто", "Сегодня")


class Seen(NamedTuple):
    """The result of a recording.

    Attributes:
        first_s: seconds until the first reply, which says that it waits or what was said; infinite without one.
        last_s: seconds until the text, or until the person was told why there is none; infinite if neither came.
        text: the last reply.
        n_answers: replies that are no longer placeholders.
    """

    sent: Sent
    first_s: float
    last_s: float
    text: str
    n_answers: int

    @property
    def is_refused(self) -> bool:
        """Return whether the answer explains a limit instead of containing a text."""
        return self.text.startswith(_REFUSED)


def seen(telegram: TelegramServer, sent: Sequence[Sent]) -> list[Seen]:
    """Return the results of all recordings so far."""
    with telegram.world.lock:
        messages, versions = list(telegram.world.messages.values()), list(telegram.world.versions)
    replied = {
        (one["chat"]["id"], one["message_id"]): one["reply_to_message"]["message_id"]
        for one in messages
        if one["from"]["is_bot"] and "reply_to_message" in one
    }
    first: dict[tuple[int, int], float] = {}
    last: dict[tuple[int, int], tuple[float, str]] = {}
    for version in versions:
        to = replied.get((version.chat_id, version.message_id))
        if to is not None:
            first.setdefault((version.chat_id, to), version.at_s)
            if not version.text.startswith(_WAITING):
                last.setdefault((version.chat_id, to), (version.at_s, version.text))
    answers = Counter(
        (one["chat"]["id"], one["reply_to_message"]["message_id"])
        for one in messages
        if one["from"]["is_bot"] and "reply_to_message" in one and not one.get("text", "").startswith(_WAITING)
    )
    never = (float("inf"), "")
    found = []
    for one in sent:
        place = (one.chat_id, one.message_id)
        at_s, text = last.get(place, never)
        found.append(Seen(one, first.get(place, float("inf")) - one.at_s, at_s - one.at_s, text, answers[place]))
    return found


def summary(name: str, found: Sequence[Seen]) -> str:
    """One line about some recordings."""
    if not found:
        return f"{name}: none"
    first, last = ([getattr(one, which) for one in found] for which in ("first_s", "last_s"))
    answered = [one.last_s for one in found if one.last_s < float("inf") and not one.is_refused]
    told = ", ".join(f"p{percent} {_percentile(first, percent):.2f} s" for percent in (50, 95))
    text = ", ".join(f"p{percent} {_percentile(answered, percent):.1f} s" for percent in (50, 95)) if answered else "-"
    refused = sum(one.is_refused for one in found)
    left = sum(one == float("inf") for one in last)
    return (
        f"{name}: {len(found)} recordings; first reply {told}; text {text}; {refused} refused, {left} not yet answered"
    )


def _percentile(values: Sequence[float], percent: int) -> float:
    return float(np.percentile(values, percent, method="inverted_cdf"))
