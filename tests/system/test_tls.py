"""Parts in different processes speak TLS with certificates of an authority of their own."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest
import trustme
from pydantic import ValidationError

from glas.clients.http import open_http
from glas.domain.errors import ConfigurationError
from glas.domain.metrics import error_rates
from glas.launch.listeners import require_certificate
from glas.settings import TlsSettings
from tests.conftest import Sample, Server

Start = Callable[..., AbstractContextManager[Server]]
TOKEN = "the-token-of-the-recogniser-is-long"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsSettings:
    """A certificate for this machine, its key, and the authority that issued it."""
    authority, folder = trustme.CA(), tmp_path_factory.mktemp("tls")
    issued = authority.issue_cert("127.0.0.1", "localhost")
    issued.cert_chain_pems[0].write_to_path(folder / "server.pem")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return TlsSettings(certificate=folder / "server.pem", key=folder / "key.pem", authority=folder / "ca.pem")


def variables(tls: TlsSettings, *names: str) -> dict[str, str]:
    return {f"GLAS_TLS__{name.upper()}": str(getattr(tls, name)) for name in names}


@pytest.fixture(scope="module")
def recogniser(start_glas: Start, tls: TlsSettings) -> Iterator[Server]:
    """nn_service in a process of its own, with TLS."""
    with start_glas("nn_service", GLAS_NN_SERVICE_TOKEN=TOKEN, **variables(tls, "certificate", "key")) as running:
        yield running


def posted(page: Server, sample: Sample, *, verify: ssl.SSLContext | bool) -> httpx.Response:
    address, files = f"{page.url}/v1/audio/transcriptions", {"file": sample.path.read_bytes()}
    return httpx.post(address, files=files, verify=verify, trust_env=False, timeout=60)


def test_a_recording_passes_two_parts(
    start_glas: Start, recogniser: Server, tls: TlsSettings, samples: list[Sample]
) -> None:
    """The page speaks TLS with its visitor and with nn_service; nn_service refuses whoever does not."""
    told = {"GLAS_NN_SERVICE_URL": recogniser.url, "GLAS_NN_SERVICE_TOKEN": TOKEN}
    with start_glas("web", **told, **variables(tls, "certificate", "key", "authority")) as page:
        assert page.url.startswith("https://")
        answer = posted(page, samples[0], verify=ssl.create_default_context(cafile=tls.authority))
    assert answer.status_code == 200
    assert error_rates([samples[0].text], [answer.json()["text"]]).wer <= 0.25
    assert recogniser.url.startswith("https://")
    with pytest.raises(httpx.TransportError):
        httpx.get(recogniser.url.replace("https", "http") + "/health", trust_env=False, timeout=60)
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{recogniser.url}/health", trust_env=False, timeout=60)


def test_an_unknown_authority_is_not_trusted(start_glas: Start, recogniser: Server, samples: list[Sample]) -> None:
    """The token of nn_service and the recording are not sent to a server whose certificate cannot be checked."""
    told = {"GLAS_NN_SERVICE_URL": recogniser.url, "GLAS_NN_SERVICE_TOKEN": TOKEN}
    with start_glas("web", **told) as page:
        answer = posted(page, samples[0], verify=True)
    assert answer.status_code == 502
    assert recogniser.url in answer.json()["error"]["message"]


def test_wrong_files_are_refused_before_the_start(tls: TlsSettings, tmp_path: Path) -> None:
    require_certificate(TlsSettings())
    require_certificate(tls)
    other = trustme.CA().issue_cert("localhost")
    other.private_key_pem.write_to_path(tmp_path / "other.pem")
    (tmp_path / "text.pem").write_text("hello", encoding="utf-8")
    for name, place in (("key", "other.pem"), ("key", "text.pem"), ("certificate", "text.pem"), ("key", "missing.pem")):
        with pytest.raises(ConfigurationError, match=place):
            require_certificate(tls.model_copy(update={name: tmp_path / place}))
    for place in ("text.pem", "missing.pem"):
        with pytest.raises(ConfigurationError, match=place):
            open_http(url="https://localhost", authority=tmp_path / place)
    with pytest.raises(ValidationError, match="both a certificate and a key"):
        TlsSettings(certificate=tls.certificate)
