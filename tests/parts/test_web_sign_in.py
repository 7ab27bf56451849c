"""Test signing in to the pages: links that work once, sessions, rights, requests of foreign pages."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import select, update

from glas.clients.db_assist import DbAssistClient
from glas.db.session import database_url, open_database
from glas.db.tables import WebLoginRow
from glas.db_assist import logins, people
from glas.domain.errors import ConflictError, ForbiddenError, NotFoundError
from glas.domain.people import Role
from glas.settings import Settings, WebSettings
from glas.web.access.rights import Right
from glas.web.frame import PageRoute
from glas.web.pages import PAGES
from tests.parts.voices import someone
from tests.parts.webs import HTML, ORIGIN, Pages, form_token, open_pages

TOKEN = "a-token-that-nobody-guesses-0123456789"
ADMIN = someone()


@pytest.fixture
async def pages(settings: Settings, migrated_sqlite: Path) -> AsyncIterator[Pages]:
    async with open_pages(settings, migrated_sqlite, admins=frozenset({ADMIN})) as opened:
        yield opened


async def test_a_token_lets_its_person_in_once(db_assist: DbAssistClient, database_settings: Settings) -> None:
    """The database contains only the hash of the token."""
    anna = someone()
    await db_assist.register(anna)
    await db_assist.offer_login(anna, TOKEN)
    await db_assist.offer_login(anna, TOKEN)
    database = open_database(database_url(database_settings))
    async with database.reading() as session:
        (row,) = await session.scalars(select(WebLoginRow))
    await database.close()
    assert TOKEN not in row.token_sha256
    assert (await db_assist.redeem_login(TOKEN)).tg_id == anna
    for token in (TOKEN, "another"):
        with pytest.raises(NotFoundError):
            await db_assist.redeem_login(token)


async def test_a_token_is_one_persons_latest(db_assist: DbAssistClient) -> None:
    anna, boris = someone(), someone()
    for person in (anna, boris):
        await db_assist.register(person)
    await db_assist.offer_login(anna, "first")
    await db_assist.offer_login(anna, TOKEN)
    with pytest.raises(NotFoundError):
        await db_assist.redeem_login("first")
    with pytest.raises(ConflictError):
        await db_assist.offer_login(boris, TOKEN)
    with pytest.raises(NotFoundError):
        await db_assist.offer_login(someone(), "of nobody")
    assert (await db_assist.redeem_login(TOKEN)).tg_id == anna


async def test_whoever_is_banned_or_forgotten_stays_out(db_assist: DbAssistClient) -> None:
    anna, boris = someone(), someone()
    for person in (anna, boris):
        await db_assist.register(person)
        await db_assist.offer_login(person, f"{TOKEN}{person}")
    await db_assist.ban(anna)
    with pytest.raises(ForbiddenError):
        await db_assist.redeem_login(f"{TOKEN}{anna}")
    with pytest.raises(ForbiddenError):
        await db_assist.offer_login(anna, TOKEN)
    await db_assist.forget(boris)
    with pytest.raises(NotFoundError):
        await db_assist.redeem_login(f"{TOKEN}{boris}")


async def test_a_token_expires(db_assist: DbAssistClient, database_settings: Settings) -> None:
    """An expired token is refused and deleted."""
    anna = someone()
    await db_assist.register(anna)
    await db_assist.offer_login(anna, TOKEN)
    database = open_database(database_url(database_settings))
    async with database.writing() as session:
        soon = await session.scalar(select(WebLoginRow.expiry_datetime))
        assert soon is not None
        assert timedelta(minutes=4) < soon - people.now() <= timedelta(minutes=5)
        await session.execute(update(WebLoginRow).values(expiry_datetime=people.now()))
    with pytest.raises(NotFoundError):
        await db_assist.redeem_login(TOKEN)
    async with database.writing() as session:
        await logins.delete_expired(session=session)
        assert (await session.scalars(select(WebLoginRow))).all() == []
    await database.close()


async def test_looking_at_a_link_does_not_use_it(pages: Pages) -> None:
    """Telegram opens links for previews; only the button uses the token, once."""
    token = await pages.link(await pages.person())
    browser = await pages.browser()
    for _ in range(2):
        shown = await browser.get(f"/sign-in/{token}", headers=HTML)
        assert f'name="token" value="{token}"' in shown.text
        assert "set-cookie" not in shown.headers
    assert (await browser.post("/sign-in", data={"token": token}, headers=HTML)).status_code == 303
    assert "Здравствуйте" in (await browser.get("/home", headers=HTML)).text
    stranger = await pages.browser()
    again = await stranger.post("/sign-in", data={"token": token}, headers=HTML)
    assert (again.status_code, "set-cookie" in again.headers) == (403, False)
    assert "уже использована" in again.text


async def test_the_cookie_is_out_of_reach(settings: Settings, migrated_sqlite: Path) -> None:
    """Scripts, foreign pages, plain http and other hosts do not get the cookie."""
    public = settings.model_copy(update={"web": WebSettings(url="https://glas.test/")})
    for config, origin, expected in (
        (settings, ORIGIN, "glas-session=[^;]+; HttpOnly; Max-Age=43200; Path=/; SameSite=lax"),
        (
            public,
            "https://glas.test",
            "__Host-glas-session=[^;]+; HttpOnly; Max-Age=43200; Path=/; SameSite=lax; Secure",
        ),
    ):
        async with open_pages(config, migrated_sqlite) as opened:
            browser = await opened.browser(origin)
            token = await opened.link(await opened.person())
            answer = await browser.post("/sign-in", data={"token": token}, headers=HTML)
            assert re.fullmatch(expected, answer.headers["set-cookie"]), answer.headers["set-cookie"]
            assert answer.headers["cache-control"] == "no-store"


async def test_what_a_foreign_page_sends_is_refused(pages: Pages) -> None:
    """Requests without the token of the session, with another token, or from a foreign page are refused."""
    browser, other = await pages.signed_in(await pages.person()), await pages.signed_in(await pages.person())
    token, foreign = await form_token(browser), await form_token(other)
    for fields, headers in (
        ({}, {}),
        ({"form_token": foreign}, {}),
        ({"form_token": token}, {"Origin": "https://evil.test"}),
        ({"form_token": token}, {"Sec-Fetch-Site": "cross-site"}),
        ({"form_token": token}, {"Sec-Fetch-Site": "same-site"}),
        ({"form_token": token}, {"Origin": "null"}),
    ):
        answer = await browser.post("/language", data={"language": "en", **fields}, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "foreign_page"), (fields, headers)
        shown = await browser.post("/sign-out", data=fields, headers=headers | HTML)
        assert shown.status_code == 403
        assert "Обновите её" in shown.text
    for headers in ({"Origin": "https://evil.test"}, {"Sec-Fetch-Site": "cross-site"}):
        link = await pages.link(await pages.person())
        assert (await browser.post("/sign-in", data={"token": link}, headers=headers)).status_code == 403
    accepted = await browser.post("/language", data={"language": "en", "form_token": token})
    assert accepted.status_code == 303
    assert "Welcome!" in (await browser.get("/home", headers=HTML)).text


async def test_a_request_that_no_browser_sends_is_refused(pages: Pages) -> None:
    transport = httpx.ASGITransport(pages.app)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, timeout=60) as bare:
        answer = await bare.post("/sign-in", data={"token": await pages.link(await pages.person())})
    assert answer.status_code == 403


async def test_signing_out_ends_the_session(pages: Pages) -> None:
    """A copy of the cookie does not work any more."""
    browser = await pages.signed_in(await pages.person())
    copied = dict(browser.cookies)
    answer = await browser.post("/sign-out", data={"form_token": await form_token(browser)}, headers=HTML)
    assert answer.headers["location"] == "/sign-in"
    assert not browser.cookies
    thief = await pages.browser()
    thief.cookies.update(copied)
    assert (await thief.get("/home")).status_code == 401


@pytest.mark.parametrize("change", ["ban", "reviewer", "role", "forget"])
async def test_a_session_ends_when_its_person_changes(
    pages: Pages, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session ends by a ban, a new role or the deletion of the person's data."""
    monkeypatch.setattr("glas.web.access.rights._KEPT_S", 0.0)
    person = ADMIN if change == "role" else await pages.person()
    db_assist = pages.services.db_assist
    await db_assist.register(person)
    browser = await pages.signed_in(person)
    assert (await browser.get("/home", headers=HTML)).status_code == 200
    match change:
        case "ban":
            await db_assist.ban(person)
        case "reviewer":
            await db_assist.set_reviewer(person, is_reviewer=True)
        case "role":
            await db_assist.set_role(person, Role.ADMIN)
        case _:
            await db_assist.forget(person)
    answer = await browser.get("/home", headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert not browser.cookies


async def test_pages_are_for_those_who_may_see_them(pages: Pages) -> None:
    """Each route of a page asks for the right that its page declares."""
    db_assist = pages.services.db_assist
    for person in (ADMIN, former := someone(), reviewer := someone(), anybody := someone()):
        await db_assist.register(person)
    for admin in (ADMIN, former):
        await db_assist.set_role(admin, Role.ADMIN)
    await db_assist.set_reviewer(reviewer, is_reviewer=True)
    everything, some = set(Right), {Right.SIGNED_IN, Right.REVIEWER}
    # Whoever was taken from the list of administrators is none here.
    least = {Right.SIGNED_IN}
    for person, rights in ((ADMIN, everything), (former, least), (reviewer, some), (anybody, least)):
        browser = await pages.signed_in(person)
        home = (await browser.get("/home", headers=HTML)).text
        for page in PAGES:
            is_let_in = (await browser.get(page.path, headers=HTML)).status_code == 200
            assert is_let_in == (page.right in rights) == (f'<a href="{page.path}"' in home), page


async def test_no_page_is_open_by_mistake(pages: Pages) -> None:
    """All routes of the pages, except for signing in, refuse visitors who are not signed in."""
    browser = await pages.browser()
    routes = [route for page in PAGES for route in page.router.routes if isinstance(route, APIRoute)]
    assert routes
    for route in routes:
        assert isinstance(route, PageRoute)
        for method in sorted(route.methods or ()):
            path = re.sub(r"\{[^}]+\}", "1", route.path)
            answer = await browser.request(method, path, headers=HTML)
            assert (answer.status_code, answer.headers.get("location")) == (303, "/sign-in"), (method, path)


async def test_guessing_is_slowed_down(pages: Pages) -> None:
    """Only failures count towards the limit, so a valid link waits at most one minute."""
    browser = await pages.browser()
    for _ in range(10):
        assert (await browser.post("/sign-in", data={"token": "guessed"}, headers=HTML)).status_code == 403
    answer = await browser.post("/sign-in", data={"token": "guessed"}, headers=HTML)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 60


async def test_one_person_does_not_take_the_server_from_others(pages: Pages) -> None:
    """Whoever sends more than a reviewer can must wait, in all their browsers; nobody else must."""
    person = await pages.person()
    browser, other = await pages.signed_in(person), await pages.signed_in(await pages.person())
    pages.app.state.site.visitors.requests.most = 3
    assert [(await browser.get("/home", headers=HTML)).status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = await (await pages.signed_in(person)).get("/data")
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many_requests")
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert "Слишком много запросов" in (await browser.get("/data", headers=HTML)).text
    assert (await other.get("/home", headers=HTML)).status_code == 200


async def test_a_session_is_renewed_by_requests(pages: Pages) -> None:
    browser = await pages.signed_in(await pages.person())
    assert "set-cookie" not in (await browser.get("/home", headers=HTML)).headers
    sessions = pages.app.state.site.visitors.sessions
    began = sessions._now()
    sessions._now = lambda: began + 400
    assert "set-cookie" in (await browser.get("/home", headers=HTML)).headers
