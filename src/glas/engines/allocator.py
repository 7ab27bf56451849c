"""Make glibc's allocator return freed memory to the system; without glibc, this module does nothing."""

import contextlib
import ctypes
import time

_M_MMAP_THRESHOLD = -3  # from glibc's malloc.h
_LARGE = 1 << 20  # bytes
TRIM_EVERY_S = 10.0


def return_large_blocks() -> None:
    """Make glibc return memory blocks of 1 MiB or more to the system as soon as this process frees them.

    The setting applies until the process ends.

    By default, glibc keeps freed blocks that are smaller than a threshold. Whenever a larger block is freed, glibc
    raises this threshold, up to 32 MiB. With this default, a CTC model of 5 million parameters needed up to 210 MB of
    memory for pieces of 24 s. With a fixed threshold of 1 MiB, the model needed up to 187 MB. With the fixed threshold,
    the recognition of a piece of 8 s takes 5 ms more, because large blocks are requested from the system more often.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)


def trim() -> None:
    """Return to the system all memory that this process has freed, for instance after a model was unloaded."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


class Trimming:
    """Returns free memory to the system at intervals while pieces are recognised; threads may share one object.

    Each thread has a separate heap. The memory blocks with the results of a piece are freed in another order than they
    were allocated. So the heaps contain free blocks that are too small for the results of later pieces. After the
    recognition of 150 pieces of 2 to 28 s in two threads, the heaps had 345 MB, of which 210 MB were free.
    `malloc_trim` returned nearly all free memory, in 1 to 10 ms.

    Args:
        every_s: shortest time between two calls of `trim`, in seconds.
    """

    def __init__(self, every_s: float = TRIM_EVERY_S) -> None:
        self._every_s = every_s
        self._due_s = 0.0

    def after_work(self) -> None:
        """Return free memory to the system, if `every_s` seconds have passed since memory was last returned."""
        now_s = time.monotonic()
        if now_s >= self._due_s:
            self._due_s = now_s + self._every_s
            trim()
