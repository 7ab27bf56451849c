"""The stored weights of the tiny Whispers belong to the present sources."""

import pytest

from tests.models.trained import NAMES, kept_recipe, recipe


@pytest.mark.parametrize("name", NAMES)
def test_kept_weights_are_those_of_these_sources(name: str) -> None:
    assert kept_recipe(name) == recipe(name), "train them anew, a minute each: python -m tests.models.trained"
