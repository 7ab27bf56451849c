"""The app of `web` without a browser: which files it serves with which headers, and which it refuses."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from glas.web.app import STATIC_DIR, create_app


@pytest.fixture
def samples_dir(tmp_path: Path) -> Path:
    directory = tmp_path / "samples"
    directory.mkdir()
    (directory / "first_message.ogg").write_bytes(b"OggS 1")
    (directory / "Second-message.WAV").write_bytes(b"RIFF")
    (directory / "texts.jsonl").write_text('{"file": "first_message.ogg", "text": "Раз, два."}\n', encoding="utf-8")
    (tmp_path / "secret.ogg").write_bytes(b"outside")
    return directory


@pytest.fixture
async def http(samples_dir: Path) -> AsyncIterator[httpx.AsyncClient]:
    api = FastAPI()
    api.add_api_route("/health", lambda: {"status": "ok"})
    app = create_app(api=api, samples_dir=samples_dir)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://web", timeout=60) as http,
    ):
        yield http


async def test_the_page_lets_only_its_own_files_run(http: httpx.AsyncClient) -> None:
    answer = await http.get("/")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.findall(r"https?://", answer.text), "the page names no other host"
    assert not re.findall(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", answer.text), "nothing inline"


async def test_the_page_is_asked_for_anew_and_its_files_are_kept(http: httpx.AsyncClient) -> None:
    page = await http.get("/")
    again = await http.get("/", headers={"If-None-Match": page.headers["etag"]})
    (script,) = re.findall(r'src="(/static/\w+/app\.js)"', page.text)
    file = await http.get(script)

    assert page.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")
    assert file.status_code == 200
    assert "immutable" in file.headers["cache-control"]
    assert file.headers["x-content-type-options"] == "nosniff"


async def test_every_file_that_page_and_modules_name_is_there(http: httpx.AsyncClient) -> None:
    named = set(re.findall(r'"(/static/[^"]+)"', (await http.get("/")).text))
    version = "/".join(next(iter(named)).split("/")[:3])
    for module in STATIC_DIR.glob("*.js"):
        imports = re.findall(r"from '\./([^']+)'", module.read_text(encoding="utf-8"))
        named |= {f"{version}/{name}" for name in imports}

    for address in sorted(named):
        assert (await http.get(address)).status_code == 200, address


@pytest.mark.parametrize(
    "path", ["/static/x/../app.py", "/static/x/%2e%2e/%2e%2e/app.py", "/static/x", "/static/x/no.js"]
)
async def test_only_files_of_the_page_are_served(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(path)).status_code == 404


async def test_samples_are_listed_and_sent(http: httpx.AsyncClient) -> None:
    listed = (await http.get("/samples")).json()
    sent = await http.get("/samples/first_message.ogg")

    assert listed == [
        {"name": "Second-message.WAV", "size_bytes": 4, "text": None},
        {"name": "first_message.ogg", "size_bytes": 6, "text": "Раз, два."},
    ]
    assert sent.content == b"OggS 1"
    assert sent.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["texts.jsonl", "..%2Fsecret.ogg", "%2e%2e%2fsecret.ogg", "none.ogg"])
async def test_no_name_leads_out_of_the_samples(http: httpx.AsyncClient, name: str) -> None:
    answer = await http.get(f"/samples/{name}")

    assert answer.status_code == 404
    assert b"outside" not in answer.content


async def test_what_the_page_does_not_know_reaches_the_api(http: httpx.AsyncClient) -> None:
    assert (await http.get("/health")).json() == {"status": "ok"}
    # Its description is the API's own.
    assert (await http.get("/openapi.json")).json()["paths"].keys() == {"/health"}


async def test_a_page_without_samples_lists_none(tmp_path: Path) -> None:
    for directory in (None, tmp_path / "missing"):
        transport = httpx.ASGITransport(create_app(samples_dir=directory))
        async with httpx.AsyncClient(transport=transport, base_url="http://web", timeout=60) as http:
            assert (await http.get("/samples")).json() == []
            assert (await http.get("/samples/x.ogg")).status_code == 404


def test_both_languages_have_the_same_texts() -> None:
    russian, english = _texts("ru"), _texts("en")

    assert russian == english
    assert len(russian) == len(set(russian)) > 50


def test_no_text_is_left_over() -> None:
    readers = [STATIC_DIR.parent / "templates" / "index.html", *STATIC_DIR.glob("*.js")]
    source = "".join(file.read_text(encoding="utf-8") for file in readers)

    # These are put together from a stem and an ending where they are used.
    composed = r"(error\w+Do|(faster|slower)(One|Few)|(unsure|corrected|doubtful)(Example|Legend))"
    assert [key for key in _texts("ru") if not re.fullmatch(composed, key) and key not in _words(source)] == []


def _texts(language: str) -> list[str]:
    """Return the keys of all texts of the first page."""
    source = (STATIC_DIR / "texts" / f"{language}.js").read_text(encoding="utf-8")
    return re.findall(r"^  (\w+):", source, flags=re.MULTILINE)


def _words(source: str) -> set[str]:
    return set(re.findall(r"""['"](\w+)['"]""", source))
