"""Define the command line of Glas.

Only this package reads environment variables. The variables are read one time, and the settings are passed to the
other packages.
"""

from typing import Annotated

import typer

import glas
from glas.cli import (
    backup,
    dataset,
    doctor,
    evaluate,
    export,
    finetune,
    keys,
    learn,
    migrate,
    models,
    promote,
    run,
    train,
    transcribe,
)
from glas.cli.language import say
from glas.cli.usage import Command, make_app
from glas.launch import PARTS

app = make_app(
    name="glas",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=say("glas-help"),
)


def _show_version(asked: bool) -> None:  # noqa: FBT001 - Typer's own way to call it
    if asked:
        typer.echo(say("glas", version=glas.__version__))
        raise typer.Exit


@app.callback()
def _whatever_command(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", "-V", callback=_show_version, is_eager=True, help=say("glas-version")),
    ] = False,
) -> None:
    """Define the options of `glas` itself, which can be given without a command."""


app.command("transcribe", cls=Command, help=say("transcribe-help"))(transcribe.transcribe)
app.command("run", cls=Command, help=say("run-help", parts=", ".join(PARTS)))(run.run)
app.command("evaluate", cls=Command, help=say("evaluate-help"))(evaluate.evaluate)
app.add_typer(models.app, name="models", help=say("models-help"))
app.add_typer(keys.app, name="keys", help=say("keys-help"))
app.add_typer(train.app, name="train", help=say("train-help"))
app.command("finetune", cls=Command, help=say("finetune-help"))(finetune.finetune)
app.command("learn", cls=Command, help=say("learn-help"))(learn.learn)
app.command("promote", cls=Command, help=say("promote-help"))(promote.promote)
app.add_typer(dataset.app, name="dataset", help=say("dataset-help"))
app.command("doctor", cls=Command, help=say("doctor-help"))(doctor.doctor)
app.command("export", cls=Command, help=say("export-help"))(export.export)
app.command("migrate", cls=Command, help=say("migrate-help"))(migrate.migrate)
app.command("ledger", cls=Command, help=say("ledger-help"))(migrate.ledger)
app.command("backup", cls=Command, help=say("backup-help"))(backup.backup)
app.command("restore", cls=Command, help=say("restore-help"))(backup.restore)
