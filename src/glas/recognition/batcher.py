"""The batcher: a queue of pieces of speech from all recordings, and worker threads that recognise them.

The pieces are recognised in the order of start-time fair queueing (Goyal, Vin, Cheng: "Start-time Fair Queuing",
SIGCOMM 1996). Each piece gets a number (its tag) when it is put into the queue, and the piece with the smallest tag is
taken first. The tags are computed from a virtual time in seconds, which begins at 0. When a piece is taken, the virtual
time is set to the tag of this piece, unless the virtual time is higher already. The tag of a new piece is the larger of
two values. The first value is the virtual time. The second value is the tag of the previous piece of the same recording
plus the duration of this previous piece in seconds. So all recordings get equal shares of the workers' time, and a
short recording does not wait until a recording of two hours is finished.

While pieces of long recordings are recognised, one additional worker is available for messages (here: recordings of at
most `glas.recognition.slots.MESSAGE_S` seconds). So a message need not wait until a piece of a long recording, which
may be half a minute long, is recognised.

A worker recognises several pieces together (a batch) only if the engine is faster with batches
(`Abilities.batch_size`). A batch consists of pieces that are in the queue already, so no piece waits for later pieces.
If other workers have no work at the moment, the worker leaves an equal share of the pieces to each of them.
"""

import bisect
import itertools
import math
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from glas.domain.errors import ServiceStoppingError
from glas.domain.transcription import SAMPLE_RATE_HZ, Hypothesis, Samples
from glas.engines import Engine
from glas.engines.allocator import Trimming
from glas.recognition.job import Job
from glas.system.threads import give_way

# Least ratio of the lengths of two pieces in one batch. All pieces of a batch are padded to the length of the longest
# piece, so a much shorter piece would take nearly as much time as the longest piece.
_LEAST_SHARE = 0.75


@dataclass(eq=False)
class _Piece:
    """A piece of speech in the queue, with the job to which the piece belongs and the engine that will recognise it."""

    tag: float
    number: int
    job: Job
    engine: Engine
    samples: Samples
    is_long: bool
    future: Future[Hypothesis] = field(default_factory=Future)

    @property
    def duration_s(self) -> float:
        return len(self.samples) / SAMPLE_RATE_HZ

    @property
    def place(self) -> tuple[float, int]:
        return self.tag, self.number

    def goes_with(self, other: "_Piece") -> bool:
        shorter, longer = sorted((len(self.samples), len(other.samples)))
        is_alike = self.engine is other.engine and self.job.options == other.job.options
        return is_alike and shorter >= _LEAST_SHARE * longer


class Batcher:
    """Recognises pieces of speech in worker threads. Each piece is recognised by the engine that was passed with it.

    Args:
        workers: number of calls of engines that run at the same time. While pieces of long recordings are recognised,
            one more call may run.
    """

    def __init__(self, workers: int) -> None:
        self._changed = threading.Condition()
        self._waiting: list[_Piece] = []  # ascending by `place`
        self._numbers = itertools.count()
        self._virtual_s = 0.0
        self._n_running = 0  # workers that call an engine now
        self._n_long = 0  # how many of these workers recognise a piece of a long recording
        self._is_closed = False
        self._workers = workers
        self._trimming = Trimming()
        names = (f"engine-{index}" for index in range(workers + 1))
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for name in names]
        for thread in self._threads:
            thread.start()

    def submit(self, job: Job, engine: Engine, samples: Samples) -> Future[Hypothesis]:
        """Put a piece into the queue.

        Args:
            job: the job of the recording to which the piece belongs.
            engine: the engine, which must not be closed before the future is done.
            samples: shape `(n_samples,)`, no longer than the engine's window.

        Returns:
            A future for the hypothesis. If the future is cancelled before the piece is taken, the piece is not
            recognised.

        Raises:
            ServiceStoppingError: the batcher is closed.
        """
        with self._changed:
            if self._is_closed:
                raise _closed()
            tag = max(self._virtual_s, job.finish_tag)
            piece = _Piece(tag, next(self._numbers), job, engine, samples, job.is_long)
            job.finish_tag = tag + piece.duration_s
            bisect.insort(self._waiting, piece, key=lambda one: one.place)
            self._changed.notify()
        return piece.future

    def close(self) -> None:
        """Wait for the running calls of engines, and stop the workers.

        The futures of the pieces in the queue get `ServiceStoppingError`.
        """
        with self._changed:
            self._is_closed = True
            left, self._waiting = self._waiting, []
            self._changed.notify_all()
        for piece in left:
            if piece.future.set_running_or_notify_cancel():
                piece.future.set_exception(_closed())
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        give_way()
        while batch := self._next():
            _recognise(batch)
            with self._changed:
                self._count(batch, -1)
                # Pieces for which no worker was permitted may be taken now.
                self._changed.notify_all()
            del batch  # otherwise its samples would stay in memory until the next batch
            self._trimming.after_work()

    def _next(self) -> list[_Piece]:
        """Wait for the next batch; return an empty list when the batcher is closed."""
        with self._changed:
            while True:
                batch = self._take()
                if batch or self._is_closed:
                    return batch
                self._changed.wait()

    def _take(self) -> list[_Piece]:
        self._waiting = [piece for piece in self._waiting if not piece.future.cancelled()]
        first = next((piece for piece in self._waiting if self._may_go(piece)), None)
        if first is None:
            return []
        company = [piece for piece in self._waiting if piece is not first and first.goes_with(piece)]
        batch = [first, *company[: self._most(first, len(company)) - 1]]
        chosen = {piece.number for piece in batch}
        self._waiting = [piece for piece in self._waiting if piece.number not in chosen]
        self._virtual_s = max(self._virtual_s, first.tag)
        batch = [piece for piece in batch if piece.future.set_running_or_notify_cancel()]
        if not batch:
            return self._take()
        self._count(batch, +1)
        return batch

    def _most(self, first: _Piece, n_company: int) -> int:
        """Return the largest permitted number of pieces in a batch whose first piece is `first`.

        The number has three limits: the batch size of the engine, this worker's equal share of the pieces, and the
        number of pieces whose total duration is at most the engine's limit (`Abilities.batch_s`).

        Args:
            first: a piece from the queue.
            n_company: number of other pieces in the queue that can be in the same batch.
        """
        n_free_beside = max(0, self._workers - self._n_running - 1)
        share = math.ceil((1 + n_company) / (1 + n_free_beside))
        patience = max(1, int(first.engine.abilities.batch_s / max(first.duration_s, 1e-3)))
        return min(first.engine.abilities.batch_size, share, patience)

    def _may_go(self, piece: _Piece) -> bool:
        if self._n_running < self._workers:
            return True
        return not piece.is_long and self._n_long > 0 and self._n_running == self._workers

    def _count(self, batch: Sequence[_Piece], step: int) -> None:
        self._n_running += step
        if any(piece.is_long for piece in batch):
            self._n_long += step


def _closed() -> ServiceStoppingError:
    return ServiceStoppingError("the service is stopping")


def _recognise(batch: Sequence[_Piece]) -> None:
    """Recognise a batch. If the engine fails, recognise each piece alone, so that only the faulty piece fails."""
    began = time.monotonic()
    try:
        heard = batch[0].engine.recognise([piece.samples for piece in batch], batch[0].job.options)
    except BaseException as error:  # noqa: BLE001 - passed on to those who wait
        if len(batch) == 1:
            batch[0].future.set_exception(error)
            return
        for piece in batch:
            _recognise([piece])
        return
    elapsed_s, total = time.monotonic() - began, sum(len(piece.samples) for piece in batch)
    for piece, hypothesis in zip(batch, heard, strict=True):
        piece.job.engine_s += elapsed_s * len(piece.samples) / max(total, 1)
        piece.future.set_result(hypothesis)
