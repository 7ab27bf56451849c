"""Test recipes: those of the repository, those that cannot be read, and what the options of a command change."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed (see `make train-setup`)")

from glas.cli.recipes import chosen_recipe, open_base
from glas.domain.errors import ConfigurationError, ModelFileMissingError
from glas.engines.catalogue import known_model
from glas.settings import Settings
from glas.training.finetune.recipe import FinetuneRecipe, read_recipe, write_recipe

RECIPES = Path(__file__).parents[2] / "recipes"


def test_the_recipe_of_the_embedded_model_is_the_default() -> None:
    assert read_recipe(RECIPES / "whisper-base-ru.toml") == FinetuneRecipe()


@pytest.mark.parametrize("path", sorted(RECIPES.iterdir()), ids=lambda path: path.name)
def test_every_recipe_names_a_model_that_glas_can_get(path: Path) -> None:
    assert known_model(read_recipe(path).base)
    assert read_recipe(path).fit.learning_rate <= FinetuneRecipe().fit.learning_rate


def test_a_recipe_is_read_as_it_was_written(tmp_path: Path) -> None:
    recipe = chosen_recipe(None, base='whisper:модель "A"', epochs=3, shares=[0.5], threads=2)
    write_recipe(tmp_path / "recipe.toml", recipe)
    assert read_recipe(tmp_path / "recipe.toml") == recipe
    assert (recipe.fit.epochs, recipe.shares, recipe.threads) == (3, (0.5,), 2)


def test_options_take_precedence_and_the_rest_is_from_the_recipe() -> None:
    path = RECIPES / "whisper-small-ru.toml"
    recipe, changed = read_recipe(path), chosen_recipe(path, epochs=1, base="embedded")
    assert (changed.base, changed.fit.epochs) == ("embedded", 1)
    assert changed.fit.learning_rate == recipe.fit.learning_rate
    assert changed.threads == recipe.threads
    assert chosen_recipe(path) == recipe


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("epochs = 6", "epochs: Extra inputs are not permitted"),
        ("[fit]\nrank = 0", "fit.rank: Input should be greater than or equal to 1"),
        ("shares = [1.5]", "shares.0: Input should be less than or equal to 1"),
        ("base = ", "a file in TOML"),
    ],
)
def test_a_wrong_recipe_is_refused_with_the_setting(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        read_recipe(path)
    assert told in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_base_model_that_was_not_downloaded_is_told(settings: Settings) -> None:
    with pytest.raises(ModelFileMissingError, match="glas models get whisper-small-ru"):
        open_base(settings, read_recipe(RECIPES / "whisper-small-ru.toml").base, None)


def test_only_a_whisper_can_be_a_base(settings: Settings) -> None:
    directory = settings.models_dir / "mine"
    directory.mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="Whisper"):
        open_base(settings, f"onnx:{directory}", None)


def test_the_champion_can_be_the_base(settings: Settings) -> None:
    directory = settings.models_dir / "second"
    directory.mkdir(parents=True)
    (settings.models_dir / "champion").write_text("whisper:second\n", encoding="utf-8")
    assert open_base(settings, "auto", None).directory == directory.resolve()
