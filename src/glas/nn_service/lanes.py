"""Lanes: how many recordings are decoded at once, so that long ones leave room for messages.

Every recording begins in the lane of messages. One that turns out to be longer than a message must change over; if the
lane of long ones is full, it gives its decoder back and is decoded anew when its turn has come. So a few recordings
of hours, whose decoders wait for the recogniser most of the time, can never hold all decoders.
"""

import threading
from collections import deque
from concurrent.futures import Future

from glas.nn_service.job import Job

# Longer than nearly all voice messages; decoding that much takes a few tenths of a second.
MESSAGE_S = 60.0


class Lane:
    """A number of places, given out in the order in which they were asked for."""

    def __init__(self, places: int) -> None:
        self._lock = threading.Lock()
        self._free = places
        self._waiting: deque[Future[None]] = deque()

    def ask(self) -> Future[None]:
        """Ask for a place: done once it is ours. Whoever does not want it any more cancels, and leaves if too late."""
        place: Future[None] = Future()
        with self._lock:
            self._waiting.append(place)
            self._give_out()
        return place

    def leave(self) -> None:
        """Give a place back."""
        with self._lock:
            self._free += 1
            self._give_out()

    def _give_out(self) -> None:
        while self._free and self._waiting:
            place = self._waiting.popleft()
            if place.set_running_or_notify_cancel():
                self._free -= 1
                place.set_result(None)


class Passage:
    """One job's place in the lanes; a context manager that gives back whatever it has at the end."""

    def __init__(self, job: Job, messages: Lane, long: Lane) -> None:
        self._job = job
        self._messages = messages
        self._long = long
        self._held: Lane | None = None
        self._asked: Future[None] | None = None

    def enter(self) -> None:
        """Wait for a place: at first among messages, later among long recordings.

        Raises:
            GlasError: what `Job.check` raises.
        """
        if self._held is not None:
            return
        lane = self._long if self._job.is_long else self._messages
        place = self._asked or lane.ask()
        self._asked = None
        try:
            self._job.wait(place)
        except BaseException:
            if not place.cancel():
                lane.leave()
            raise
        self._held = lane

    def lengthen(self) -> bool:
        """The recording is longer than a message.

        Returns:
            Whether decoding may go on; if not, the decoder must be given back before `enter` is called again.
        """
        self._job.is_long = True
        self._asked = self._long.ask()
        self.leave()
        if not self._asked.done():
            return False
        self._asked, self._held = None, self._long
        return True

    def leave(self) -> None:
        """Give the place back."""
        held, self._held = self._held, None
        if held is not None:
            held.leave()

    def close(self) -> None:
        """Give back what is held, and what was asked for."""
        self.leave()
        asked, self._asked = self._asked, None
        if asked is not None and not asked.cancel():
            self._long.leave()
