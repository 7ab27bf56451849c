"""Priorities of threads."""

import os
import sys
import threading

_NICENESS = 10


def give_way() -> None:
    """Let other threads of this process run first from now on, where the system has priorities of threads (Linux).

    A thread that answers requests needs the processor often and briefly. Among threads of its priority it would wait
    each time behind all that compute.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
