"""What `glas doctor` looks at elsewhere: the database, the object store, the other services, Telegram."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any, Final

import httpx

from glas.cli.doctor_here import Finding, Look
from glas.clients.http import open_http
from glas.domain.errors import GlasError
from glas.settings import Settings, numbers, plain

_TIMEOUT_S: Final = 5.0
_TELEGRAM: Final = "https://api.telegram.org"
_UNAUTHORISED: Final = (401, 404)  # a token of the wrong form is no path that Telegram knows
_SERVICES: Final = ("nn_service", "db_assist", "data_loader")
_SOME_ID: Final = 1


def _database(settings: Settings) -> Iterator[Finding]:
    """Whether the database answers, and whether its tables are those of this program."""
    if settings.database_url is None and not (settings.data_dir / "glas.db").exists():
        yield Finding("ok", "база данных: встроенная, появится при первом запуске")
        return
    try:
        name, version, newest = asyncio.run(_versions(settings))
    except ImportError as error:
        yield Finding("warn", f"база данных не проверена: нет пакета {error.name}", "pip install 'glas-asr[db]'")
    except (GlasError, OSError, TimeoutError) as error:
        yield Finding("fail", f"база данных не отвечает: {_said(error)}", "проверьте GLAS_DATABASE_URL")
    else:
        if version == newest:
            yield Finding("ok", f"база данных {name}: таблицы версии {version}")
        elif settings.database_url is None:
            yield Finding("ok", f"база данных {name}: таблицы обновит следующий запуск")
        else:
            yield Finding("fail", f"база данных {name}: таблицы версии {version}, нужна {newest}", "glas migrate")


async def _versions(settings: Settings) -> tuple[str, str | None, str]:
    from glas.db import migrations
    from glas.db.session import database_url, open_database

    database = open_database(database_url(settings))
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return database.name, await migrations.current(database), migrations.head()
    finally:
        await database.close()


def _store(settings: Settings) -> Iterator[Finding]:
    """Whether the object store answers and has its bucket."""
    if settings.s3_endpoint is None:
        yield Finding("ok", f"хранилище записей: каталог {(settings.data_dir / 's3').absolute()}")
        return
    place = f"{settings.s3_endpoint}, корзина {settings.s3_bucket}"
    try:
        asyncio.run(_ask_store(settings))
    except ImportError as error:
        yield Finding("warn", f"хранилище не проверено: нет пакета {error.name}", "pip install 'glas-asr[data]'")
    except (GlasError, OSError, TimeoutError) as error:
        yield Finding("fail", f"хранилище {place} не отвечает: {_said(error)}", "проверьте GLAS_S3_…")
    else:
        yield Finding("ok", f"хранилище записей {place} отвечает")


async def _ask_store(settings: Settings) -> None:
    from glas.data_loader.app import make_store

    async with asyncio.timeout(_TIMEOUT_S):
        await make_store(settings).keys(_SOME_ID)


def _services(settings: Settings) -> Iterator[Finding]:
    """Whether the services that run elsewhere answer, and whether they know our tokens."""
    for part in _SERVICES:
        url = getattr(settings, f"{part}_url")
        if url is not None:
            yield asyncio.run(_service(part, url, plain(getattr(settings, f"{part}_token"))))


async def _service(part: str, url: str, token: str | None) -> Finding:
    variable = f"GLAS_{part.upper()}"
    async with open_http(url=url, token=token) as http:
        try:
            health = await http.get("/health", timeout=_TIMEOUT_S)
            # No service has this path; whoever is not let in does not learn that.
            asked = await http.get("/doctor", timeout=_TIMEOUT_S)
        except httpx.HTTPError as error:
            return Finding("fail", f"{part} не отвечает: {_said(error)}", f"проверьте {variable}_URL")
    if health.is_error:
        return Finding("fail", f"{part} отвечает, но работать не может: {health.status_code}", "посмотрите его журнал")
    if asked.status_code == httpx.codes.UNAUTHORIZED:
        return Finding("fail", f"{part} не принимает наш ключ", f"проверьте {variable}_TOKEN")
    return Finding("ok", f"{part} отвечает и принимает наш ключ")


def telegram(settings: Settings) -> Iterator[Finding]:
    """Whether Telegram knows the token, and what the bot may see in groups.

    No error is quoted: the address of a request to the Bot API holds the token.
    """
    token = plain(settings.telegram_token)
    if token is None:
        yield Finding("ok", "бот не настроен: нет TELEGRAM_TOKEN (токен даёт @BotFather)")
        return
    try:
        me = _get_me(settings.telegram_api_url or _TELEGRAM, token)
    except urllib.error.HTTPError as error:
        if error.code in _UNAUTHORISED:
            yield Finding("fail", "Telegram не знает этого токена", "новый токен даёт @BotFather: TELEGRAM_TOKEN=…")
        else:
            yield Finding("warn", f"Telegram ответил {error.code}: бот ответит, когда это пройдёт")
        return
    except (OSError, ValueError, KeyError, TypeError):
        advice = "проверьте сеть; другой сервер Bot API: GLAS_TELEGRAM_API_URL=…"
        yield Finding("warn", "Telegram недоступен: бот ответит, когда связь появится", advice)
        return
    yield from about_bot(me, settings)


def about_bot(me: dict[str, Any], settings: Settings) -> Iterator[Finding]:
    """What Telegram says of the bot, as `getMe` answers."""
    yield Finding("ok", f"бот @{me.get('username')}")
    if not me.get("can_read_all_group_messages"):
        advice = (
            "в @BotFather: /setprivacy → Disable, затем добавьте бота в группы снова; или сделайте его администратором"
        )
        yield Finding("warn", "режим приватности включён: голосовых в группах бот не видит", advice)
    if not numbers(settings.admin_user_ids):
        yield Finding("warn", "у бота нет администраторов", "назовите их: ADMIN_USER_IDS=ваш ID в Telegram")


def _get_me(api_url: str, token: str) -> dict[str, Any]:
    request = urllib.request.Request(f"{api_url.rstrip('/')}/bot{token}/getMe")  # noqa: S310 - our own setting
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
        return dict(json.load(answer)["result"])


def _said(error: BaseException) -> str:
    return str(error) or type(error).__name__


LOOKS: Final[tuple[Look, ...]] = (_database, _store, _services, telegram)
