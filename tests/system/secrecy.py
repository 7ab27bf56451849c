"""Check that secrets cannot be read: ports without a key, tokens in files, rows, objects and metrics."""

import re

import httpx
import psycopg
from psycopg import sql

from tests.system.worlds import World


async def check_doors(world: World, voice: bytes, text: str) -> None:
    """Processes that listen answer only requests with the key."""
    settings = world.settings
    assert settings.api_key is not None
    key = {"Authorization": f"Bearer {settings.api_key.get_secret_value()}"}
    page = f"http://{settings.host}:{settings.port}"
    async with httpx.AsyncClient(timeout=30, trust_env=False) as http:
        heard = await http.post(f"{page}/predict", files={"file": voice}, headers=key)
        assert heard.json()["prediction"] == text, heard.text
        for url in (f"{page}/v1/models", f"{settings.nn_service_url}/v1/models", f"{settings.db_assist_url}/metrics"):
            assert (await http.get(url)).status_code == 401, url
        for url in (f"{settings.data_loader_url}/export", f"{settings.s3_endpoint}/glas"):
            assert (await http.get(url)).status_code in (401, 403), url


def check_read_only(world: World) -> None:
    """No process wrote where a container has nothing mounted, or where a library stores an id."""
    assert not (world.directory / ".cache").exists()
    assert [path for path in world.directory.glob("*-data") if any(path.iterdir())] == []


def check_secrets(world: World) -> None:
    """No file, log, export, object or row contains a token."""
    for path in world.directory.rglob("*"):
        if path.is_file():
            _expect_none(path.read_bytes(), world, str(path))
    if world.is_apart and world.settings.database_url is not None:
        for name, content in _everything_in(world.settings.database_url.get_secret_value()):
            _expect_none(content, world, name)


def check_metrics(world: World) -> None:
    """No metric contains a token."""
    for name, url, token in _metrics(world):
        answer = httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=60)
        assert answer.status_code in (200, 404), (name, answer.status_code)
        _expect_none(answer.content, world, f"metrics of {name}")


def _expect_none(content: bytes, world: World, where: str) -> None:
    for secret in world.secrets:
        assert secret.encode() not in content, f"a secret stands in {where}"


def _everything_in(url: str) -> list[tuple[str, bytes]]:
    """Return all rows of all tables of a PostgreSQL database, including those of the durable engine."""
    query = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    with psycopg.connect(url) as connection:
        tables = connection.execute(query).fetchall()
        found = []
        for table in tables:
            rows = connection.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(*table))).fetchall()
            found.append((".".join(table), "\n".join(str(row[0]) for row in rows).encode()))
    return found


def _metrics(world: World) -> list[tuple[str, str, str]]:
    if world.is_apart:
        names = ("nn_service", "db_assist", "data_loader")
        found = [(name, getattr(world.settings, f"{name}_url"), world.token(name)) for name in names]
        return [*found, ("tg_bot", world.bot_url, world.part("tg_bot").environment["GLAS_BOT__METRICS_TOKEN"])]
    text = world.part("glas").log.read_text(encoding="utf-8")
    return [("glas", re.findall(r"http://127\.0\.0\.1:\d+", text)[-1], "-")]
