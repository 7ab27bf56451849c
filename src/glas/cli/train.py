"""`glas train whisper-base`: the embedded model from the official weights, the whole way or step by step."""

import contextlib
import importlib.util
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from glas.cli.session import open_settings, told
from glas.domain.errors import ConfigurationError, ModelFileMissingError

HELP = """
Обучить модель; нужны пакеты обучения (`make train-setup`) и исходные веса (`glas models get whisper-base`).

Например:

    glas train whisper-base       встроенная модель, весь путь: тексты, речь, обучение, веса, карточка
"""

WHISPER_BASE_HELP = """
Сделать встроенную модель из whisper-base: тексты → речь → цели учителя → адаптер → веса → карточка.

Примеры:

    glas train whisper-base --smoke --to /tmp/model     весь путь в малом, за пару минут
    glas train whisper-base --rhvoice К --texts К --festvox К     как сделана та, что в models/

Вместо К — каталоги. Прерванное продолжается той же командой. Без --rhvoice говорит синтезатор espeak-ng.
Каждый шаг можно запустить отдельно.
"""

PACKAGES = ("torch", "espeakng_loader", "pymorphy3", "wordfreq", "num2words", "av")

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")
whisper_base = typer.Typer(invoke_without_command=True, rich_markup_mode="markdown")
app.add_typer(whisper_base, name="whisper-base", help=WHISPER_BASE_HELP)

Data = Annotated[Path, typer.Option(help="Каталог для всего, что делает обучение.")]
DATA = Path("data/training")
To = Annotated[Path, typer.Option(help="Каталог модели.")]
MODEL = Path("models/whisper-base-ru")
CACHE = "converted"
Base = Annotated[
    Path | None, typer.Option(help="Каталог исходных весов; без этого тот, куда их кладёт `glas models get`.")
]
Festvox = Annotated[
    Path | None, typer.Option(help="Распакованный пакет Debian festvox-ru: чтец, на котором проверяют.")
]
Texts = Annotated[
    Path | None, typer.Option(help="Каталог русских текстов: распакованные пакеты Debian (fortunes-ru, …).")
]
RHVoice = Annotated[
    Path | None,
    typer.Option(help="Распакованные пакеты Debian librhvoice5, librhvoice-core7, rhvoice-russian: голоса людей."),
]
Recordings = Annotated[
    list[Path] | None,
    typer.Option(help="Каталоги записей с metadata.jsonl (file_name, text); на них только проверяют."),
]


@contextlib.contextmanager
def needs_training_packages() -> Iterator[None]:
    """Say what is missing before anything is imported; tell our errors to a person."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    with told():
        missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
        if missing:
            raise ConfigurationError(
                f"Training needs packages that are not here: {', '.join(missing)}. Get them: make train-setup"
            )
        yield


def base_weights(base: Path | None) -> Path:
    """The directory of the official weights.

    Raises:
        ModelFileMissingError: it is not on disk; the message says how to get it.
    """
    from glas.engines.catalogue import local_directory

    directory = base or local_directory(open_settings(quiet=True).models_dir, "whisper-base")
    if not directory.is_dir():
        raise ModelFileMissingError(f"{directory} is not there. Get the weights: glas models get whisper-base")
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
    smoke: Annotated[bool, typer.Option("--smoke", help="Весь путь в малом: проверка, а не модель.")] = False,
) -> None:
    """Go the whole way unless a step is named."""
    if context.invoked_subcommand is not None:
        return
    with needs_training_packages():
        from glas.training.recipe import SMOKE, Recipe, Sources, make

        sources = Sources(base_weights(base), texts, rhvoice, festvox, recordings or [])
        make(SMOKE if smoke else Recipe(), data, to, sources, time.strftime("%Y-%m-%d"))


@whisper_base.command()
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
    """Произнести фразы, посчитать цели учителя, обучить адаптер; можно прервать и продолжить."""
    with needs_training_packages():
        from glas.training.recipe import Recipe, Sources, train_adapter
        from glas.training.release import ADAPTER

        sources = Sources(base_weights(base), texts, rhvoice, festvox, recordings or [])
        train_adapter(Recipe(), data, sources, to / ADAPTER)


@whisper_base.command()
def weights(to: To = MODEL, base: Base = None, texts: Texts = None) -> None:
    """Сложить исходные веса с адаптером, оставить русский словарь, записать в int8."""
    with needs_training_packages():
        from glas.training.release import write_weights

        write_weights(base_weights(base), to, texts)


@whisper_base.command()
def language_model(
    *, data: Data = DATA, texts: Texts = None, to: To = MODEL, recordings: Recordings = None, festvox: Festvox = None
) -> None:
    """Посчитать слова для языковой модели; похожее на проверочные фразы не читается."""
    with needs_training_packages():
        from glas.engines.language_model import FILE
        from glas.training.language.held_out import test_texts
        from glas.training.language.language_model import LMSize, build
        from glas.training.release import write_checksums

        build(data, texts, to / FILE, LMSize(), test_texts(festvox, recordings or []))
        write_checksums(to)


@whisper_base.command()
def calibrate(
    *,
    data: Data = DATA,
    to: To = MODEL,
    texts: Texts = None,
    rhvoice: RHVoice = None,
    recordings: Recordings = None,
    festvox: Festvox = None,
    picture: Annotated[Path | None, typer.Option(help="Файл SVG: насколько уверенность права.")] = None,
) -> None:
    """Насколько модели верить в каждом слове (после weights и language-model, до card)."""
    with needs_training_packages():
        from glas.training.judged.calibrate import calibrate as calibrate_model
        from glas.training.judged.evaluate import test_sets
        from glas.training.recipe import Sources, speech_of

        sources = Sources(Path(), texts, rhvoice, festvox, recordings or [])
        calibrate_model(to, speech_of(sources, data), test_sets(festvox, recordings or []), data / CACHE, picture)


@whisper_base.command()
def card(to: To = MODEL, recordings: Recordings = None, festvox: Festvox = None) -> None:
    """Измерить модель и написать её карточку."""
    with needs_training_packages():
        from glas.training.judged.card import write_card
        from glas.training.judged.evaluate import test_sets

        write_card(to, test_sets(festvox, recordings or []), time.strftime("%Y-%m-%d"))
