"""Limit how often an address may try to sign in with links that do not work."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

_WINDOW_S: Final = 60.0
_MOST_KEYS: Final = 10_000


class Tries:
    """Count, by network address, the links that did not work.

    Valid links are not counted. So people who sign in do not lock out others with the same address.
    """

    def __init__(self, most: int, now: Callable[[], float] = time.monotonic) -> None:
        """Initialise it; `most` is the number of events that a key may have within a minute."""
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
