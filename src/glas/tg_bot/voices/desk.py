"""Limit the recognitions that run at once, number the waiting recordings, and hold bytes in memory meanwhile."""

import asyncio
from bisect import bisect_left
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager


class Ticket:
    """A recording that waits or is being recognised."""

    def __init__(self, desk: "Desk", came_s: int) -> None:
        self._desk = desk
        self.came_s = came_s
        self.called = asyncio.Event()
        self.is_paused = False

    def pause(self) -> None:
        """Mark, within the context, that this recording waits for an unavailable service."""
        self.is_paused = True

    @property
    def place(self) -> int:
        """Return the place in the queue, from 1; 0 while it is being recognised."""
        return self._desk.place(self)


class Desk:
    """Run at most `seats` recognitions at once, in the order of arrival.

    Other processes have desks of their own; their waiting recordings arrive from time to time, as `elsewhere`.
    """

    def __init__(self, seats: int) -> None:
        self._free = seats
        self._waiting: deque[Ticket] = deque()
        self.elsewhere: Sequence[int] = ()

    def ticket(self, came_s: int = 0) -> Ticket:
        """Make a ticket for a new recording; this does not wait.

        Args:
            came_s: when, by the one clock that all desks share (Unix time).
        """
        return Ticket(self, came_s)

    def waiting(self) -> list[int]:
        """Return the arrival times of the recordings that wait in this process."""
        return [ticket.came_s for ticket in self._waiting]

    def place(self, ticket: Ticket) -> int:
        """Return the place of a ticket among all waiting recordings, in this and in the other processes."""
        if ticket not in self._waiting:
            return 0
        return self._waiting.index(ticket) + 1 + bisect_left(self.elsewhere, ticket.came_s)

    @asynccontextmanager
    async def served(self, ticket: Ticket) -> AsyncIterator[None]:
        """Wait for a seat, and hold it within the context."""
        if self._free:
            self._free -= 1
        else:
            self._waiting.append(ticket)
            try:
                await ticket.called.wait()
            except BaseException:
                # If the seat was given at the moment of the cancellation, pass it on.
                if ticket in self._waiting:
                    self._waiting.remove(ticket)
                else:
                    self._release()
                raise
        ticket.called.clear()
        try:
            yield
        finally:
            self._release()

    def _release(self) -> None:
        if self._waiting:
            self._waiting.popleft().called.set()
        else:
            self._free += 1


class Shelf:
    """Cache of recordings' bytes between two steps, so that they are not downloaded twice; empty after a crash."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._files: OrderedDict[str, bytes] = OrderedDict()

    def put(self, name: str, data: bytes) -> None:
        """Store a file, and drop the oldest ones if there are too many bytes."""
        self.take(name)
        if len(data) > self._max_bytes:
            return
        self._files[name] = data
        self._bytes += len(data)
        while self._bytes > self._max_bytes:
            _, oldest = self._files.popitem(last=False)
            self._bytes -= len(oldest)

    def get(self, name: str) -> bytes | None:
        """Return a file, if it is there."""
        return self._files.get(name)

    def take(self, name: str) -> bytes | None:
        """Return a file and drop it."""
        data = self._files.pop(name, None)
        self._bytes -= len(data or b"")
        return data
