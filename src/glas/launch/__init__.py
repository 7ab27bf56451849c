"""Start parts of Glas in this process, and connect the parts with each other, in memory or over TCP.

Modules of this package are imported only when a command needs them, so that `glas --help` does not wait for FastAPI.
"""

PARTS = ("nn_service", "db_assist", "data_loader", "tg_bot", "web")
