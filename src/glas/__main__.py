"""`python -m glas` and the `glas` command."""

import os

from glas.cli import app


def main() -> None:
    """Run the command line."""
    # onnxruntime 1.32 keeps a device id and events for its maker's collector in ~/.cache, unless this is set before
    # the import; its own `disable_telemetry_events()` comes too late for that.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    app()


if __name__ == "__main__":
    main()
