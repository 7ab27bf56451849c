"""Set the priority of a thread."""

import os
import sys
import threading

_NICENESS = 10


def give_way() -> None:
    """Give the calling thread a lower priority than other threads of this process; this has an effect only on Linux.

    A thread that computes for a long time should call this function. A thread that answers requests needs the processor
    often, but only for short times. If both threads had the same priority, the thread that answers requests would often
    have to wait for the processor.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
