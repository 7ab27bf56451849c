"""Translate Typer's own texts into the language of the command line: headings of help pages, and usage errors.

Typer itself has no translations for most of these texts. Typer's headings are module variables of `typer.rich_utils`,
which this module replaces. A message about a usage error is identified by its English text. If this text is unknown,
the message is shown unchanged.
"""

import re
import sys
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from glas.cli.language import say

_USAGE_PIECES: Final = {"[OPTIONS]": "usage-options", "COMMAND [ARGS]...": "usage-command"}

_MISTAKES: Final = (
    (re.compile(r"Missing argument '?(?P<name>.+?)'?\.", re.DOTALL), "usage-missing-argument"),
    (re.compile(r"Missing option (?P<name>.+?)\.", re.DOTALL), "usage-missing-option"),
    (re.compile(r"Missing command\."), "usage-missing-command"),
    (re.compile(r"No such option: (?P<name>\S+)(?: \(Possible options: (?P<similar>.+)\))?"), "usage-no-option"),
    (re.compile(r"No such command '(?P<name>.*?)'\.?(?: Did you mean (?P<similar>.+)\?)?"), "usage-no-command"),
    (re.compile(r"Got unexpected extra argument\(s\) \((?P<name>.*)\)"), "usage-extra-argument"),
    (re.compile(r"Option '(?P<name>.+)' requires an argument\."), "usage-no-value"),
    (re.compile(r"Option '(?P<name>.+)' does not take a value\."), "usage-needless-value"),
    (
        re.compile(
            r"Invalid value for (?P<name>.+?): (?:Value error, )?'?(?P<value>.+?)'? is not one of (?P<choices>.+)\."
        ),
        "usage-choice",
    ),
    (re.compile(r"Invalid value for (?P<name>.+?): (?:Value error, )?(?P<why>.+)"), "usage-wrong-value"),
)


def mistake(message: str) -> str:
    """Translate Typer's message about a usage error into the language of the command line."""
    for pattern, name in _MISTAKES:
        if found := pattern.fullmatch(message):
            return say(name, **{key: value or "none" for key, value in found.groupdict().items()})
    return message


class _Translated:
    """Base class of commands and groups with a translated usage line, help option and headings."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """Write the usage line."""
        pieces = ctx.command.collect_usage_pieces(ctx)
        translated = (say(_USAGE_PIECES[piece]) if piece in _USAGE_PIECES else piece for piece in pieces)
        formatter.write_usage(ctx.command_path, " ".join(translated), prefix=say("usage") + " ")

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option `--help` with a translated help text."""
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.help = say("usage-help")
        return option

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help page."""
        from typer import rich_utils

        rich_utils.ARGUMENTS_PANEL_TITLE = say("usage-arguments-title")
        rich_utils.OPTIONS_PANEL_TITLE = say("usage-options-title")
        rich_utils.COMMANDS_PANEL_TITLE = say("usage-commands-title")
        rich_utils.DEFAULT_STRING = "[" + say("usage-default", value="{}") + "]"
        rich_utils.REQUIRED_LONG_STRING = "[" + say("usage-required") + "]"
        super().format_help(ctx, formatter)  # type: ignore[misc]


class Command(_Translated, TyperCommand):
    """A command whose help is in the language of the command line."""


class Group(_Translated, TyperGroup):
    """A group of commands with help in the user's language; the outermost group also prints usage errors."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command line, and end the program afterwards, unless `standalone_mode` is set to False."""
        is_standalone = options.pop("standalone_mode", True)
        options["standalone_mode"] = False
        if not is_standalone:
            return super().main(*args, **options)
        try:
            code = super().main(*args, **options)
        except typer.Abort:
            sys.exit(1)
        except Exception as error:
            if not hasattr(error, "format_message"):
                raise
            _tell(error)
            sys.exit(getattr(error, "exit_code", 1))
        sys.exit(code if isinstance(code, int) else 0)


def _tell(error: Any) -> None:
    message, context = error.format_message(), getattr(error, "ctx", None)
    if not message.strip():
        return  # a group without a command has shown its help
    from glas.cli.session import err

    err.print(f"✗ {mistake(message)}", style="red", markup=False)
    if context is not None:
        err.print(f"  {context.get_usage()}", style="dim", markup=False)
        err.print(f"  {say('usage-see', command=f'{context.command_path} --help')}", style="dim", markup=False)


def make_app(**options: Any) -> typer.Typer:
    """Make a Typer app (a group of commands) with help in the language of the command line."""
    return typer.Typer(cls=Group, rich_markup_mode="markdown", **options)
