"""Launch: brings parts up in this process and chooses how they reach each other.

Modules here are imported when a command needs them, so that `glas --help` does not wait for FastAPI.
"""

PARTS = ("nn_service", "db_assist", "data_loader", "tg_bot", "web")
