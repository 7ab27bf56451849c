"""Test parts of signing in: signed sessions, the signing key, counted failures, the address of the page."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from glas.launch.listeners import with_page_address
from glas.settings import Settings, WebSettings
from glas.web.access.minute_limit import MinuteLimit
from glas.web.access.secret_key import FILE, secret_key
from glas.web.access.sessions import Sessions


def test_failures_are_forgotten_after_a_minute() -> None:
    clock = [0.0]
    limit = MinuteLimit(10, lambda: clock[0])
    for _ in range(10):
        assert limit.wait_s("anna") == 0
        limit.count("anna")
    assert limit.wait_s("anna") == 60
    assert limit.wait_s("boris") == 0
    clock[0] = 60.0
    assert limit.wait_s("anna") == 0


def test_a_session_lasts_while_it_is_used() -> None:
    """A session ends after some hours without a request, and after a week; sessions cannot be forged."""
    clock = [1_000_000.0]
    sessions = Sessions(b"key", life_s=3600, now=lambda: clock[0])
    session = sessions.begin(5, "s")
    cookie = sessions.write(session)
    assert sessions.read(cookie) == session
    assert sessions.renewed(session) is None
    clock[0] += 3599
    renewed = sessions.renewed(session)
    assert renewed is not None
    clock[0] += 1
    assert sessions.read(cookie) is None
    assert sessions.read(sessions.write(renewed)) == renewed
    of_another_key = Sessions(b"other", life_s=3600).write(session)
    for forged in ("", "x", cookie.replace("5.", "6.", 1), f"{cookie[:-1]}x", of_another_key):
        assert sessions.read(forged) is None, forged
    assert sessions.form_token(session) not in cookie
    clock[0] = session.began_s + 7 * 24 * 3600 - 1
    last = sessions.renewed(session)
    assert last is not None
    assert sessions.read(sessions.write(last)) == last
    clock[0] += 1
    assert sessions.read(sessions.write(last)) is None


def test_the_key_is_made_once(tmp_path: Path) -> None:
    """Only the owner can read the file of the key; a key in the settings has precedence."""
    directory = tmp_path / "data"
    made = secret_key(None, directory)
    assert len(made) >= 32
    assert secret_key(None, directory) == made
    assert (directory / FILE).stat().st_mode & 0o777 == 0o600
    assert list(directory.iterdir()) == [directory / FILE]
    assert secret_key("given", directory) == b"given"
    (tmp_path / "file").touch()
    assert secret_key(None, tmp_path / "file") != made


def test_the_bot_learns_of_the_page_beside_it(settings: Settings) -> None:
    """The bot gets the address of the page only on loopback, because other addresses are unknown."""
    here = {"web": "http://127.0.0.1:8123"}
    assert with_page_address(settings, here).web.url == here["web"]
    assert with_page_address(settings, {"db_assist": here["web"]}).web.url is None
    assert with_page_address(settings.model_copy(update={"host": "192.0.2.1"}), here).web.url is None
    public = settings.model_copy(update={"web": WebSettings(url="https://glas.test")})
    assert with_page_address(public, here).web.url == "https://glas.test"


@pytest.mark.parametrize("url", ["glas.test", "ftp://glas.test", "https://glas.test/page", "https://a b"])
def test_the_address_of_the_page_is_checked(url: str) -> None:
    with pytest.raises(ValidationError):
        WebSettings(url=url)
