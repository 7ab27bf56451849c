"""Determine from the settings on which ports the parts listen, and which API key each port requires.

This module imports no part, so a wrong setting is reported before the parts are loaded.
"""

import contextlib
import socket
import ssl
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from glas.domain.errors import ConfigurationError
from glas.launch import PARTS
from glas.settings import Settings, TlsSettings, is_loopback, plain

_METRICS = "_metrics"
BOT_METRICS = f"tg_bot{_METRICS}"
"""Name of the port of the bot's metrics."""

_EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with
_MAKE_ONE = "one made by python -c 'import secrets; print(secrets.token_urlsafe(32))'"


@dataclass(frozen=True)
class Listener:
    """A port on which a part listens, with the API key that callers of this port must send.

    Attributes:
        part: name of the part. For the port of the bot's metrics, this is `BOT_METRICS`.
        port: number of the port. 0 means that the operating system chooses a free port.
        key: the API key; None if the settings contain no such key.
        key_variable: the environment variable that contains the API key.
        port_variable: the environment variable that contains the number of the port.
        needs_key: whether the port requires an API key even if only this machine can reach the port.
        has_more_keys: whether the settings contain further API keys for this port (GLAS_API_KEYS).
    """

    part: str
    port: int
    key: SecretStr | None
    key_variable: str
    port_variable: str
    needs_key: bool = False
    has_more_keys: bool = False


def listeners(settings: Settings, parts: Collection[str]) -> list[Listener]:
    """Return the ports on which this process listens.

    If `web` runs, it is the only service that listens. Otherwise each service listens. If the settings name a webhook,
    the bot listens on the port of the webhook, too. If the settings name a port for the bot's metrics, the bot listens
    on this port, but only if `web` does not run.

    Raises:
        ConfigurationError: a part is unknown, or a port could be reached from other machines without an API key.
    """
    require_known(parts)
    found = [listener for listener in _all(settings) if listener.part.removesuffix(_METRICS) in parts]
    if "web" in parts:
        # Telegram sends updates from the Internet. The webhook has a separate port, so that only this port is public.
        found = [listener for listener in found if listener.part in {"web", "tg_bot"}]
    for listener in found:
        _check(listener, settings.host)
    return found


def require_known(parts: Collection[str]) -> None:
    """Check that all names are names of parts.

    Raises:
        ConfigurationError: a part is unknown.
    """
    if unknown := sorted(set(parts) - set(PARTS)):
        raise ConfigurationError(f"expected parts among {', '.join(PARTS)}, got {', '.join(unknown)}")


def key_of(settings: Settings, part: str, parts: Collection[str]) -> str | None:
    """Return the API key that the app of a service requires in this process; None if it requires no API key.

    If `web` runs, callers reach nn_service through the port of `web`, so nn_service requires the API key of this port.
    The other services are then called only by parts of the same process, in memory, and require no API key.
    """
    if "web" in parts:
        return plain(settings.api_key) if part == "nn_service" else None
    return next(plain(listener.key) for listener in _all(settings) if listener.part == part)


def previous_key_of(settings: Settings, part: str, parts: Collection[str]) -> str | None:
    """Return the former API key of a service; None if there is no former API key.

    The service also accepts the former API key, so that callers can change to the new API key at different times.
    """
    if "web" in parts or key_of(settings, part, parts) is None:
        return None
    return plain(getattr(settings, f"{part}_previous_token"))


def _all(settings: Settings) -> list[Listener]:
    return [*_services(settings), *_ports_of_bot(settings)]


def _services(settings: Settings) -> list[Listener]:
    """Return the ports of `web` and of all services, even of those that do not run."""
    return [
        Listener(
            "web",
            settings.port,
            settings.api_key,
            "GLAS_API_KEY",
            "GLAS_PORT",
            has_more_keys=bool(settings.api_keys),
        ),
        Listener(
            "nn_service",
            settings.nn_service.port,
            settings.nn_service_token,
            "GLAS_NN_SERVICE_TOKEN",
            "GLAS_NN_SERVICE__PORT",
            has_more_keys=bool(settings.api_keys),
        ),
        # These two store what people said, so they require a key even from other programs of the same machine.
        Listener(
            "db_assist",
            settings.db_assist.port,
            settings.db_assist_token,
            "GLAS_DB_ASSIST_TOKEN",
            "GLAS_DB_ASSIST__PORT",
            needs_key=True,
        ),
        Listener(
            "data_loader",
            settings.data_loader.port,
            settings.data_loader_token,
            "GLAS_DATA_LOADER_TOKEN",
            "GLAS_DATA_LOADER__PORT",
            needs_key=True,
        ),
    ]


def _ports_of_bot(settings: Settings) -> list[Listener]:
    """Return the ports of the bot's webhook and of its metrics, if the settings name these ports."""
    found = []
    if settings.bot.webhook_url is not None:
        secret = settings.bot.webhook_secret
        found.append(
            Listener("tg_bot", settings.bot.port, secret, "GLAS_BOT__WEBHOOK_SECRET", "GLAS_BOT__PORT", needs_key=True)
        )
    if settings.bot.metrics_port is not None:
        variables = ("GLAS_BOT__METRICS_TOKEN", "GLAS_BOT__METRICS_PORT")
        listener = Listener(
            BOT_METRICS, settings.bot.metrics_port, settings.bot.metrics_token, *variables, needs_key=True
        )
        found.append(listener)
    return found


def _check(listener: Listener, host: str) -> None:
    if listener.key is not None or listener.has_more_keys:
        return
    if listener.needs_key:
        raise ConfigurationError(
            f"{listener.part} in a separate process answers only requests with a key: set {listener.key_variable} to "
            f"{_MAKE_ONE}"
        )
    if not is_loopback(host):
        raise ConfigurationError(
            f"{host} can be reached from other machines, so a key is required: "
            f"set {listener.key_variable} to {_MAKE_ONE}"
        )


@contextlib.contextmanager
def opened(settings: Settings, listener: Listener) -> Iterator[socket.socket]:
    """Open a context with a socket that is bound to the port of a listener.

    Raises:
        ConfigurationError: the address is in use or does not belong to this machine.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((settings.host, listener.port))
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {settings.host}:{listener.port} ({error.strerror}); is Glas running already? "
                f"Another port: {listener.port_variable}=8080"
            ) from error
        yield sock


def with_page_address(settings: Settings, urls: Mapping[str, str]) -> Settings:
    """Return the settings with the address of the web pages, for a bot that runs in the same process as these pages.

    The settings are returned unchanged if they contain the address already, or if the web pages are not served by this
    process. The settings are also returned unchanged if the web pages are not served on the loopback address.

    Args:
        settings: the whole configuration.
        urls: addresses of the parts of this process.
    """
    if settings.web.url is not None or "web" not in urls or not is_loopback(settings.host):
        return settings
    return settings.model_copy(update={"web": settings.web.model_copy(update={"url": urls["web"]})})


def url_of(settings: Settings, sock: socket.socket) -> str:
    """Return the URL of a bound socket; if the socket listens on all addresses, return the URL on loopback."""
    return address_of(settings, sock.getsockname()[1])


def address_of(settings: Settings, port: int) -> str:
    """Return the URL of a port of this machine; if parts listen on all addresses, return the URL on loopback."""
    host = "127.0.0.1" if settings.host in _EVERYWHERE else settings.host
    scheme = "http" if settings.tls.certificate is None else "https"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def require_certificate(tls: TlsSettings) -> None:
    """Check that the certificate and the private key of this server can be used, if the settings name them.

    Raises:
        ConfigurationError: a file cannot be read, is no PEM, or the key does not belong to the certificate.
    """
    if tls.certificate is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls.certificate, tls.key)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigurationError(
            f"expected a certificate and its private key (PEM) in {tls.certificate} (GLAS_TLS__CERTIFICATE) and "
            f"{tls.key} (GLAS_TLS__KEY), got: {error}"
        ) from error
