"""The log of a bot's calls, and the number of calls that exceed Telegram's rates."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

SENDING = frozenset({"sendMessage", "sendDocument", "sendPhoto", "sendVoice"})
EDITING = frozenset({"editMessageText", "editMessageReplyMarkup", "editMessageMedia"})

MAX_PER_SECOND = 30
MAX_PER_GROUP_MINUTE = 20


@dataclass(frozen=True)
class Call:
    """One call; `at_s` is monotonic time at its arrival, `outcome` is `ok`, an error code, or `cut`."""

    number: int
    at_s: float
    method: str
    params: dict[str, Any]
    outcome: str

    @property
    def chat_id(self) -> int | None:
        """The chat of the call."""
        value = self.params.get("chat_id")
        return None if value is None else int(value)


class Violations(NamedTuple):
    """Calls that Telegram would refuse; all zeros for a correct bot."""

    over_30_per_second: int
    over_1_per_second_in_chat: int
    over_20_per_minute_in_group: int
    before_retry_after: int


def violations(calls: Iterable[Call], *, impatient: int = 0) -> Violations:
    """Count breaches.

    New messages and edits count towards the whole and towards a group's minute; only new messages count towards a
    chat's second, because edits have a budget of their own there.

    Args:
        calls: the log.
        impatient: calls that came before the end of a `retry_after`, as the server has counted them.
    """
    counted = [call for call in calls if call.method in SENDING | EDITING]
    everything = [call.at_s for call in counted]
    sent: dict[int, list[float]] = defaultdict(list)
    in_groups: dict[int, list[float]] = defaultdict(list)
    for call in counted:
        if call.chat_id is None:
            continue
        if call.method in SENDING:
            sent[call.chat_id].append(call.at_s)
        if call.chat_id < 0:
            in_groups[call.chat_id].append(call.at_s)
    return Violations(
        _over(everything, MAX_PER_SECOND, 1.0),
        sum(_over(times, 1, 1.0) for times in sent.values()),
        sum(_over(times, MAX_PER_GROUP_MINUTE, 60.0) for times in in_groups.values()),
        impatient,
    )


def _over(times: Sequence[float], limit: int, window_s: float) -> int:
    """Return how many events exceed the limit within the window that ends with them."""
    ordered = sorted(times)
    return sum(index + 1 - bisect_right(ordered, at - window_s) > limit for index, at in enumerate(ordered))
