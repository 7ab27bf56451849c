"""Limit how often an address may try to sign in with links that do not work."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

_WINDOW_S: Final = 60.0
_MOST_IN_WINDOW: Final = 10
_MOST_ADDRESSES: Final = 10_000


class Tries:
    """Count, by network address, the links that did not work.

    Valid links are not counted. So people who sign in do not lock out others with the same address.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failed: dict[str, deque[float]] = {}

    def wait_s(self, address: str) -> float:
        """Return the number of seconds that an address must wait; 0 if it may try now."""
        failed = self._failed.get(address, deque())
        while failed and failed[0] <= self._now() - _WINDOW_S:
            failed.popleft()
        return max(failed[0] + _WINDOW_S - self._now(), 1.0) if len(failed) >= _MOST_IN_WINDOW else 0.0

    def fail(self, address: str) -> None:
        """Count a link that did not work."""
        if len(self._failed) >= _MOST_ADDRESSES:
            self._failed.clear()
        self._failed.setdefault(address, deque()).append(self._now())
