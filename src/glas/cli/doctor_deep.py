"""Run the additional checks of `glas doctor --deep`: rights, clocks, object store, webhook, checksums, free space.

These checks take some seconds, because the files of models are read completely. One check writes an object to the
object store, and deletes this object.
"""

import asyncio
import json
import secrets
import shutil
import time
import urllib.request
from collections.abc import Collection, Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final, Literal

import httpx

import glas
from glas.cli.doctor_here import Finding, Look
from glas.cli.doctor_network import TELEGRAM, TIMEOUT_S, elsewhere, said, uses_database
from glas.cli.language import say
from glas.clients.http import open_http
from glas.domain.errors import GlasError
from glas.domain.object_keys import transcription_key
from glas.engines import checksums
from glas.engines.catalogue import embedded_directory
from glas.launch.lock import embedded_stores
from glas.localisation import rounded
from glas.settings import Settings, plain

# Bot processes take over each other's work after 30 s without a heartbeat, and links to sign in last five minutes.
_CLOCK_WARNING_S: Final = 5.0
_CLOCK_FAULT_S: Final = 30.0
_FREE_WARNING: Final = 0.1
_FREE_FAULT_BYTES: Final = 500_000_000
_MANY_UPDATES: Final = 100
# Larger than all ids that the database assigns.
_PROBE_IDS: Final = range(2**62, 2**63)
_PROBE: Final = b"glas doctor --deep"


def clock(of: str, there_s: float, here_s: float) -> Finding:
    """Report the difference between the clock of another machine and the clock of this machine.

    Args:
        of: name of the other machine or service, as it is shown to the user.
        there_s: time of the other clock, in seconds since 1970.
        here_s: time of this machine's clock at the same moment, in seconds since 1970.
    """
    seconds = abs(there_s - here_s)
    if seconds < _CLOCK_WARNING_S:
        return Finding("ok", say("doctor-clock", of=of))
    level: Literal["warn", "fail"] = "warn" if seconds < _CLOCK_FAULT_S else "fail"
    return Finding(level, say("doctor-clock-wrong", of=of, seconds=rounded(seconds, 0)), say("doctor-clock-do"))


def _database(settings: Settings, parts: Collection[str]) -> Iterator[Finding]:
    """Check the clock of PostgreSQL, and check that db_assist's database role may not rewrite the ledger."""
    url = plain(settings.database_url)
    if url is None or url.startswith("sqlite") or not uses_database(settings, parts):
        return
    try:
        there_s, here_s, size_bytes, is_free = asyncio.run(_ask_database(settings))
    except (GlasError, OSError, TimeoutError, ImportError):
        return  # the check of the database has reported this
    yield clock(say("doctor-clock-database"), there_s, here_s)
    yield Finding("ok", say("doctor-database-size", megabytes=round(size_bytes / 1e6)))
    if is_free:
        yield Finding("warn", say("doctor-database-rights"), say("doctor-database-rights-do"))


async def _ask_database(settings: Settings) -> tuple[float, float, int, bool]:
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    from glas.db.session import database_url, open_database

    # In an empty database, the rights are NULL, because to_regclass finds no table.
    query = text(
        "SELECT extract(epoch FROM clock_timestamp()), pg_database_size(current_database()), "
        "has_table_privilege(to_regclass('public.transactions'), 'DELETE')"
    )
    database = open_database(database_url(settings), pool_size=1)
    try:
        async with asyncio.timeout(TIMEOUT_S), database.reading() as session:
            await session.execute(text("SELECT 1"))
            before_s = time.time()
            there_s, size_bytes, is_free = (await session.execute(query)).one()
            return float(there_s), (before_s + time.time()) / 2, int(size_bytes), bool(is_free)
    except DBAPIError as error:
        raise OSError(type(error).__name__) from None
    finally:
        await database.close()


def _store(settings: Settings, parts: Collection[str]) -> Iterator[Finding]:
    """Check the object store: write an object, read it, and delete it."""
    if "data_loader" not in parts:
        return
    if settings.s3_endpoint is None and not settings.data_dir.exists():
        return  # before the first start: nothing is written there
    try:
        asyncio.run(_probe(settings))
    except ImportError:
        return
    except (GlasError, OSError, TimeoutError) as error:
        yield Finding("fail", say("doctor-probe-failed", problem=said(error)), say("doctor-probe-failed-do"))
    else:
        yield Finding("ok", say("doctor-probe"))


async def _probe(settings: Settings) -> None:
    from glas.data_loader.app import make_store

    store, key = make_store(settings), transcription_key(secrets.choice(_PROBE_IDS))
    async with asyncio.timeout(4 * TIMEOUT_S):
        try:
            await store.put(key, _PROBE)
            if await store.read(key, 0, len(_PROBE)) != _PROBE:
                raise OSError("what was read differs from what was written")
        finally:
            await store.delete([key])
        if await store.digest(key) is not None:
            raise OSError("what was deleted is still there")


def _services(settings: Settings, parts: Collection[str]) -> Iterator[Finding]:
    """Compare the versions and clocks of services in other processes with those of this process."""
    for part, url in elsewhere(settings, parts):
        yield from asyncio.run(_service(part, url, plain(getattr(settings, f"{part}_token")), settings.tls.authority))


async def _service(part: str, url: str, token: str | None, authority: Path | None) -> list[Finding]:
    async with open_http(url=url, token=token, authority=authority) as http:
        try:
            answer = await http.get("/health", timeout=TIMEOUT_S)
            version = str(answer.json()["version"])
            there_s = _date_s(answer.headers.get("date"))
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return []  # the check of the services has reported this
    found = [] if there_s is None else [clock(part, there_s, time.time())]
    return [*found, same_version(part, version)]


def same_version(part: str, version: str) -> Finding:
    """Report whether a service has the same version as this program."""
    if version == glas.__version__:
        return Finding("ok", say("doctor-service-version", part=part, version=version))
    other = say("doctor-service-other-version", part=part, version=version, ours=glas.__version__)
    return Finding("warn", other, say("doctor-service-other-version-do"))


def _telegram(settings: Settings, parts: Collection[str]) -> Iterator[Finding]:
    """Compare Telegram's clock with the clock of this machine, and the webhook with the settings.

    Messages of errors are not shown, because they may contain the URL of a request to the Bot API with the bot's token.
    """
    token = plain(settings.telegram_token)
    if token is None or "tg_bot" not in parts:
        return
    address = f"{(settings.telegram_api_url or TELEGRAM).rstrip('/')}/bot{token}/getWebhookInfo"
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:  # noqa: S310 - our own setting
            there_s, info = _date_s(answer.headers.get("date")), dict(json.load(answer)["result"])
    except (OSError, ValueError, KeyError, TypeError):
        return  # the check of the bot has reported this
    if there_s is not None:
        yield clock("Telegram", there_s, time.time())
    yield from webhook(info, settings)


def webhook(info: dict[str, Any], settings: Settings) -> Iterator[Finding]:
    """Report the findings about the webhook from Telegram's answer to `getWebhookInfo`."""
    url, waiting = str(info.get("url", "")), int(info.get("pending_update_count", 0))
    ours = settings.bot.webhook_url or ""
    if url and not ours:
        yield Finding("warn", say("doctor-webhook-foreign", host=_host(url)), say("doctor-webhook-foreign-do"))
    elif ours and not url.startswith(ours.rstrip("/")):
        yield Finding("warn", say("doctor-webhook-missing"), say("doctor-webhook-missing-do"))
    else:
        yield Finding("ok", say("doctor-webhook") if url else say("doctor-polling"))
    if info.get("last_error_message"):
        told = say("doctor-webhook-error", problem=str(info["last_error_message"])[:200])
        yield Finding("warn", told, say("doctor-webhook-error-do"))
    if waiting >= _MANY_UPDATES:
        yield Finding("warn", say("doctor-updates-wait", count=waiting), say("doctor-updates-wait-do"))


def _models(settings: Settings, parts: Collection[str]) -> Iterator[Finding]:
    """Compare the checksums of the models' files with the lists `SHA256SUMS` in the directories of the models."""
    if "nn_service" not in parts:
        return
    for directory in checksums.listed(settings.models_dir, embedded_directory()):
        wrong = checksums.damaged(directory)
        if wrong:
            told = say("doctor-model-damaged", path=str(directory), files=", ".join(wrong[:5]))
            yield Finding("fail", told, say("doctor-model-damaged-do"))
        else:
            yield Finding("ok", say("doctor-model-whole", path=str(directory)))


def _disks(settings: Settings, parts: Collection[str]) -> Iterator[Finding]:
    """Check how much space is free on the disks of the data and of the export."""
    keeps_data = "nn_service" in parts or embedded_stores(settings, parts)
    data = [settings.data_dir.absolute()] if keeps_data else []
    export = [settings.export_dir.absolute()] if "data_loader" in parts else []
    for path in dict.fromkeys((*data, *export)):
        nearest = next(parent for parent in (path, *path.parents) if parent.exists())
        usage = shutil.disk_usage(nearest)
        yield free_space(path, free_bytes=usage.free, total_bytes=usage.total)


def free_space(path: Path, *, free_bytes: int, total_bytes: int) -> Finding:
    """Report how much space of a disk is free."""
    told = say("doctor-disk", path=str(path), gigabytes=rounded(free_bytes / 1e9))
    if free_bytes < _FREE_FAULT_BYTES:
        return Finding("fail", told, say("doctor-disk-do"))
    if free_bytes < total_bytes * _FREE_WARNING:
        return Finding("warn", told, say("doctor-disk-do"))
    return Finding("ok", told)


def _date_s(header: str | None) -> float | None:
    """Return the time in the header `Date` of an HTTP answer, in seconds since 1970.

    The server rounds this time down to a second, so half a second is added.
    """
    if header is None:
        return None
    try:
        return parsedate_to_datetime(header).timestamp() + 0.5
    except ValueError:
        return None


def _host(url: str) -> str:
    """Return the host of a webhook's URL; the whole URL is not shown, because its path may contain a secret."""
    return httpx.URL(url).host


LOOKS: Final[tuple[Look, ...]] = (_database, _store, _services, _telegram, _models, _disks)
