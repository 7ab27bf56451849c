"""Test settings: documented, typed, and refused if they are dangerous."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from glas.settings import Settings, is_loopback, plain, rows
from glas.settings.files import SecretFileError, secret_variables

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def test_environment_is_read_with_nesting(monkeypatch: pytest.MonkeyPatch) -> None:
    """`__` separates the levels of names."""
    monkeypatch.setenv("GLAS_AUDIO__MAX_DURATION_S", "60")
    monkeypatch.setenv("GLAS_PORT", "8123")
    settings = Settings(_env_file=None)
    assert (settings.audio.max_duration_s, settings.port) == (60, 8123)


@pytest.mark.parametrize("value", ["changeme-changeme-changeme", "short", "secret-secret-secret"])
def test_placeholder_keys_are_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """A key that everybody knows is an error."""
    monkeypatch.setenv("GLAS_API_KEY", value)
    with pytest.raises(ValidationError, match="expected a secret"):
        Settings(_env_file=None)


def test_secrets_do_not_show_in_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    """The repr of settings contains no secrets."""
    monkeypatch.setenv("GLAS_API_KEY", "k" * 40)
    assert "k" * 40 not in repr(Settings(_env_file=None))


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False), ("glas.lan", False)],  # noqa: S104
)
def test_loopback(host: str, *, expected: bool) -> None:
    """Only addresses that never leave the machine count as loopback."""
    assert is_loopback(host) is expected


def test_docs_hold_every_setting() -> None:
    """The table in docs/settings.md agrees with the code, line by line."""
    expected = [
        f"| `{row.variable}` | {f'`{row.default}`' if row.default else '—'} | {row.description} |" for row in rows()
    ]
    written = [line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert written == expected


def test_every_placeholder_of_the_example_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copied example with placeholders is an error at the start of any part."""
    for variable, _ in secret_variables(Settings, "GLAS_"):
        for value in ("changeme", "changeme-and-long-enough"):
            monkeypatch.setenv(variable, f"postgresql://glas:{value}@db/glas" if "URL" in variable else value)
            with pytest.raises(ValidationError, match="(?i)" + variable.removeprefix("GLAS_").replace("__", ".")):
                Settings(_env_file=None)
            monkeypatch.delenv(variable)


@pytest.mark.parametrize("variable", [variable for variable, _ in secret_variables(Settings, "GLAS_")])
def test_every_secret_can_be_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """Secrets are read from files as Docker and Kubernetes mount them; a line break at the end is removed."""
    text = {"TELEGRAM_TOKEN": "123456789:" + "a" * 35, "GLAS_DATABASE_URL": "postgresql://glas:word@db/glas"}
    secret = text.get(variable, "s" * 32)
    file = tmp_path / "secret"
    file.write_text(f"{secret}\n", encoding="utf-8")
    monkeypatch.setenv(f"{variable}_FILE", str(file))
    found = list(_secrets_of(Settings(_env_file=None)))
    assert found == [secret]


def _secrets_of(settings: BaseModel) -> Iterator[str]:
    for name in type(settings).model_fields:
        match getattr(settings, name):
            case SecretStr() as secret:
                yield secret.get_secret_value()
            case BaseModel() as group:
                yield from _secrets_of(group)


def test_a_file_that_holds_no_secret_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing or empty file, a placeholder, and a second definition are errors, in `.env` as in the environment."""
    file, dotenv = tmp_path / "token", tmp_path / ".env"
    dotenv.write_text(f"GLAS_DB_ASSIST_TOKEN_FILE={file}\n", encoding="utf-8")
    with pytest.raises(SecretFileError, match=r"GLAS_DB_ASSIST_TOKEN_FILE .*No such file"):
        Settings(_env_file=dotenv)
    file.write_text("\n", encoding="utf-8")
    with pytest.raises(SecretFileError, match="got an empty one"):
        Settings(_env_file=dotenv)
    file.write_text("changeme", encoding="utf-8")
    with pytest.raises(ValidationError, match="placeholder"):
        Settings(_env_file=dotenv)
    file.write_text("f" * 20, encoding="utf-8")
    assert plain(Settings(_env_file=dotenv).db_assist_token) == "f" * 20
    monkeypatch.setenv("GLAS_DB_ASSIST_TOKEN", "e" * 20)
    assert plain(Settings(_env_file=dotenv).db_assist_token) == "e" * 20
    monkeypatch.setenv("GLAS_DB_ASSIST_TOKEN_FILE", str(file))
    with pytest.raises(SecretFileError, match="got both"):
        Settings(_env_file=None)
