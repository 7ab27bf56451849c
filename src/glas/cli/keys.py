"""`glas keys`: keys for callers of the API, of which only hashes are kept."""

from typing import Annotated

import typer

from glas.cli.session import EXIT_USAGE, err, open_settings, out
from glas.settings.keys import hashed_keys, new_key

HELP = """
Ключи для тех, кто вызывает API. `glas keys new ИМЯ` делает ключ, `glas keys` показывает, чьи ключи есть.

Сам ключ показывается один раз и нигде не хранится: в настройку GLAS_API_KEYS попадает только его хеш. Чтобы отнять
ключ, уберите его запись оттуда и запустите сервер заново. Имя ключа видно в журнале каждого запроса.
"""

app = typer.Typer(invoke_without_command=True, rich_markup_mode="markdown")

_ROLES = {"user": "распознавание", "admin": "всё, и управление моделями"}


@app.callback()
def keys(context: typer.Context) -> None:
    """List whose keys there are unless a subcommand says otherwise."""
    if context.invoked_subcommand is not None:
        return
    found = hashed_keys(open_settings(quiet=True).api_keys)
    for key in found:
        out.print(f"{key.name:<24} {_ROLES[key.role]}", markup=False)
    if not found:
        out.print("Ключей в GLAS_API_KEYS нет. Сделать: glas keys new ИМЯ", markup=False)


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(metavar="ИМЯ", help="Чей ключ: латинские буквы, цифры, точка, дефис.")],
    *,
    admin: Annotated[bool, typer.Option("--admin", help="Может загружать, выгружать и менять модели.")] = False,
) -> None:
    """Сделать ключ и напечатать его вместе с новой записью для GLAS_API_KEYS."""
    present = open_settings(quiet=True).api_keys
    try:
        key, entry = new_key(name, "admin" if admin else "user")
        hashed_keys(both := ",".join(part for part in (present.strip(" ,"), str(entry)) if part))
    except ValueError as error:
        err.print(f"✗ {error}", style="red", markup=False)
        raise typer.Exit(EXIT_USAGE) from None
    out.print(key, markup=False)
    err.print("\nЭто ключ: отдайте его владельцу, второй раз он показан не будет.", style="dim")
    err.print("Впишите в .env вместо прежней строки GLAS_API_KEYS и запустите сервер заново:\n", style="dim")
    err.print(f"GLAS_API_KEYS={both}", markup=False)
