"""Run the checks of `glas doctor` over the network: database, object store, services in other processes, Telegram."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final

import httpx

from glas.cli.doctor_here import Finding, Look
from glas.cli.language import say
from glas.clients.http import open_http
from glas.domain.errors import GlasError
from glas.settings import Settings, numbers, plain

TIMEOUT_S: Final = 5.0
TELEGRAM: Final = "https://api.telegram.org"
_UNAUTHORISED: Final = (401, 404)  # 404 if the token has a wrong format
SERVICES: Final = ("nn_service", "db_assist", "data_loader")
_CALLED: Final = {"tg_bot": SERVICES, "web": SERVICES, "data_loader": ("db_assist",)}
_KEEP_WORK: Final = frozenset({"tg_bot", "data_loader"})
_SOME_ID: Final = 1


def uses_database(settings: Settings, parts: Collection[str]) -> bool:
    """Return whether a part uses the database: db_assist, or a part whose durable work is stored in the database."""
    return "db_assist" in parts or (settings.database_url is not None and not _KEEP_WORK.isdisjoint(parts))


def elsewhere(settings: Settings, parts: Collection[str]) -> list[tuple[str, str]]:
    """Return the name and the URL of each service that the parts call and that has an address in the settings."""
    called = [service for service in SERVICES if any(service in _CALLED.get(part, ()) for part in parts)]
    urls = [(service, getattr(settings, f"{service}_url")) for service in called]
    return [(service, url) for service, url in urls if url is not None]


def _database(settings: Settings, parts: Collection[str]) -> Iterator[Finding]:
    """Check that the database can be reached, and that its schema has the revision that this program needs."""
    if not uses_database(settings, parts):
        return
    if settings.database_url is None and not (settings.data_dir / "glas.db").exists():
        yield Finding("ok", say("doctor-database-later"))
        return
    try:
        name, version, newest = asyncio.run(_versions(settings))
    except ImportError as error:
        yield Finding("warn", say("doctor-database-unchecked", package=str(error.name)), "pip install 'glas-asr[db]'")
    except (GlasError, OSError, TimeoutError) as error:
        yield Finding("fail", say("doctor-database-away", problem=said(error)), say("doctor-database-away-do"))
    else:
        if version == newest:
            yield Finding("ok", say("doctor-database", name=name, version=newest))
        elif settings.database_url is None:
            yield Finding("ok", say("doctor-database-updates", name=name))
        elif version is None:
            yield Finding("fail", say("doctor-database-empty", name=name), "glas migrate")
        else:
            old = say("doctor-database-old", name=name, version=version, newest=newest)
            yield Finding("fail", old, "glas migrate")


async def _versions(settings: Settings) -> tuple[str, str | None, str]:
    from glas.db import migrations
    from glas.db.session import database_url, open_database

    database = open_database(database_url(settings))
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return database.name, await migrations.current(database), migrations.head()
    finally:
        await database.close()


def _store(settings: Settings, parts: Collection[str]) -> Iterator[Finding]:
    """Check that the object store can be reached, and that its bucket exists."""
    if "data_loader" not in parts:
        return
    if settings.s3_endpoint is None:
        yield Finding("ok", say("doctor-store-directory", path=str((settings.data_dir / "s3").absolute())))
        return
    place = say("doctor-bucket", endpoint=settings.s3_endpoint, bucket=settings.s3_bucket)
    try:
        asyncio.run(_ask_store(settings))
    except ImportError as error:
        yield Finding("warn", say("doctor-store-unchecked", package=str(error.name)), "pip install 'glas-asr[data]'")
    except (GlasError, OSError, TimeoutError) as error:
        yield Finding("fail", say("doctor-store-away", place=place, problem=said(error)), say("doctor-store-away-do"))
    else:
        yield Finding("ok", say("doctor-store", place=place))


async def _ask_store(settings: Settings) -> None:
    from glas.data_loader.app import make_store

    async with asyncio.timeout(TIMEOUT_S):
        await make_store(settings).keys(_SOME_ID)


def _services(settings: Settings, parts: Collection[str]) -> Iterator[Finding]:
    """Check that the services in other processes can be reached, and that they accept the API keys in the settings."""
    for part, url in elsewhere(settings, parts):
        yield asyncio.run(_service(part, url, plain(getattr(settings, f"{part}_token")), settings.tls.authority))


async def _service(part: str, url: str, token: str | None, authority: Path | None) -> Finding:
    variable = f"GLAS_{part.upper()}"
    async with open_http(url=url, token=token, authority=authority) as http:
        try:
            ready = await http.get("/ready", timeout=TIMEOUT_S)
            # No service has this path: the answer is 404 if the key is right, and 401 if it is not.
            asked = await http.get("/doctor", timeout=TIMEOUT_S)
        except httpx.ReadTimeout:
            return Finding("fail", say("doctor-service-hangs", part=part), say("doctor-service-hangs-do", part=part))
        except httpx.HTTPError as error:
            away = say("doctor-service-away", part=part, problem=said(error))
            return Finding("fail", away, say("doctor-service-url-do", variable=variable))
    if ready.is_error:
        ill = say("doctor-service-ill", part=part, status=ready.status_code)
        return Finding("fail", ill, say("doctor-service-ill-do"))
    if asked.status_code == httpx.codes.UNAUTHORIZED:
        advice = say("doctor-service-key-do", variable=variable)
        return Finding("fail", say("doctor-service-key", part=part), advice)
    return Finding("ok", say("doctor-service", part=part))


def telegram(settings: Settings, parts: Collection[str]) -> Iterator[Finding]:
    """Check that Telegram accepts the bot's token, and report whether the bot receives the messages of groups.

    Messages of errors are not shown, because they may contain the URL of a request to the Bot API with the bot's token.
    """
    token = plain(settings.telegram_token)
    if token is None and "tg_bot" in parts:
        yield Finding("fail", say("doctor-bot-none"))
    elif token is None and {"db_assist", "web"} <= set(parts):  # everything runs here, except the bot
        yield Finding("ok", say("doctor-bot-none"))
    if token is None or "tg_bot" not in parts:
        return
    address = settings.telegram_api_url or TELEGRAM
    try:
        me = _get_me(address, token)
    except urllib.error.HTTPError as error:
        if error.code in _UNAUTHORISED:
            yield Finding("fail", say("doctor-bot-unknown"), say("doctor-bot-unknown-do"))
        else:
            yield Finding("warn", say("doctor-bot-refused", status=error.code))
        return
    except (OSError, ValueError, KeyError, TypeError):
        yield Finding("warn", say("doctor-bot-away", address=address), say("doctor-bot-away-do"))
        return
    yield from about_bot(me, settings)


def about_bot(me: dict[str, Any], settings: Settings) -> Iterator[Finding]:
    """Report the findings about the bot from Telegram's answer to `getMe`."""
    yield Finding("ok", say("doctor-bot", name=str(me.get("username"))))
    if not me.get("can_read_all_group_messages"):
        yield Finding("warn", say("doctor-bot-privacy"), say("doctor-bot-privacy-do"))
    if not numbers(settings.admin_user_ids):
        yield Finding("warn", say("doctor-bot-no-admins"), say("doctor-bot-no-admins-do"))


def _get_me(api_url: str, token: str) -> dict[str, Any]:
    request = urllib.request.Request(f"{api_url.rstrip('/')}/bot{token}/getMe")  # noqa: S310 - our own setting
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
        return dict(json.load(answer)["result"])


def said(error: BaseException) -> str:
    """Return the message of an error; return the name of the error's class if the message is empty."""
    return str(error) or type(error).__name__


LOOKS: Final[tuple[Look, ...]] = (_database, _store, _services, telegram)
