"""`glas doctor`: what works, what does not, and what to do about it."""

import contextlib
import importlib.util
import json
import os
import platform
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import NamedTuple

import typer

import glas
from glas.cli.session import EXIT_FAILED, open_settings, out, russian
from glas.domain.errors import GlasError
from glas.engines.catalogue import CHAMPION, champion, named_champion, resolve, title_of
from glas.launch.samples import samples_dir
from glas.settings import Settings, is_loopback, plain

HELP = """
Проверить установку: что есть, что доступно, что исправить. Код выхода 1, если служить нельзя.
"""

_HUB_TIMEOUT_S = 3.0
_TELEGRAM = "https://api.telegram.org"
_MARKS = {"ok": "[green]✓[/]", "warn": "[yellow]•[/]", "fail": "[red]✗[/]"}


class Finding(NamedTuple):
    """One thing that was looked at."""

    level: str
    what: str
    advice: str = ""


def doctor() -> None:
    """Look at everything; nothing is changed."""
    settings = open_settings(quiet=True)
    failed = False
    for look in (_program, _packages, _data_dir, _model, _champion, _port, _hub, _telegram, _pip, _training):
        for finding in look(settings):
            failed |= finding.level == "fail"
            out.print(f"{_MARKS[finding.level]} {finding.what}", markup=True)
            if finding.advice:
                out.print(f"    → {finding.advice}", markup=False)
    raise typer.Exit(EXIT_FAILED if failed else 0)


def _program(_settings: Settings) -> Iterator[Finding]:
    yield Finding("ok", f"Глас {glas.__version__}, Python {platform.python_version()}, процессоров: {os.cpu_count()}")


def _packages(_settings: Settings) -> Iterator[Finding]:
    needed = (
        ("av", "чтение звука"),
        ("onnxruntime", "распознавание"),
        ("onnx_asr", "модели ONNX"),
        ("ctranslate2", "модели Whisper"),
    )
    for package, purpose in needed:
        if importlib.util.find_spec(package) is None:
            yield Finding("fail", f"нет пакета {package} ({purpose})", "pip install 'glas-asr[asr]' или make setup")


def _data_dir(settings: Settings) -> Iterator[Finding]:
    path = settings.data_dir.absolute()
    nearest = next(parent for parent in (path, *path.parents) if parent.exists())
    if os.access(nearest, os.W_OK):
        free_gb = os.statvfs(nearest).f_bavail * os.statvfs(nearest).f_frsize / 1e9
        yield Finding("ok", f"каталог данных {path}, свободно {free_gb:.0f} ГБ")
    else:
        yield Finding("fail", f"в каталог данных {path} нельзя писать", "укажите другой: GLAS_DATA_DIR=…")


def _model(settings: Settings) -> Iterator[Finding]:
    """Load the model and let it hear a sample through the whole way: child process, segmentation, engine."""
    from glas.launch.hearing import open_hearing

    directory = samples_dir()
    sample = min(directory.glob("*.ogg"), default=None) if directory else None
    try:
        name = resolve(settings.model, settings.models_dir)
        with open_hearing(settings) as hear:
            if sample is None:
                yield Finding("warn", f"модель {title_of(name).ru} ({name}) загружена, но примеров для проверки нет")
                return
            heard = hear(sample.read_bytes(), lambda _step: None)
    except GlasError as error:
        yield Finding("fail", f"модель {settings.model} не работает: {error}", "GLAS_MODEL=auto, glas models")
        return
    speed = f"в {russian(heard.speed, 0)} раз быстрее речи"
    yield Finding("ok", f"модель {title_of(name).ru} ({name}): «{heard.hypothesis.text}», {speed}")
    if name == "embedded":
        yield Finding("warn", "встроенная модель ошибается чаще больших", "точнее: glas models get onnx:gigaam-v3-ctc")


def _champion(settings: Settings) -> Iterator[Finding]:
    named = named_champion(settings.models_dir)
    if named is not None and champion(settings.models_dir) is None:
        place = settings.models_dir / CHAMPION
        yield Finding("warn", f"{place} называет модель {named!r}, а её на диске нет", "glas models use auto")


def _port(settings: Settings) -> Iterator[Finding]:
    with contextlib.closing(socket.socket()) as probe:
        probe.settimeout(1)
        taken = probe.connect_ex((settings.host, settings.port)) == 0
    if taken:
        yield Finding("warn", f"порт {settings.port} занят: возможно, Глас уже запущен", "другой порт: GLAS_PORT=8080")
    else:
        yield Finding("ok", f"порт {settings.port} свободен")
    if not is_loopback(settings.host) and settings.api_key is None:
        yield Finding("fail", f"{settings.host} виден другим машинам, а ключа нет", "задайте GLAS_API_KEY")


def _hub(_settings: Settings) -> Iterator[Finding]:
    address = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    yield _reachable(lambda: urllib.request.urlopen(address, timeout=_HUB_TIMEOUT_S), address)  # noqa: S310


def _reachable(knock: Callable[[], contextlib.AbstractContextManager[object]], address: str) -> Finding:
    try:
        with knock():
            return Finding("ok", f"хранилище моделей {address} доступно")
    except (OSError, ValueError):
        advice = "модели можно принести файлами: glas models get ИМЯ скажет, какие и куда; зеркало: HF_ENDPOINT=…"
        return Finding("warn", f"хранилище моделей {address} недоступно", advice)


def _telegram(settings: Settings) -> Iterator[Finding]:
    """Ask Telegram who the bot is; no error is quoted, since addresses of the Bot API hold the token."""
    token = plain(settings.telegram_token)
    if token is None:
        yield Finding("ok", "бот не настроен: нет TELEGRAM_TOKEN")
        return
    address = f"{settings.telegram_api_url or _TELEGRAM}/bot{token}/getMe"
    try:
        with urllib.request.urlopen(address, timeout=_HUB_TIMEOUT_S) as answer:  # noqa: S310 - a setting's address
            me = json.load(answer)["result"]
    except urllib.error.HTTPError as error:
        if error.code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND):
            yield Finding("fail", "Telegram не знает этого токена", "новый токен даёт @BotFather: TELEGRAM_TOKEN=…")
        else:
            yield Finding("warn", f"Telegram ответил {error.code}: бот ответит, когда это пройдёт")
        return
    except (OSError, ValueError, KeyError, TypeError):
        yield Finding("warn", "Telegram недоступен: бот ответит, когда связь появится")
        return
    yield Finding("ok", f"бот @{me.get('username')}")
    if not me.get("can_read_all_group_messages"):
        advice = (
            "в @BotFather: /setprivacy → Disable, затем добавьте бота в группы снова; или сделайте его администратором"
        )
        yield Finding("warn", "режим приватности включён: голосовых в группах бот не видит", advice)


def _pip(_settings: Settings) -> Iterator[Finding]:
    if importlib.util.find_spec("pip") is None:
        advice = "без хранилища моделей whisper-base берётся через pip: uv pip install pip или python -m ensurepip"
        yield Finding("warn", "в этом окружении нет pip", advice)


def _training(_settings: Settings) -> Iterator[Finding]:
    if importlib.util.find_spec("torch") is None:
        yield Finding("ok", "torch не установлен: он нужен только для обучения (make train-setup)")
    else:
        yield Finding("ok", f"torch установлен: обучать можно ({sys.prefix})")
