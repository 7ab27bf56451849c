"""Test keys: each is shown once, stored as a hash, and identified by its name."""

import hashlib

import pytest
from pydantic import ValidationError

from glas.domain.errors import AuthenticationError
from glas.serving.keys import Caller, KeyRing
from glas.settings import Settings
from glas.settings.keys import hashed_keys, new_key


def test_a_new_key_opens_and_its_entry_does_not_show_it() -> None:
    key, entry = new_key("anna", "user")
    assert key not in str(entry)
    assert str(entry).endswith(hashlib.sha256(key.encode()).hexdigest())
    assert new_key("anna", "user")[0] != key
    ring = KeyRing(None, hashed_keys(str(entry)))
    assert ring.caller(f"Bearer {key}") == Caller("anna", is_admin=False, has_key=True)


def test_whose_key_it_is() -> None:
    (user, first), (admin, second) = new_key("anna", "user"), new_key("boris", "admin")
    ring = KeyRing("the-owner", hashed_keys(f"{first},{second}"))
    callers = [ring.caller(f"bearer {key}") for key in ("the-owner", user, admin)]
    assert [(caller.name, caller.is_admin) for caller in callers] == [
        ("owner", True),
        ("anna", False),
        ("boris", True),
    ]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic the-owner", "the-owner", "Bearer the-owner2"])
def test_anything_else_is_refused(header: str) -> None:
    with pytest.raises(AuthenticationError):
        KeyRing("the-owner").caller(header)


def test_a_service_without_keys_takes_everybody_for_its_owner() -> None:
    assert KeyRing(None).caller("") == Caller("", is_admin=True, has_key=False)


@pytest.mark.parametrize(
    "text", ["anna", "anna:user:12", "anna:root:" + "a" * 64, "an na:user:" + "a" * 64, "a:user:" + "A" * 64]
)
def test_a_broken_entry_is_told(text: str) -> None:
    with pytest.raises(ValidationError, match="glas keys new"):
        Settings(_env_file=None, api_keys=text)


def test_a_name_may_stand_once() -> None:
    entries = ",".join(str(new_key("anna", role)[1]) for role in ("user", "admin"))
    with pytest.raises(ValueError, match="several keys called anna"):
        hashed_keys(entries)
