"""The recipe of a fine-tuning: the base model and all settings of the training, as a file in TOML.

`recipes/` has recipes for the models that Glas can fine-tune. The directory of each fine-tuned model contains the
recipe of this model, so that the same training can be repeated.
"""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from glas.domain.errors import ConfigurationError
from glas.training.finetune.share import SHARES

FILE: Final = "recipe.toml"

_Positive = Annotated[int, Field(ge=1)]
_Share = Annotated[float, Field(gt=0, le=1)]


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FitOptions(_Options):
    """Options of the training of an adapter.

    Attributes:
        epochs: number of passes over the corrected clips.
        batch_size: number of clips in a step.
        rank: rank of the adapters, on every linear layer of encoder and decoder.
        learning_rate: the largest learning rate, which is reached at the end of the warm-up.
        replay_share: part of the steps, 0..1, that use replayed clips, if there are such clips.
        replayed_sounds: number of sounds without speech, made from random numbers, that are added to replayed clips.
        base_weight: weight of the loss in the steps that use replayed clips. This loss is the difference between the
            probabilities of the model and those of the base model.
        patience: number of checkpoints without a lower loss on dev after which the training ends.
        checkpoints: largest number of checkpoints, which are spread evenly over the steps.
    """

    epochs: _Positive = 6
    batch_size: _Positive = 4
    rank: _Positive = 16
    learning_rate: float = Field(default=2e-4, gt=0)
    replay_share: float = Field(default=0.3, ge=0, lt=1)
    replayed_sounds: int = Field(default=40, ge=0)
    base_weight: float = Field(default=1.0, ge=0)
    patience: _Positive = 3
    checkpoints: _Positive = 12


class FinetuneRecipe(_Options):
    """The base model and the settings of a fine-tuning.

    Attributes:
        base: name of the model from which the training starts, in the format of GLAS_MODEL, or its directory.
        fit: options of the adapter's training.
        dev_share: part of the speakers or texts, 0..1, whose recordings form the development set.
        shares: the shares of the learnt change from which the best share is chosen.
        words_share: share of the corrected texts in the word frequencies of the language model, 0..1, if the base
            model has a language model (`glas.training.language.adaptation`). 0 leaves the language model as it is.
        threads: number of torch's threads.
        device: device of torch, such as `cpu` or `cuda`; `auto` means a CUDA GPU if there is one.
    """

    base: str = "embedded"
    fit: FitOptions = FitOptions()
    dev_share: float = Field(default=0.15, gt=0, lt=1)
    shares: Annotated[tuple[_Share, ...], Field(min_length=1)] = SHARES
    words_share: float = Field(default=0.1, ge=0, lt=1)
    threads: _Positive = 1
    device: str = "auto"

    def settings(self) -> dict[str, Any]:
        """Return all settings except the base model and the device.

        The base model is left out because `Lineage` identifies it by the version of its weights. The device is left out
        so that an interrupted training can be resumed on another device.
        """
        return self.model_dump(mode="json", exclude={"base", "device"})


def read_recipe(path: Path) -> FinetuneRecipe:
    """Read a recipe; settings that the file does not contain have their default values.

    Raises:
        ConfigurationError: the file cannot be read, is no TOML, or contains an unknown or invalid setting.
    """
    try:
        return FinetuneRecipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"expected a recipe, a file in TOML: {path}: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ConfigurationError(f"{path} is no recipe: {faults}") from error


def write_recipe(path: Path, recipe: FinetuneRecipe) -> None:
    """Write a recipe that `read_recipe` can read."""
    values = recipe.model_dump(mode="json")
    fit = values.pop("fit")
    # Numbers, texts and lists of them are written alike in JSON and in TOML.
    lines = [*_lines(values), "", "[fit]", *_lines(fit), ""]
    path.write_text("\n".join(lines), encoding="utf-8")


def _lines(values: dict[str, Any]) -> list[str]:
    return [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
