"""A process that has imported Glas and its packages; from it, the processes of `zygote` and of pytest-xdist are forked.

The imports take six seconds of processor time, and each of these processes would spend them.

python -m tests.system.preloaded ZYGOTE [WORKERS]    descriptors of the sockets on which orders and workers arrive

A worker is a Python that pytest-xdist believes to start: `worker` asks for it, see there.
"""

import gc
import json
import os
import random
import socket
import sys
from types import ModuleType

import glas.tg_bot  # first, since it imports aiogram so that this takes less time

# Here and not in `main`: onnxruntime reads it when it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import anyio
import numpy as np
import onnxruntime  # noqa: F401 - so that no fork has to

import glas.__main__
import glas.data_loader.app
import glas.db_assist.app
import glas.launch.serve
import glas.nn_service.app
import glas.tg_bot.app
import glas.web.app  # noqa: F401
from glas.audio.confinement import die_with_parent

# It is a plugin of pytest, which warns that the assertions of such an imported package cannot be rewritten.
anyio.__doc__ = f"{anyio.__doc__ or ''}\nPYTEST_DONT_REWRITE"


def main() -> None:
    """Become the process that forks `glas`; if there are workers, fork it, and then each worker that is asked for."""
    die_with_parent(os.getppid())
    gc.collect()
    gc.freeze()
    zygote, *workers = (socket.socket(fileno=int(number)) for number in sys.argv[1:])
    if workers:
        parent = os.getpid()
        if os.fork():
            zygote.close()
            serve_workers(workers[0])
            return
        workers[0].close()
        die_with_parent(parent)
    from tests.system.zygote import serve  # here, since a worker imports the modules of tests by itself

    serve(zygote)


def serve_workers(listener: socket.socket) -> None:
    """Fork a process for each connection; in the forked process, return when the worker has ended."""
    while True:
        connection, _ = listener.accept()
        if not os.fork():
            listener.close()
            become_worker(connection)
            return
        connection.close()


def become_worker(connection: socket.socket) -> None:
    """Run what arrives on the standard input of the process that asks; the connection is open until this has ended."""
    _, streams, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile(encoding="utf-8") as lines:
        asked = json.loads(lines.readline())
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    os.chdir(asked["directory"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    # Or all workers would draw the same numbers.
    random.seed()
    np.random.seed()  # noqa: NPY002 - of those who use it
    sys.argv = ["-c"]
    sys.modules["__main__"] = module = ModuleType("__main__")
    exec(eval(sys.stdin.readline()), vars(module))  # noqa: S102, S307 - the command that execnet gives to each Python


if __name__ == "__main__":
    main()
