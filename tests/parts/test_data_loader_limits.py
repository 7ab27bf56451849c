"""Test what the routes of data_loader refuse: too much, strange keys, callers without a key, a store that is away."""

from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import SecretStr

from glas.clients.data_loader import DataLoaderClient
from glas.clients.http import open_http
from glas.domain.errors import (
    AuthenticationError,
    InvalidParameterError,
    NotFoundError,
    ServiceUnreachableError,
    UploadTooLargeError,
)
from glas.settings import Settings
from tests.parts.test_data_loader import KEY, NOBODY, running
from tests.parts.test_data_loader import data_loader as data_loader  # noqa: PLC0414 - a fixture, found here by its name
from tests.parts.test_data_loader import http as http  # noqa: PLC0414 - a fixture, found here by its name
from tests.parts.test_data_loader import number as number  # noqa: PLC0414 - a fixture, found here by its name
from tests.parts.test_data_loader import store_settings as store_settings  # noqa: PLC0414 - a fixture, found here by its name
from tests.parts.test_data_loader import voice as voice  # noqa: PLC0414 - a fixture, found here by its name
from tests.parts.test_data_loader import wav as wav  # noqa: PLC0414 - a fixture, found here by its name
from tests.seaweed import ACCESS_KEY, SECRET_KEY


async def test_uploads_have_a_limit(
    data_loader: DataLoaderClient, http: httpx.AsyncClient, number: int, wav: bytes
) -> None:
    """The limit applies to announced and to unannounced lengths."""
    data = wav[:44] + bytes(25 * 1024 * 1024)
    with pytest.raises(UploadTooLargeError, match="24 MiB"):
        await data_loader.store_audio(number, data)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), 1 << 20):
            yield data[start : start + (1 << 20)]

    answer = await http.put(f"/objects/{number}/audio", content=pieces())
    assert answer.json()["error"]["code"] == "upload_too_large"
    with pytest.raises(NotFoundError):
        await data_loader.fetch_audio(f"{number}/{number}_audio.wav")


async def test_strange_keys_reach_nothing(http: httpx.AsyncClient) -> None:
    """Only keys of Glas can be fetched or deleted."""
    for key in ("../../etc/passwd", "..%2f..%2fetc%2fpasswd", "1/2_audio.ogg", "1", "1/1_audio.ogg.part"):
        assert (await http.get(f"/objects/{key}")).status_code in {400, 404, 405}
        with pytest.raises(InvalidParameterError, match="expected a key"):
            await DataLoaderClient(http).delete_keys(["1/1_audio.ogg", key])


async def test_the_key_is_asked_for(http: httpx.AsyncClient, store_settings: Settings) -> None:
    """Only `/health` and `/ready` need no key."""
    http.headers["Authorization"] = "Bearer another"
    client = DataLoaderClient(http)
    assert (await http.get("/health")).status_code == 200
    state = await client.ready()
    assert (state.status, state.store) == ("ok", "s3" if store_settings.s3_endpoint else "directory")
    for asking in (
        client.store_transcription(1, ""),
        client.fetch_audio("1/1_audio.ogg"),
        client.delete(1),
        client.lost([]),
        client.export_now(),
    ):
        with pytest.raises(AuthenticationError):
            await asking


async def test_a_store_that_is_away(settings: Settings, voice: bytes) -> None:
    """The error says that the store is unavailable, so that callers try again; the service continues to run."""
    keys = {"s3_access_key": ACCESS_KEY, "s3_secret_key": SecretStr(SECRET_KEY)}
    away = settings.model_copy(update={"s3_endpoint": NOBODY} | keys)
    async with running(away) as app, open_http(url=None, app=app, token=KEY) as http:
        client = DataLoaderClient(http)
        for asking in (client.store_audio(1, voice), client.fetch_audio("1/1_audio.ogg"), client.ready()):
            with pytest.raises(ServiceUnreachableError, match="object store cannot be reached"):
                await asking
        assert (await http.get("/health")).status_code == 200, "the process is alive"


async def test_an_export_that_cannot_ask_the_database(data_loader: DataLoaderClient) -> None:
    """The export fails with the reason, and another export can be started."""
    for _ in range(2):
        with pytest.raises(ServiceUnreachableError, match="nobody answers"):
            await data_loader.export_now()
    state = await data_loader.export_state()
    assert (state.run, state.is_running) == (2, False)
