"""Draw the batches of a training in advance, so that a GPU does not wait for the next batch."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TypeVar

B = TypeVar("B")


@contextmanager
def drawn_ahead(draw: Callable[[int], B], first: int, end: int, n_threads: int) -> Iterator[Iterator[B]]:
    """Open a context with an iterator over the batches of the steps `first` to `end` - 1, in this order.

    Args:
        draw: function that returns the batch of a step; several threads may call this function at the same time.
        first: number of the first step.
        end: number of the step after the last one.
        n_threads: number of threads that draw batches in advance; 0 means that no batch is drawn in advance.
    """
    with closing(_drawn(draw, first, end, n_threads)) as batches:
        yield batches


def _drawn(draw: Callable[[int], B], first: int, end: int, n_threads: int) -> Generator[B]:
    if not n_threads:
        yield from map(draw, range(first, end))
        return
    waiting: deque[Future[B]] = deque()
    pool = ThreadPoolExecutor(n_threads)
    try:
        for step in range(first, end):
            waiting.append(pool.submit(draw, step))
            if len(waiting) > 2 * n_threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
