"""The socket for commands: commands reach the server that holds a data directory, and nobody else does."""

import asyncio
import os
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from glas.launch import control_socket
from glas.launch.lock import Holder, taken
from glas.settings import Settings

PARTS = ("db_assist", "data_loader", "web")


def named(name: str) -> FastAPI:
    """A service that tells its name."""
    app = FastAPI()
    app.add_api_route("/name", lambda: name)
    return app


@pytest.mark.parametrize("depth", [1, 12], ids=["short path", "path too long for a socket"])
async def test_each_service_answers_under_its_name(depth: int, tmp_path: Path) -> None:
    """A socket that a killed server left is replaced; after the server has ended, nobody answers."""
    settings = Settings(_env_file=None, data_dir=tmp_path.joinpath(*["directory"] * depth))
    settings.data_dir.mkdir(parents=True)
    with taken(settings.data_dir, Holder(os.getpid()), alone=True):
        (settings.data_dir / control_socket.NAME).touch()
        with control_socket.opened(settings, PARTS) as listener:
            assert listener is not None
            app = control_socket.make_app({part: named(part) for part in control_socket.PARTS})
            server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
            task = asyncio.create_task(server.serve(sockets=[listener]))
            for part in control_socket.PARTS:
                async with control_socket.client_of(settings, part) as http:
                    assert http is not None
                    assert (await http.get("/name")).json() == part
            assert (settings.data_dir / control_socket.NAME).stat().st_mode & 0o777 == 0o600
            server.should_exit = True
            await task
        async with control_socket.client_of(settings, "db_assist") as http:
            assert http is None


async def test_who_shares_the_directory_opens_none(tmp_path: Path) -> None:
    """Separate parts have their own ports, so they open no socket. A socket without a server has no effect."""
    settings = Settings(_env_file=None, data_dir=tmp_path)
    with control_socket.opened(settings, ("tg_bot",)) as listener:
        assert listener is None
    (tmp_path / control_socket.NAME).touch()
    async with control_socket.client_of(settings, "db_assist") as http:
        assert http is None
