"""Restrict a Linux process to system calls for memory, time, its open descriptors, and its own end.

The limit of file descriptors (`glas.audio.confinement`) already prevents the process from opening files. The filter of
this module also prevents the process from deleting files by name, starting programs, sending signals, and reading other
processes of the same user. A system call that is not permitted fails with ENOSYS, an error that every C library can
handle; the process is not killed.
"""

import ctypes
import errno
import platform

# The kernel's numbers of the permitted calls on x86-64 and on AArch64.
_ALLOWED = {
    "read": (0, 63),
    "readv": (19, 65),
    "write": (1, 64),
    "writev": (20, 66),
    "close": (3, 57),
    "lseek": (8, 62),
    "fstat": (5, 80),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "futex": (202, 98),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "gettimeofday": (96, 169),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "getrusage": (98, 165),
    "sysinfo": (99, 179),
    "uname": (63, 160),
    "getrandom": (318, 278),
    "restart_syscall": (219, 128),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
# For each architecture: the column of its numbers in `_ALLOWED`, and the kernel's number for the architecture.
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2

# Instructions of the filter: load a number from the description of the system call; jump if it is equal to a value;
# return.
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_AT_NUMBER, _AT_ARCHITECTURE = 0, 4
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000 | errno.ENOSYS


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("if_true", ctypes.c_uint8),
        ("if_false", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


def allow_only_computation(libc: ctypes.CDLL) -> bool:
    """Permit this process only the listed system calls, by a filter that cannot be removed.

    The process must have set PR_SET_NO_NEW_PRIVS before.

    Returns:
        Whether the filter is installed. It is not installed if the kernel refuses it, or if the processor is neither
        x86-64 nor AArch64.
    """
    if platform.machine() not in _MACHINES:
        return False
    column, architecture = _MACHINES[platform.machine()]
    steps = _steps([numbers[column] for numbers in _ALLOWED.values()], architecture)
    instructions = (_Instruction * len(steps))(*(_Instruction(*step) for step in steps))
    program = _Program(len(steps), instructions)
    answer: int = libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_MODE_FILTER), ctypes.byref(program), 0, 0)
    return answer == 0


def _steps(numbers: list[int], architecture: int) -> list[tuple[int, int, int, int]]:
    """Return the filter as instructions of BPF, the kernel's language for filters.

    Args:
        numbers: the kernel's numbers of the permitted calls.
        architecture: the kernel's number for the architecture of the processor, such as x86-64.

    Returns:
        For each instruction: its code, the number of instructions to skip if the values are equal, the number to skip
        otherwise, and the value for the comparison.
    """
    count = len(numbers)
    return [
        (_LOAD, 0, 0, _AT_ARCHITECTURE),
        # The same number means another call in the 32-bit mode of the same machine.
        (_JUMP_IF_EQUAL, 0, count + 1, architecture),
        (_LOAD, 0, 0, _AT_NUMBER),
        *((_JUMP_IF_EQUAL, count - place, 0, number) for place, number in enumerate(numbers)),
        (_RETURN, 0, 0, _FAIL),
        (_RETURN, 0, 0, _ALLOW),
    ]
