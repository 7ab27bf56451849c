"""Confine a decoder process before it reads an untrusted file: remove all rights that decoding does not need.

The limits that every POSIX system has (processor time, file size, core dumps, file descriptors) are always set. The
other restrictions exist on Linux only, and are set only if the kernel permits them. A confined process can open no
file, directory or socket. If the kernel permits a filter of system calls, the process can make only a few system calls:
for memory, for time, for the descriptors that are already open, and to end itself.
"""

import ctypes
import errno
import os
import resource
import signal
import sys
from contextlib import suppress
from functools import cache

from glas.audio.limits import DecodeLimits
from glas.audio.seccomp import allow_only_computation

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_CAPABILITY_VERSION_3 = 0x20080522

_N_DESCRIPTORS = 3

IS_LINUX = sys.platform == "linux"


def leave_the_network() -> None:
    """Move this process to a network namespace without any interface.

    Nothing changes if the kernel does not allow the move, or if the system is not Linux.
    """
    if not IS_LINUX:
        return
    libc = _libc()
    # A process without privileges may create a network namespace only together with a new user namespace. Some systems
    # forbid user namespaces, too.
    if libc.unshare(_CLONE_NEWNET) != 0:
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def die_with_parent(parent: int) -> None:
    """Ask the Linux kernel to kill this process when its parent process ends; do nothing on other systems.

    Args:
        parent: process id of the parent. If this process has another parent now, the process `parent` has already
            ended; then this process ends immediately.
    """
    if not IS_LINUX:
        return
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        # The parent ended before this call, so the kernel would never kill this process.
        os._exit(0)


def offers_filter() -> bool:
    """Return whether the operating system can filter the system calls of a process.

    To find this out, the function installs a filter in a child process. It does not install a filter in this process,
    because a filter cannot be removed. The installation fails if the kernel was built without seccomp, or if a
    container forbids seccomp.
    """
    if not IS_LINUX:
        return False
    child = os.fork()
    if child == 0:
        _drop_privileges()
        os._exit(0 if allow_only_computation(_libc()) else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def confine(limits: DecodeLimits, *, input_bytes: int, must_filter: bool = False) -> None:
    """Confine this process until it ends; the confinement cannot be undone.

    Args:
        limits: contains the limits of memory and processor time. Its other fields are not used here.
        input_bytes: length of the file that this process will read, in bytes. In addition to `limits.memory_bytes`,
            the process may use twice this number of bytes of memory.
        must_filter: whether to raise an error if the system calls cannot be filtered; see `offers_filter`.

    Raises:
        OSError: the operating system refused a limit; or it refused the filter of system calls, and `must_filter` is
            set.
    """
    # At the hard limit, the kernel sends SIGKILL, which can have many causes. So the soft limit is one second lower:
    # its signal, SIGXCPU, shows the cause.
    _limit(resource.RLIMIT_CPU, limits.cpu_s, limits.cpu_s + 1)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    if IS_LINUX:
        # When a BytesIO grows, it copies its content. So the file may be in memory twice for a moment.
        _limit(resource.RLIMIT_AS, _address_space_bytes() + 2 * input_bytes + limits.memory_bytes)
        _drop_privileges()
    with suppress(ValueError, OSError):
        _limit(resource.RLIMIT_NPROC, 0)
    # This limit is set last, because the code above needs a descriptor to read the size of the address space. From here
    # on, three descriptors are in use, and no other descriptor can be opened.
    os.closerange(_N_DESCRIPTORS, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    _limit(resource.RLIMIT_NOFILE, _N_DESCRIPTORS)
    is_filtered = IS_LINUX and allow_only_computation(_libc())
    if must_filter and not is_filtered:
        raise OSError(errno.EPERM, "expected a filter of system calls, the kernel refused it")


def _limit(what: int, most: int, most_hard: int | None = None) -> None:
    allowed = resource.getrlimit(what)[1]
    ceiling = most if most_hard is None else most_hard
    if allowed != resource.RLIM_INFINITY:
        ceiling = min(ceiling, allowed)
    resource.setrlimit(what, (min(most, ceiling), ceiling))


def _address_space_bytes() -> int:
    with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - pathlib would only wrap it
        return int(statm.read().split()[0]) * resource.getpagesize()


def _drop_privileges() -> None:
    """Remove all Linux capabilities of this process permanently.

    Also prevent other processes of the same user from reading the memory of this process.
    """
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _libc().capset(header, nothing)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    _libc().prctl(option, ctypes.c_ulong(value), 0, 0, 0)
