"""Run the command line as `python -m glas` or as the command `glas`."""

import os

# What libraries read when they are imported.
_ENVIRONMENT = {
    # onnxruntime 1.32 keeps a device id and events for its maker's collector in ~/.cache; its own
    # `disable_telemetry_events()` comes too late for that.
    "ORT_DISABLE_TELEMETRY": "1",
    # NumPy's products are small here. OpenBLAS would share them among threads that wait for each other in loops: a
    # message of 4 s took 66 ms of processor time with two threads, and 46 with one.
    "OPENBLAS_NUM_THREADS": "1",
}


def main() -> None:
    """Run the command line."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from glas.cli import app  # noqa: PLC0415 - imports NumPy

    app()


if __name__ == "__main__":
    main()
