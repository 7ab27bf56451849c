"""Test that the command line uses one language, including the messages of Typer."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from glas.cli import app
from glas.cli.language import chosen_language
from glas.cli.usage import mistake

# Words of Typer and of pydantic, and of errors for engineers.
ENGLISH = re.compile(
    r"Usage|Options|Arguments|Commands|ARGS|COMMAND|Show this|default:|required|Error|Try |Missing|Invalid|No such"
    r"|unexpected|requires|not one of|should be|expected"
)
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)

_ALL_HELP = """
from typer.testing import CliRunner
from glas.cli import app
import typer

def show(words, group):
    done = CliRunner().invoke(app, [*words, "--help"])
    assert done.exit_code == 0, done.output
    print(done.output)
    for name, command in getattr(group, "commands", {}).items():
        show([*words, name], command)

show([], typer.main.get_command(app))
"""


@pytest.mark.parametrize(("language", "foreign"), [("en", CYRILLIC), ("ru", ENGLISH)])
def test_help_is_in_one_language(glas_environment: dict[str, str], language: str, foreign: re.Pattern[str]) -> None:
    """The help of all commands is in one language, whatever the terminal's language is."""
    environment = glas_environment | {"GLAS_LANGUAGE": language, "LC_ALL": "de_DE.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-c", _ALL_HELP], env=environment, capture_output=True, check=False, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert "glas transcribe samples/*.ogg" in done.stdout
    assert "whisper-base" in done.stdout
    assert not foreign.search(done.stdout), foreign.search(done.stdout)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["transcribe"], "Не указан аргумент ФАЙЛ"),
        (["evaluate", "embedded"], "Не указан параметр '--data'"),
        (["trancribe"], "Команды trancribe нет. Похожие: 'transcribe'"),
        (["transcribe", "--fromat", "srt", "a.ogg"], "Параметра --fromat нет. Похожие: --format"),
        (["transcribe", "a.ogg", "-f", "docx"], "Недопустимое значение docx параметра '--format' / '-f'"),
        (["transcribe", "a.ogg", "-f"], "Параметру -f нужно значение"),
        (["export", "--full=yes"], "Параметру --full значение не нужно"),
        (["migrate", "now"], "Лишний аргумент: now"),
    ],
)
def test_a_mistake_is_told_in_russian(words: list[str], told: str) -> None:
    """The exit code is that of a mistake, and the text contains no words of Typer."""
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2, done.output
    assert f"✗ {told}" in done.output
    assert not ENGLISH.search(done.output), done.output


def test_help_alone_is_no_mistake() -> None:
    """`glas` without a command shows its help."""
    done = CliRunner().invoke(app, [])
    assert "✗" not in done.output
    assert "Команды" in done.output


def test_an_unknown_message_stays() -> None:
    """A message of Typer without a translation is shown in English."""
    assert mistake("Something new in Typer.") == "Something new in Typer."


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("GLAS_PORT", "a", "нужно целое число"),
        ("GLAS_PORT", "70000", "нужно не больше 65535"),
        ("GLAS_AUDIO__DECODE_WORKERS", "0", "нужно не меньше 1"),
        ("GLAS_BOT__PATIENCE_S", "0", "нужно больше 0"),
        ("GLAS_BOT__CONFIRM_FIRST", "perhaps", "нужно true или false"),
        ("GLAS_LANGUAGE", "de", "возможны значения: 'ru', 'en'"),
        ("GLAS_S3_BUCKET", "ab", "нужно хотя бы 3 символа"),
        ("ADMIN_USER_IDS", "anna", "значение не в том формате"),
    ],
)
def test_a_wrong_setting_is_told_in_russian(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv(variable, value)
    done = CliRunner().invoke(app, ["keys"])
    assert done.exit_code == 2
    assert f"✗ Неверная настройка {variable}: {told}\n" in done.output
    assert not ENGLISH.search(done.output), done.output


@pytest.mark.parametrize(
    ("environment", "file", "language"),
    [
        ({}, "", "ru"),
        ({"LANG": "C.UTF-8"}, "", "ru"),
        ({"LANG": "en_US.UTF-8"}, "", "en"),
        ({"LANG": "ru_RU.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "", "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "C"}, "", "ru"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": ""}, "", "en"),
        ({"LANG": "en_US.UTF-8"}, "GLAS_LANGUAGE=ru\n", "ru"),
        ({"GLAS_LANGUAGE": "en"}, "GLAS_LANGUAGE=ru\n", "en"),
        ({"GLAS_LANGUAGE": "en", "LC_ALL": "ru_RU.UTF-8"}, "GLAS_PORT=1\n", "en"),
    ],
)
def test_where_the_language_comes_from(environment: dict[str, str], file: str, language: str, tmp_path: Path) -> None:
    """The setting has precedence, as a variable or in `.env`; then the locale of the terminal."""
    settings = tmp_path / ".env"
    if file:
        settings.write_text(file, encoding="utf-8")
    assert chosen_language(environment, settings) == language
