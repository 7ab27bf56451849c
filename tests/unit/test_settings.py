"""Settings: documented, typed, and refused when they are dangerous."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from glas.settings import Settings, is_loopback, rows

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def test_environment_is_read_with_nesting(monkeypatch: pytest.MonkeyPatch) -> None:
    """`__` joins the levels."""
    monkeypatch.setenv("GLAS_AUDIO__MAX_DURATION_S", "60")
    monkeypatch.setenv("GLAS_PORT", "8123")
    settings = Settings(_env_file=None)
    assert (settings.audio.max_duration_s, settings.port) == (60, 8123)


@pytest.mark.parametrize("value", ["changeme-changeme-changeme", "short", "secret-secret-secret"])
def test_placeholder_keys_are_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """A key that everybody knows is worse than none."""
    monkeypatch.setenv("GLAS_API_KEY", value)
    with pytest.raises(ValidationError, match="expected a secret"):
        Settings(_env_file=None)


def test_secrets_do_not_show_in_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings may be printed by accident."""
    monkeypatch.setenv("GLAS_API_KEY", "k" * 40)
    assert "k" * 40 not in repr(Settings(_env_file=None))


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False), ("glas.lan", False)],  # noqa: S104
)
def test_loopback(host: str, *, expected: bool) -> None:
    """Only what cannot leave the machine counts."""
    assert is_loopback(host) is expected


def test_docs_hold_every_setting() -> None:
    """The table in docs/settings.md is the table of the code, line by line."""
    expected = [
        f"| `{row.variable}` | {f'`{row.default}`' if row.default else '—'} | {row.description} |" for row in rows()
    ]
    written = [line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert written == expected
