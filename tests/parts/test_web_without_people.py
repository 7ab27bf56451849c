"""Test the pages if nobody can be looked up: without a database, and with a database that does not answer."""

from pathlib import Path

import httpx

from glas.clients.db_assist import DbAssistClient
from glas.settings import Settings
from glas.web.app import create_app
from tests.parts.test_web_sign_in import TOKEN
from tests.parts.webs import HTML, ORIGIN, open_pages


async def test_without_a_database_the_page_says_that_nobody_signs_in() -> None:
    """The page for recordings works without a database."""
    app = create_app()
    transport = httpx.ASGITransport(app)
    headers = {"Origin": ORIGIN, "Accept-Language": "de, en;q=0.7"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers, timeout=60) as browser,
    ):
        assert (await browser.get("/")).status_code == 200
        for answer in (
            await browser.get("/sign-in", headers=HTML),
            await browser.get(f"/sign-in/{TOKEN}", headers=HTML),
            await browser.post("/sign-in", data={"token": TOKEN}, headers=HTML),
        ):
            assert answer.status_code == 200
            assert "no database of people" in answer.text
            assert TOKEN not in answer.text
        assert (await browser.get("/home", headers=HTML)).headers["location"] == "/sign-in"


async def test_a_silent_database_is_told(settings: Settings, migrated_sqlite: Path) -> None:
    async with open_pages(settings, migrated_sqlite) as opened:
        browser = await opened.signed_in(await opened.person())
        opened.app.state.site.visitors.people._known.clear()
        await opened.services.db_assist._http.aclose()
        opened.app.state.site.visitors.people._db_assist = DbAssistClient(
            httpx.AsyncClient(base_url="http://127.0.0.1:9", trust_env=False, timeout=60)
        )
        answer = await browser.get("/home", headers=HTML)
    assert answer.status_code == 502
    assert "Служба не отвечает" in answer.text
