"""Priorities of threads."""

import os
import sys
import threading

_NICENESS = 10


def give_way() -> None:
    """Give this thread a lower priority than other threads of this process; do nothing except on Linux.

    A thread that computes for a long time should call this function. A thread that answers requests needs the processor
    often and for short times. If both had the same priority, the answering thread would wait for the computing threads
    each time.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
