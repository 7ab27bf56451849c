"""Limit the number of events within a minute: attempts to sign in with an invalid link, and requests of a person."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

_WINDOW_S: Final = 60.0
_MOST_KEYS: Final = 10_000


class MinuteLimit:
    """Counts events by key; if a key had too many events within a minute, it must wait before the next event.

    Attempts to sign in with an invalid link are counted by network address. Valid links are not counted, so people who
    sign in do not lock out others with the same address. Requests of people who are signed in are counted by person.
    """

    def __init__(self, most: int, now: Callable[[], float] = time.monotonic) -> None:
        """Permit each key `most` events within a minute."""
        self.most = most
        self._now = now
        self._counted: dict[str, deque[float]] = {}

    def wait_s(self, key: str) -> float:
        """Return the number of seconds that a key must wait; 0 if another event is permitted now."""
        counted = self._counted.get(key, deque())
        while counted and counted[0] <= self._now() - _WINDOW_S:
            counted.popleft()
        return max(counted[0] + _WINDOW_S - self._now(), 1.0) if len(counted) >= self.most else 0.0

    def count(self, key: str) -> None:
        """Count an event."""
        if len(self._counted) >= _MOST_KEYS:
            self._counted.clear()
        self._counted.setdefault(key, deque()).append(self._now())
