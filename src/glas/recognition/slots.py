"""Limit how many recordings are decoded at the same time, separately for messages and for long recordings.

A slot is the right to decode one recording. In this module, a message is a recording of at most `MESSAGE_S` seconds.

The length of a recording is not known at first, so each recording begins with a slot for messages. When more than
`MESSAGE_S` seconds are decoded, the recording needs a slot for long recordings. If no such slot is free, the decoder of
the recording is closed. The recording then waits for a slot, and is decoded again from its start. The decoder of a long
recording waits for engines most of the time, and occupies its slot while it waits. Because long recordings have
separate slots, they can never occupy all decoders.
"""

import threading
from collections import deque
from concurrent.futures import Future

from glas.recognition.job import Job

# Nearly all voice messages are shorter than this. Decoding so many seconds takes a few tenths of a second.
MESSAGE_S = 60.0


class SlotPool:
    """A fixed number of slots. Requests for a slot are granted in their order.

    Args:
        size: number of slots.
    """

    def __init__(self, size: int) -> None:
        self._lock = threading.Lock()
        self._free = size
        self._waiting: deque[Future[None]] = deque()

    def request(self) -> Future[None]:
        """Request a slot.

        Returns:
            A future that is done when the request is granted. To withdraw the request, cancel the future. If the future
            cannot be cancelled, the request was granted already, and the slot must be released.
        """
        slot: Future[None] = Future()
        with self._lock:
            self._waiting.append(slot)
            self._give_out()
        return slot

    def release(self) -> None:
        """Return a slot to the pool."""
        with self._lock:
            self._free += 1
            self._give_out()

    def _give_out(self) -> None:
        while self._free and self._waiting:
            slot = self._waiting.popleft()
            if slot.set_running_or_notify_cancel():
                self._free -= 1
                slot.set_result(None)


class JobSlot:
    """The slot of one job.

    Args:
        job: the job of the recording.
        messages: slots for recordings that are not known to be long.
        long: slots for long recordings.
    """

    def __init__(self, job: Job, messages: SlotPool, long: SlotPool) -> None:
        self._job = job
        self._messages = messages
        self._long = long
        self._held: SlotPool | None = None
        self._requested: Future[None] | None = None

    def acquire(self) -> None:
        """Wait for a slot.

        If `lengthen` was not called, this is a slot for messages; otherwise, this is a slot for long recordings.

        Raises:
            GlasError: the errors of `Job.check`.
        """
        if self._held is not None:
            return
        pool = self._long if self._job.is_long else self._messages
        slot = self._requested or pool.request()
        self._requested = None
        try:
            self._job.wait(slot)
        except BaseException:
            if not slot.cancel():
                pool.release()
            raise
        self._held = pool

    def lengthen(self) -> bool:
        """Exchange the slot for messages for a slot for long recordings.

        Returns:
            True if a slot for long recordings was free; decoding may continue. False if not; then the decoder must be
            closed before `acquire` is called again.
        """
        self._job.is_long = True
        self._requested = self._long.request()
        self.release()
        if not self._requested.done():
            return False
        self._requested, self._held = None, self._long
        return True

    def release(self) -> None:
        """Return the slot to the pool."""
        held, self._held = self._held, None
        if held is not None:
            held.release()

    def close(self) -> None:
        """Return the slot to the pool, and withdraw the request for a further slot, if there is one."""
        self.release()
        requested, self._requested = self._requested, None
        if requested is not None and not requested.cancel():
            self._long.release()
