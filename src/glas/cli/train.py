"""`glas train whisper-base`: train the embedded model from OpenAI's weights, in all steps or only in one step."""

import contextlib
import importlib.util
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from glas.cli.language import say
from glas.cli.session import open_settings, told
from glas.cli.usage import Command, make_app
from glas.domain.errors import ConfigurationError, ModelFileMissingError

PACKAGES = ("torch", "espeakng_loader", "pymorphy3", "wordfreq", "num2words", "av")

app = make_app(no_args_is_help=True)
whisper_base = make_app(invoke_without_command=True)
app.add_typer(whisper_base, name="whisper-base", help=say("train-base-help"))

Data = Annotated[Path, typer.Option(help=say("train-data"), metavar=say("metavar-directory"))]
DATA = Path("data/training")
To = Annotated[Path, typer.Option(help=say("train-to"), metavar=say("metavar-directory"))]
MODEL = Path("models/whisper-base-ru")
CACHE = "converted"
Base = Annotated[Path | None, typer.Option(help=say("train-weights"), metavar=say("metavar-directory"))]
Festvox = Annotated[Path | None, typer.Option(help=say("train-festvox"), metavar=say("metavar-directory"))]
Texts = Annotated[Path | None, typer.Option(help=say("train-texts"), metavar=say("metavar-directory"))]
RHVoice = Annotated[
    Path | None,
    typer.Option(help=say("train-rhvoice"), metavar=say("metavar-directory")),
]
Recordings = Annotated[
    list[Path] | None,
    typer.Option(help=say("train-recordings"), metavar=say("metavar-directory")),
]


@contextlib.contextmanager
def needs_training_packages() -> Iterator[None]:
    """Check that the packages for training are installed, and then run the `with` block.

    If a package is missing, or if the block raises a `GlasError`, print a message without a traceback and end the
    command with an exit code.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    with told():
        missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
        if missing:
            raise ConfigurationError(say("train-no-packages", packages=", ".join(missing)))
        yield


def base_weights(base: Path | None) -> Path:
    """Return the directory of OpenAI's weights of Whisper base.

    This is `base`, or a directory inside the directory of models if `base` is None.

    Raises:
        ModelFileMissingError: the weights are not on disk; the error message says how to get the weights.
    """
    from glas.engines.catalogue import local_directory

    directory = base or local_directory(open_settings(quiet=True).models_dir, "whisper-base")
    if not directory.is_dir():
        raise ModelFileMissingError(say("train-no-weights", directory=str(directory)))
    return directory


@whisper_base.callback()
def whole_way(
    context: typer.Context,
    *,
    data: Data = DATA,
    to: To = MODEL,
    base: Base = None,
    festvox: Festvox = None,
    texts: Texts = None,
    rhvoice: RHVoice = None,
    recordings: Recordings = None,
    smoke: Annotated[bool, typer.Option("--smoke", help=say("train-smoke"))] = False,
) -> None:
    """Run all steps of the training, if the command line names no single step."""
    if context.invoked_subcommand is not None:
        return
    with needs_training_packages():
        from glas.training.recipe import SMOKE, Recipe, Sources, make

        sources = Sources(base_weights(base), texts, rhvoice, festvox, recordings or [])
        make(SMOKE if smoke else Recipe(), data, to, sources, time.strftime("%Y-%m-%d"))


@whisper_base.command(cls=Command, help=say("train-adapter-help"))
def adapter(
    *,
    data: Data = DATA,
    to: To = MODEL,
    base: Base = None,
    festvox: Festvox = None,
    texts: Texts = None,
    rhvoice: RHVoice = None,
    recordings: Recordings = None,
) -> None:
    """Synthesise the training sentences, compute the hidden states of the original Whisper, and train the adapter."""
    with needs_training_packages():
        from glas.training.recipe import Recipe, Sources, train_adapter
        from glas.training.release import ADAPTER

        sources = Sources(base_weights(base), texts, rhvoice, festvox, recordings or [])
        train_adapter(Recipe(), data, sources, to / ADAPTER)


@whisper_base.command(cls=Command, help=say("train-weights-help"))
def weights(to: To = MODEL, base: Base = None, texts: Texts = None) -> None:
    """Merge the trained adapter into the original weights, and write the weights of the embedded model."""
    with needs_training_packages():
        from glas.training.release import write_weights

        write_weights(base_weights(base), to, texts)


@whisper_base.command(cls=Command, help=say("train-language-model-help"))
def language_model(
    *, data: Data = DATA, texts: Texts = None, to: To = MODEL, recordings: Recordings = None, festvox: Festvox = None
) -> None:
    """Build the language model: count letters and words in Russian texts."""
    with needs_training_packages():
        from glas.engines.language_model import FILE
        from glas.training.language.held_out import test_texts
        from glas.training.language.language_model import LMSize, build
        from glas.training.release import write_checksums

        build(data, texts, to / FILE, LMSize(), test_texts(festvox, recordings or []))
        write_checksums(to)


@whisper_base.command(cls=Command, help=say("train-calibrate-help"))
def calibrate(
    *,
    data: Data = DATA,
    to: To = MODEL,
    texts: Texts = None,
    rhvoice: RHVoice = None,
    recordings: Recordings = None,
    festvox: Festvox = None,
    picture: Annotated[Path | None, typer.Option(help=say("train-picture"), metavar=say("metavar-file"))] = None,
) -> None:
    """Calibrate the confidence of words that the embedded model recognises."""
    with needs_training_packages():
        from glas.training.evaluation.calibrate import calibrate as calibrate_model
        from glas.training.evaluation.evaluate import test_sets
        from glas.training.recipe import Sources, speech_of

        sources = Sources(Path(), texts, rhvoice, festvox, recordings or [])
        calibrate_model(to, speech_of(sources, data), test_sets(festvox, recordings or []), data / CACHE, picture)


@whisper_base.command(cls=Command, help=say("train-card-help"))
def card(to: To = MODEL, recordings: Recordings = None, festvox: Festvox = None) -> None:
    """Measure the embedded model, and write its model card."""
    with needs_training_packages():
        from glas.training.evaluation.card import write_card
        from glas.training.evaluation.evaluate import test_sets

        write_card(to, test_sets(festvox, recordings or []), time.strftime("%Y-%m-%d"))
