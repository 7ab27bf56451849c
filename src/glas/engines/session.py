"""Options of onnxruntime sessions, for all models."""

from functools import lru_cache
from pathlib import Path
from typing import Any

_PROCESSOR = Path("/proc/cpuinfo")


def session_options(threads: int, *, whole_range: bool = False) -> Any:
    """Return the options of a session that shares the machine with other programs.

    Args:
        threads: number of threads of one call.
        whole_range: whether int8 weights use the whole range of eight bits. On an x86 processor without VNNI
            (instructions that multiply 8-bit numbers), products of such weights overflow 16 bits. onnxruntime must then
            store the weights as unsigned numbers, which is slower but correct.

    Returns:
        An `onnxruntime.SessionOptions`.
    """
    # The import takes a second, and is not needed to list names of models.
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # The arena never frees the memory of the longest piece, and made no model measurably faster.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3  # errors only: warnings about loading do not help our callers
    # Threads that wait in a loop would use a core that another worker could use, and gain nothing in such short calls.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    if whole_range and _overflows():
        options.add_session_config_entry("session.x64quantprecision", "1")
    return options


@lru_cache(maxsize=1)
def _overflows() -> bool:
    """Return whether this is an x86 processor without VNNI; if its features are unknown, assume that it has VNNI."""
    try:
        flags = next(line for line in _PROCESSOR.read_text(encoding="utf-8").splitlines() if line.startswith("flags"))
    except (OSError, StopIteration):
        return False
    return "vnni" not in flags
