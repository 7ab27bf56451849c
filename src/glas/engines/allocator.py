"""Make glibc's allocator return freed memory to the system; on other systems these functions do nothing."""

import contextlib
import ctypes

_M_MMAP_THRESHOLD = -3  # from glibc's malloc.h
_LARGE = 1 << 20  # bytes


def return_large_blocks() -> None:
    """From now on, return blocks of 1 MiB or more to the system as soon as they are freed.

    By default, glibc raises this threshold whenever a larger block is freed, up to 32 MiB, and keeps smaller blocks. A
    CTC model of 5 million parameters then needed 210 MB at its peak instead of 187, for pieces of 24 s. The additional
    allocations take 5 ms for a piece of 8 s.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)


def trim() -> None:
    """Return all memory that is free at present to the system, for instance after a model was unloaded."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
