"""Recognise a recording only while there is no other request.

The bot requests second hypotheses in this way, so second hypotheses delay no other request.
"""

import threading

from glas.domain.errors import OverloadedError
from glas.recognition import Job

_RETRY_S = 60.0


class IdleWork:
    """Accepts at most one recording at a time. When any other request arrives, `make_way` stops the recognition."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._job: Job | None = None

    def begin(self, job: Job, n_in_flight: int) -> None:
        """Accept a recording if the service has no other work.

        Args:
            job: the job of the recording.
            n_in_flight: number of other recordings that are being recognised or wait.

        Raises:
            OverloadedError: another recording is being recognised or waits.
        """
        with self._lock:
            if n_in_flight or self._job is not None:
                raise OverloadedError(
                    "expected an idle service, but other recordings wait for a text", retry_after_s=_RETRY_S
                )
            self._job = job

    def end(self, job: Job) -> None:
        """Record that the recognition of a recording has ended, so that another recording can be accepted."""
        with self._lock:
            if self._job is job:
                self._job = None

    def make_way(self) -> None:
        """Stop the recognition of the accepted recording, if there is one. Call this when another request arrives."""
        with self._lock:
            job = self._job
        if job is not None:
            job.give_up(OverloadedError("the service was idle, and is not any more", retry_after_s=_RETRY_S))
