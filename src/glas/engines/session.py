"""How an onnxruntime session is configured here, for every model alike."""

from typing import Any


def session_options(threads: int) -> Any:
    """Options of a session that shares its machine with others.

    Args:
        threads: threads of one call.

    Returns:
        An `onnxruntime.SessionOptions`.
    """
    # A second to import, which whoever only asks for names need not pay.
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # It keeps for ever what the longest piece needed, and saved the embedded model no time that could be measured.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3  # errors; what it warns of on loading says nothing to our callers
    # Spinning threads burn a core that another worker could use, and gain nothing in calls this short.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    # Without VNNI, products of signed weights overflow their 16 bits; onnxruntime then stores the weights unsigned.
    options.add_session_config_entry("session.x64quantprecision", "1")
    return options
