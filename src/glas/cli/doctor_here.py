"""Run the checks of `glas doctor` on this machine: packages, data directory, model, ports, the Hugging Face hub."""

import contextlib
import http.client
import importlib.util
import json
import os
import platform
import socket
import ssl
import sys
import urllib.request
from collections.abc import Callable, Collection, Iterator
from typing import Final, Literal, NamedTuple, TypeAlias

import glas
from glas.cli.language import say, times, title
from glas.domain.errors import ConfigurationError, GlasError, ServiceTimeoutError
from glas.engines.catalogue import CHAMPION, champion, named_champion, resolve, title_of
from glas.launch.listeners import address_of, listeners
from glas.launch.lock import embedded_stores
from glas.launch.samples import samples_dir
from glas.settings import Settings

_HUB_TIMEOUT_S = 3.0
_PORT_TIMEOUT_S = 1.0
_MODEL_TIMEOUT_S = 60.0  # a sample has at most some seconds; a server may be busy
_PACKAGES: Final = ("av", "onnxruntime", "onnx_asr", "ctranslate2")


class Finding(NamedTuple):
    """Result of one check of `glas doctor`."""

    level: Literal["ok", "warn", "fail"]
    what: str
    advice: str = ""


def _program(_settings: Settings, parts: Collection[str]) -> Iterator[Finding]:
    yield Finding(
        "ok",
        say(
            "doctor-program", version=glas.__version__, python=platform.python_version(), processors=os.cpu_count() or 0
        ),
    )
    yield Finding("ok", say("doctor-parts", parts=", ".join(parts)))


def _packages(_settings: Settings, parts: Collection[str]) -> Iterator[Finding]:
    if "nn_service" not in parts:
        return
    for package in _PACKAGES:
        if importlib.util.find_spec(package) is None:
            missing = say("doctor-no-package", package=package, purpose=say(f"doctor-purpose-{package}"))
            yield Finding("fail", missing, say("doctor-no-package-do"))


def _data_dir(settings: Settings, parts: Collection[str]) -> Iterator[Finding]:
    """Check that the data directory can be written to, if one of the parts stores data there."""
    stores = embedded_stores(settings, parts)
    if not stores and "nn_service" not in parts:
        return
    path = settings.data_dir.absolute()
    nearest = next(parent for parent in (path, *path.parents) if parent.exists())
    if os.access(nearest, os.W_OK):
        free_gb = os.statvfs(nearest).f_bavail * os.statvfs(nearest).f_frsize / 1e9
        yield Finding("ok", say("doctor-data", path=str(path), gigabytes=round(free_gb)))
    elif stores:  # nn_service only reads models there
        yield Finding("fail", say("doctor-data-forbidden", path=str(path)), say("doctor-data-forbidden-do"))


def _model(settings: Settings, parts: Collection[str]) -> Iterator[Finding]:
    """Check that the model can be loaded, and that a sample recording can be decoded, segmented and recognised."""
    if "nn_service" not in parts:
        return
    from glas.launch.transcription import open_transcription

    directory = samples_dir()
    sample = min(directory.glob("*.ogg"), default=None) if directory else None
    try:
        name = resolve(settings.model, settings.models_dir)
        with open_transcription(settings, timeout_s=_MODEL_TIMEOUT_S) as transcribe:
            if sample is None:
                yield Finding("warn", say("doctor-model-unheard", title=title(title_of(name)), name=name))
                return
            heard = transcribe(sample.read_bytes())
    except ServiceTimeoutError:
        part = "nn_service"
        yield Finding("fail", say("doctor-service-hangs", part=part), say("doctor-service-hangs-do", part=part))
        return
    except GlasError as error:
        broken = say("doctor-model-broken", name=settings.model, problem=_problem(error))
        yield Finding("fail", broken, "GLAS_MODEL=auto, glas models")
        return
    text, speed = heard.hypothesis.text, times(heard.speed)
    yield Finding("ok", say("doctor-model", title=title(title_of(name)), name=name, text=text, times=speed))
    if name == "embedded":
        yield Finding("warn", say("doctor-embedded"), say("doctor-embedded-do"))


def _champion(settings: Settings, parts: Collection[str]) -> Iterator[Finding]:
    if "nn_service" not in parts:
        return
    named = named_champion(settings.models_dir)
    if named is not None and champion(settings.models_dir) is None:
        place = settings.models_dir / CHAMPION
        yield Finding("warn", say("doctor-champion-missing", place=str(place), name=named), "glas models use auto")


def _port(settings: Settings, parts: Collection[str]) -> Iterator[Finding]:
    """Check that the ports of the parts are free, and that the settings contain the API keys that the ports require.

    A port that a running part of Glas uses is no fault, because the checks may be made while Glas runs.
    """
    try:
        found = listeners(settings, parts)
    except ConfigurationError as error:
        yield Finding("fail", say("doctor-will-not-start", problem=_problem(error)), "docs/settings.md")
        return
    for listener in found:
        if _runs_glas(settings, listener.port):
            yield Finding("ok", say("doctor-port-ours", port=listener.port))
        elif _answers(settings.host, listener.port):
            other = say("doctor-port-taken-do", variable=listener.port_variable)
            yield Finding("warn", say("doctor-port-taken", port=listener.port), other)
        else:
            yield Finding("ok", say("doctor-port", port=listener.port))


def _runs_glas(settings: Settings, port: int) -> bool:
    """Return whether a part of Glas answers requests at a port of this machine."""
    context = ssl.create_default_context()
    # The certificate may name another address of this machine.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    # A proxy must not be asked for an address of this machine.
    handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    try:
        address = f"{address_of(settings, port)}/health"
        with urllib.request.build_opener(*handlers).open(address, timeout=_PORT_TIMEOUT_S) as answer:
            return "version" in json.load(answer)
    except (OSError, ValueError, TypeError, http.client.HTTPException):
        return False


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=_PORT_TIMEOUT_S):
            return True
    except OSError:
        return False


def _hub(_settings: Settings, parts: Collection[str]) -> Iterator[Finding]:
    if "nn_service" not in parts:
        return
    address = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    yield _reachable(lambda: urllib.request.urlopen(address, timeout=_HUB_TIMEOUT_S), address)  # noqa: S310


def _reachable(knock: Callable[[], contextlib.AbstractContextManager[object]], address: str) -> Finding:
    try:
        with knock():
            return Finding("ok", say("doctor-hub", address=address))
    except (OSError, ValueError):
        return Finding("warn", say("doctor-hub-away", address=address), say("doctor-hub-away-do"))


def _pip(_settings: Settings, parts: Collection[str]) -> Iterator[Finding]:
    if "nn_service" in parts and importlib.util.find_spec("pip") is None:
        yield Finding("warn", say("doctor-no-pip"), say("doctor-no-pip-do"))


def _training(_settings: Settings, parts: Collection[str]) -> Iterator[Finding]:
    if "nn_service" not in parts:
        return
    if importlib.util.find_spec("torch") is None:
        yield Finding("ok", say("doctor-no-torch"))
    else:
        yield Finding("ok", say("doctor-torch", prefix=sys.prefix))


def _problem(error: GlasError) -> str:
    """Return the message about an error in the user's language, followed by the error's own English message."""
    return f"{say.error(error.code)} ({error})"


# A check gets the settings and the names of the parts, and checks only what these parts use.
Look: TypeAlias = Callable[[Settings, Collection[str]], Iterator[Finding]]

LOOKS: Final[tuple[Look, ...]] = (_program, _packages, _data_dir, _model, _champion, _port, _hub, _pip, _training)
