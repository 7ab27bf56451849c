"""Limit how many recognitions run at the same time, compute places in the queue, and cache bytes of recordings."""

import asyncio
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from enum import Enum, auto

from glas import tracing
from glas.clients.events import PartialText


class Phase(Enum):
    """State of a recording: for which step it waits, or which step is running."""

    QUEUED = auto()
    DOWNLOADING = auto()
    RECOGNISING = auto()
    PAUSED = auto()


class Ticket:
    """A recording that waits or is being recognised."""

    def __init__(self, recognition_queue: "RecognitionQueue", came_s: int) -> None:
        self._recognition_queue = recognition_queue
        self.came_s = came_s
        self.phase = Phase.QUEUED
        self.partial: PartialText | None = None
        self.called = asyncio.Event()

    def pause(self) -> None:
        """Record that the recording waits for an unavailable service, until the next attempt."""
        self.phase = Phase.PAUSED

    def tell(self, partial: PartialText) -> None:
        """Record the progress of the recognition."""
        self.partial = partial

    @property
    def place(self) -> int:
        """Return the place in the queue, from 1; 0 if the recording is not in the queue."""
        return self._recognition_queue.place(self)


class RecognitionQueue:
    """Limits the recognitions that run at the same time to the number `seats`.

    A seat is the right of a recording to be recognised now. All recordings that are being downloaded or wait for a seat
    form one queue, in the order in which they were sent. A free seat is given to the first recording in the queue whose
    bytes are available. So a slow download delays no other recording.

    Each process has a separate queue. `elsewhere` contains the times at which the waiting recordings of the other
    processes were sent; `Notice` updates it at intervals.
    """

    def __init__(self, seats: int) -> None:
        self._n_free = seats
        self._line: list[Ticket] = []
        self._ready: set[Ticket] = set()
        self.elsewhere: Sequence[int] = ()

    def ticket(self, came_s: int = 0) -> Ticket:
        """Make a ticket for a new recording; the recording is not in the queue yet.

        Args:
            came_s: Unix time in seconds at which the recording was sent. The recordings of all processes are sorted by
                this time.
        """
        return Ticket(self, came_s)

    def waiting(self) -> list[int]:
        """Return the Unix times, in seconds, at which the recordings in this process's queue were sent."""
        return [ticket.came_s for ticket in self._line]

    def place(self, ticket: Ticket) -> int:
        """Return the place of a recording among all waiting recordings, from 1; 0 if the recording does not wait.

        The waiting recordings of all processes are counted.
        """
        if ticket not in self._line:
            return 0
        return self._line.index(ticket) + 1 + bisect_left(self.elsewhere, ticket.came_s)

    @contextmanager
    def in_line(self, ticket: Ticket) -> Iterator[None]:
        """Put a ticket into the queue; it is removed from the queue when it gets a seat, or when the context ends."""
        ticket.phase = Phase.QUEUED
        ticket.called.clear()
        insort(self._line, ticket, key=lambda one: one.came_s)
        try:
            yield
        finally:
            self._leave(ticket)

    @asynccontextmanager
    async def seat(self, ticket: Ticket) -> AsyncIterator[None]:
        """Wait for a seat, and keep the seat while the context is open.

        The caller must have put the ticket into the queue, and must have the bytes of the recording.
        """
        ticket.phase = Phase.QUEUED
        self._ready.add(ticket)
        self._give_seats()
        try:
            with tracing.span("tg_bot", "wait for a seat"):
                await ticket.called.wait()
        except BaseException:
            # If the seat was given at the moment of the cancellation, pass it on.
            if ticket.called.is_set():
                self._release()
            self._leave(ticket)
            raise
        ticket.phase, ticket.partial = Phase.RECOGNISING, None
        try:
            yield
        finally:
            self._release()

    def _give_seats(self) -> None:
        while self._n_free and (ticket := next((one for one in self._line if one in self._ready), None)) is not None:
            self._n_free -= 1
            self._leave(ticket)
            ticket.called.set()

    def _release(self) -> None:
        self._n_free += 1
        self._give_seats()

    def _leave(self, ticket: Ticket) -> None:
        self._ready.discard(ticket)
        if ticket in self._line:
            self._line.remove(ticket)


class ByteCache:
    """A cache for the bytes of recordings, so that a recording is not downloaded again for the next step.

    The cache is only in memory, so it is empty after a crash.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._files: OrderedDict[str, bytes] = OrderedDict()

    def put(self, name: str, data: bytes) -> None:
        """Store a file; if the cache then contains too many bytes, remove the oldest files."""
        self.take(name)
        if len(data) > self._max_bytes:
            return
        self._files[name] = data
        self._bytes += len(data)
        while self._bytes > self._max_bytes:
            _, oldest = self._files.popitem(last=False)
            self._bytes -= len(oldest)

    def get(self, name: str) -> bytes | None:
        """Return a file; None if the cache does not contain it."""
        return self._files.get(name)

    def take(self, name: str) -> bytes | None:
        """Remove a file from the cache and return it; return None if the cache does not contain it."""
        data = self._files.pop(name, None)
        self._bytes -= len(data or b"")
        return data
