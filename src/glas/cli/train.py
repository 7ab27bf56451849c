"""`glas train embedded`: the embedded model from nothing, the whole way or step by step."""

import contextlib
import importlib.util
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from glas.cli.session import told
from glas.domain.errors import ConfigurationError

HELP = """
Обучить модель; нужны пакеты обучения (`make train-setup`).

Например:

    glas train embedded           встроенная модель, весь путь: тексты, речь, обучение, ONNX, карточка
"""

EMBEDDED_HELP = """
Сделать встроенную модель из ничего: тексты → речь → признаки → обучение → ONNX → карточка.

Примеры:

    glas train embedded --smoke --to /tmp/model     весь путь в малом, за пару минут: модель ничего не поймёт
    glas train embedded --voxforge К --festvox К --rhvoice К --texts К     как сделана та, что в models/

Вместо К — каталоги. Прерванное продолжается той же командой. Без каталогов учится только на синтезаторе espeak-ng.
Каждый шаг можно запустить отдельно.
"""

PACKAGES = ("torch", "onnx", "espeakng_loader", "pymorphy3", "wordfreq", "num2words", "onnx_asr", "av")

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")
embedded = typer.Typer(invoke_without_command=True, rich_markup_mode="markdown")
app.add_typer(embedded, name="embedded", help=EMBEDDED_HELP)

Data = Annotated[Path, typer.Option(help="Каталог для всего, что делает обучение.")]
DATA = Path("data/training")
To = Annotated[Path, typer.Option(help="Каталог модели.")]
MODEL = Path("models/embedded")
VoxForge = Annotated[Path | None, typer.Option(help="Каталог кепстров VoxForge-ru: 400 настоящих чтецов.")]
Festvox = Annotated[
    Path | None, typer.Option(help="Распакованный пакет Debian festvox-ru: чтец, на котором проверяют.")
]
Texts = Annotated[
    Path | None,
    typer.Option(
        help="Каталог русских текстов, чтобы читать и тоже произнести: распакованные пакеты Debian (fortunes-ru, …)."
    ),
]
RHVoice = Annotated[
    Path | None,
    typer.Option(help="Распакованные пакеты Debian librhvoice5, librhvoice-core7, rhvoice-russian: голоса людей."),
]
Recordings = Annotated[
    list[Path] | None,
    typer.Option(help="Каталоги записей с metadata.jsonl (file_name, text); на них только проверяют."),
]
Run = Annotated[str, typer.Option(help="Имя обучения; с тем же именем продолжается.")]
RUN = "run"
Narrowing = Annotated[
    float, typer.Option(help="От 0 до 1: признаки как есть или такие, какими их видит отображение из 15 полос.")
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


@embedded.callback()
def whole_way(
    context: typer.Context,
    *,
    data: Data = DATA,
    to: To = MODEL,
    voxforge: VoxForge = None,
    festvox: Festvox = None,
    texts: Texts = None,
    rhvoice: RHVoice = None,
    recordings: Recordings = None,
    minutes: Annotated[float | None, typer.Option(help="Сколько минут обучать; без этого 350, на двух ядрах.")] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="Весь путь в малом: проверка, а не модель.")] = False,
) -> None:
    """Go the whole way unless a step is named."""
    if context.invoked_subcommand is not None:
        return
    with needs_training_packages():
        from glas.training.recipe import SMOKE, Recipe, Sources, make

        recipe = SMOKE if smoke else Recipe()
        if minutes is not None:
            recipe = replace(recipe, knobs=replace(recipe.knobs, minutes=minutes))
        make(recipe, data, to, Sources(voxforge, festvox, texts, rhvoice, recordings or []), time.strftime("%Y-%m-%d"))


@embedded.command()
def prepare(data: Data = DATA, voxforge: VoxForge = None, festvox: Festvox = None) -> None:
    """Словарь, отображение из 15 полос, чтецы VoxForge, проверочные наборы."""
    with needs_training_packages():
        from glas.training.prepare import Amounts, prepare_all

        prepare_all(data, voxforge, festvox, Amounts())


@embedded.command()
def synthesise(
    *,
    data: Data = DATA,
    texts: Texts = None,
    rhvoice: RHVoice = None,
    festvox: Festvox = None,
    recordings: Recordings = None,
    first: Annotated[int, typer.Option(help="Номер первой части; он же её зерно.")] = 0,
    count: Annotated[int, typer.Option(help="Сколько частей по 500 фраз, около 27 минут речи каждая.")] = 10,
    processes: Annotated[int, typer.Option(help="Сколько частей делать сразу.")] = 1,
) -> None:
    """Произнести фразы: голосами espeak-ng, а с --rhvoice голосами RHVoice."""
    with needs_training_packages():
        from glas.training.language.held_out import lines_except, test_texts
        from glas.training.prepare import Speech, synthesise_shards

        lines = lines_except(texts, test_texts(data, festvox, recordings or []))
        synthesise_shards(Speech(data, lines, rhvoice), range(first, first + count), processes)


@embedded.command()
def train(
    data: Data = DATA,
    run: Run = RUN,
    minutes: Annotated[float, typer.Option(help="Сколько минут всего, с продолжениями.")] = 90.0,
    processes: Annotated[int, typer.Option(help="Процессов, по ядру на каждый.")] = 1,
    batch_seconds: Annotated[float, typer.Option(help="Секунд речи на шаг и процесс.")] = 60.0,
) -> None:
    """Обучить сеть на том, что уже произнесено; можно прервать и продолжить."""
    with needs_training_packages():
        from glas.training.network.train import Knobs
        from glas.training.network.train import train as train_network

        train_network(data, data / run, Knobs(minutes=minutes, processes=processes, batch_seconds=batch_seconds))


@embedded.command()
def compose(
    *,
    data: Data = DATA,
    run: Run = RUN,
    texts: Texts = None,
    festvox: Festvox = None,
    recordings: Recordings = None,
    count: Annotated[int, typer.Option(help="Сколько фраз в части.")] = 1500,
    seed: Annotated[list[int] | None, typer.Option(help="Зерно части; можно несколько.")] = None,
) -> None:
    """Сложить новые слова голосами чтецов VoxForge из кусков букв (нужна уже обученная сеть)."""
    with needs_training_packages():
        from glas.training.language.held_out import lines_except, test_texts
        from glas.training.network.compose import compose as compose_shards

        lines = lines_except(texts, test_texts(data, festvox, recordings or []))
        compose_shards(data, data / run / "checkpoint.pt", lines, count, seed or [1])


@embedded.command()
def evaluate(
    *,
    data: Data = DATA,
    run: Run = RUN,
    recordings: Recordings = None,
    festvox: Festvox = None,
    narrowing: Narrowing = 0.0,
    examples: Annotated[int, typer.Option(help="Сколько фраз каждого набора показать.")] = 0,
) -> None:
    """Доли ошибок обученной сети, без языковой модели."""
    with needs_training_packages():
        from glas.training.judged.evaluate import TestData, evaluate_checkpoint

        tests = TestData(data, festvox, recordings or [])
        evaluate_checkpoint(data / run / "checkpoint.pt", tests, narrowing, examples)


@embedded.command()
def export(data: Data = DATA, run: Run = RUN, to: To = MODEL, narrowing: Narrowing = 0.0) -> None:
    """Записать веса такими, какими их загружает onnx-asr."""
    with needs_training_packages():
        from glas.training.network.export import export as export_checkpoint

        export_checkpoint(data / run / "checkpoint.pt", to, data / "map.npz", narrowing)


@embedded.command()
def language_model(
    *,
    data: Data = DATA,
    texts: Texts = None,
    to: To = MODEL,
    recordings: Recordings = None,
    festvox: Festvox = None,
) -> None:
    """Посчитать буквы и слова для языковой модели; похожее на проверочные фразы не читается."""
    with needs_training_packages():
        from glas.engines.language_model import FILE
        from glas.training.language.held_out import test_texts
        from glas.training.language.language_model import LMSize, build
        from glas.training.network.export import write_checksums

        build(data, texts, to / FILE, LMSize(), test_texts(data, festvox, recordings or []))
        write_checksums(to)


@embedded.command()
def calibrate(
    data: Data = DATA,
    model: To = MODEL,
    recordings: Recordings = None,
    festvox: Festvox = None,
    picture: Annotated[Path | None, typer.Option(help="Файл SVG: насколько уверенность права.")] = None,
) -> None:
    """Насколько модели верить в каждом слове (после export и language-model, до card)."""
    with needs_training_packages():
        from glas.training.judged.calibrate import calibrate as calibrate_model
        from glas.training.judged.evaluate import TestData

        calibrate_model(model, TestData(data, festvox, recordings or []), picture)


@embedded.command()
def card(
    *,
    data: Data = DATA,
    run: Run = RUN,
    model: To = MODEL,
    recordings: Recordings = None,
    festvox: Festvox = None,
) -> None:
    """Измерить модель и написать её карточку."""
    with needs_training_packages():
        from glas.training.judged.card import write_card
        from glas.training.judged.evaluate import TestData

        tests = TestData(data, festvox, recordings or [])
        write_card(data / run / "checkpoint.pt", model, tests, time.strftime("%Y-%m-%d"))


@embedded.command()
def samples(
    model: To = MODEL,
    to: Annotated[Path, typer.Option(help="Каталог примеров.")] = Path("samples"),
    count: Annotated[int, typer.Option(help="Сколько сообщений оставить.")] = 6,
) -> None:
    """Произнести примеры сообщений и оставить те, что модель слышит лучше всего."""
    with needs_training_packages():
        from glas.training.voices.samples import write_samples

        write_samples(model, to, count)
