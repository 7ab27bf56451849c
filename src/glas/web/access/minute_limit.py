"""Limit, for each minute, the requests of a person and the invalid sign-in links from a network address."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

_WINDOW_S: Final = 60.0
_MOST_KEYS: Final = 10_000


class MinuteLimit:
    """Counts events separately for each key (a name), and permits only a certain number of events of a key in a minute.

    For attempts to sign in with an invalid link, the key is the network address. Valid links are not counted, because
    many people with the same address may sign in within a minute. For requests of people who are signed in, the key is
    the person.
    """

    def __init__(self, most: int, now: Callable[[], float] = time.monotonic) -> None:
        """Permit each key `most` events within a minute; `now` returns the present time in seconds."""
        self.most = most
        self._now = now
        self._counted: dict[str, deque[float]] = {}

    def wait_s(self, key: str) -> float:
        """Return the seconds until the next event of a key is permitted; 0 if it is permitted now."""
        counted = self._counted.get(key, deque())
        while counted and counted[0] <= self._now() - _WINDOW_S:
            counted.popleft()
        return max(counted[0] + _WINDOW_S - self._now(), 1.0) if len(counted) >= self.most else 0.0

    def count(self, key: str) -> None:
        """Count an event of a key."""
        if len(self._counted) >= _MOST_KEYS:
            self._counted.clear()
        self._counted.setdefault(key, deque()).append(self._now())
