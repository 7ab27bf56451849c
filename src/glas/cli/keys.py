"""`glas keys`: make and list API keys; the settings contain only the hashes of these keys."""

from typing import Annotated

import typer

from glas.cli.language import say
from glas.cli.session import EXIT_USAGE, err, open_settings, out
from glas.cli.usage import Command, make_app
from glas.settings.keys import hashed_keys, new_key

app = make_app(invoke_without_command=True)


@app.callback()
def keys(context: typer.Context) -> None:
    """List the names of the API keys, if no subcommand is given."""
    if context.invoked_subcommand is not None:
        return
    found = hashed_keys(open_settings(quiet=True).api_keys)
    for key in found:
        out.print(f"{key.name:<24} {say(f'keys-role-{key.role}')}", markup=False)
    if not found:
        out.print(say("keys-none"), markup=False)


@app.command("new", cls=Command, help=say("keys-new-help"))
def new(
    name: Annotated[str, typer.Argument(metavar=say("metavar-name"), help=say("keys-new-name"))],
    *,
    admin: Annotated[bool, typer.Option("--admin", help=say("keys-new-admin"))] = False,
) -> None:
    """Make an API key, and print the API key and the new value of GLAS_API_KEYS."""
    present = open_settings(quiet=True).api_keys
    try:
        key, entry = new_key(name, "admin" if admin else "user")
        hashed_keys(both := ",".join(part for part in (present.strip(" ,"), str(entry)) if part))
    except ValueError as error:
        err.print(say("keys-wrong-name"), style="red", markup=False)
        err.print(f"  {say('failed-detail', detail=str(error))}", style="dim", markup=False)
        raise typer.Exit(EXIT_USAGE) from None
    out.print(key, markup=False)
    err.print("\n" + say("keys-made"), style="dim")
    err.print(say("keys-setting") + "\n", style="dim")
    err.print(f"GLAS_API_KEYS={both}", markup=False)
