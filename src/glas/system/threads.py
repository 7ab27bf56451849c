"""Priorities of threads."""

import os
import sys
import threading

_NICENESS = 10


def give_way() -> None:
    """Give this thread a lower priority than other threads of this process; do nothing except on Linux.

    A thread that answers requests needs the processor often and for short times. Each time it would wait for all
    computing threads with an equal priority.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
