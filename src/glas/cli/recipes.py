"""Read the recipe of a fine-tuning, change it by the options of a command, and find the base model."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from glas.cli.language import say
from glas.cli.train import base_weights
from glas.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from glas.settings import Settings
    from glas.training.finetune.base import Base
    from glas.training.finetune.recipe import FinetuneRecipe


def chosen_recipe(
    path: Path | None,
    *,
    base: str | None = None,
    epochs: int | None = None,
    shares: Sequence[float] | None = None,
    threads: int | None = None,
) -> "FinetuneRecipe":
    """Read a recipe, and change the settings for which a command has options.

    Args:
        path: file of the recipe; None means the default values.
        base: replaces the base model of the recipe. If this or a following argument is None, the value in the
            recipe is kept.
        epochs: replaces the number of passes over the training recordings.
        shares: replaces the shares from which the best share is chosen; a share is the part of the learnt change of
            weights that the model keeps, 0..1.
        threads: replaces the number of threads for the training.

    Raises:
        ConfigurationError: the file is no recipe.
    """
    from glas.training.finetune.recipe import FinetuneRecipe, read_recipe

    recipe = FinetuneRecipe() if path is None else read_recipe(path)
    fit = recipe.fit if epochs is None else recipe.fit.model_copy(update={"epochs": epochs})
    options = {"base": base, "shares": tuple(shares) if shares else None, "threads": threads}
    given = {name: value for name, value in options.items() if value is not None}
    return recipe.model_copy(update={"fit": fit, **given})


def open_base(settings: "Settings", name: str, weights: Path | None) -> "Base":
    """Return the base model of a training, with the directory of its weights.

    Args:
        settings: the whole configuration, which contains the directory of models.
        name: name of the model in the format of GLAS_MODEL, so `auto` is the champion; or the directory of the model.
        weights: directory of OpenAI's weights of Whisper base. With None, the weights of the model itself are used if
            the model is a checkpoint that was not converted to CTranslate2's format. For another model, OpenAI's
            weights in the directory of models are used.

    Raises:
        ConfigurationError: the model is no Whisper.
        UnknownModelError: there is neither a model nor a directory of that name.
        ModelFileMissingError: the model or OpenAI's weights are not on disk.
    """
    from glas.engines.catalogue import AUTO, local_directory, resolve, resolve_chosen
    from glas.engines.known import EMBEDDED
    from glas.engines.whisper.checkpoint import CONVERTED_WEIGHTS
    from glas.training.finetune.base import Base

    if Path(name).is_dir():
        directory = Path(name)
    else:
        uniform = (resolve if name == AUTO else resolve_chosen)(name, settings.models_dir)
        engine, _, place = uniform.partition(":")
        if engine not in (EMBEDDED, "whisper"):
            raise ConfigurationError(say("finetune-no-whisper", model=uniform))
        directory = Path(place) if Path(place).is_absolute() else local_directory(settings.models_dir, uniform)
    if weights is None and not (directory / CONVERTED_WEIGHTS).is_file():
        return Base(directory, directory)
    return Base(directory, base_weights(weights))
