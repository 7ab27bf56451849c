"""Import aiogram without building the validators of all its types. A validator is built when its type is first used.

Without this module, aiogram builds the validators of its four hundred types during the import, and each validator
contains copies of most other validators. Building all validators takes three seconds of processor time and 100 MB of
memory, in every process with the bot. aiogram declares its types so that pydantic can build each validator on demand
(`defer_build`). For this, a module of aiogram must contain every type that its annotations name. But most modules of
aiogram import these types only for type checkers (under `TYPE_CHECKING`). So this module adds the types to the modules
of aiogram.
"""

import re
import sys
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

_NAME = re.compile(r"\w+")


def import_aiogram() -> None:
    """Import aiogram without building validators; do nothing if aiogram has been imported already."""
    if "aiogram" in sys.modules:
        return
    rebuild, config = BaseModel.__dict__["model_rebuild"], BaseModel.model_config
    BaseModel.model_rebuild = classmethod(_not_now)  # type: ignore[assignment, method-assign]
    # Methods and answers inherit it.
    BaseModel.model_config = config | ConfigDict(defer_build=True)
    try:
        import aiogram.types  # noqa: PLC0415 - this is the moment
    finally:
        BaseModel.model_rebuild = rebuild  # type: ignore[method-assign]
        BaseModel.model_config = config
    from aiogram.methods import TelegramMethod  # noqa: PLC0415
    from aiogram.types import TelegramObject  # noqa: PLC0415

    known = {name: getattr(aiogram.types, name) for name in aiogram.types.__all__}
    for model in {*_below(TelegramObject), *_below(TelegramMethod)}:
        _complete(model, known)


def _not_now(_model: type[BaseModel], /, **_options: object) -> None:
    """Do nothing; this function replaces pydantic's `model_rebuild` during the import."""


def _below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for one in model.__subclasses__():
        yield one
        yield from _below(one)


def _complete(model: type[BaseModel], known: dict[str, object]) -> None:
    """Find the types that annotations of a class name, and add these types to the module of the class.

    Annotations of inherited fields are included. Names that the module contains already are not changed.
    """
    module = vars(sys.modules[model.__module__])
    for base in model.__mro__:
        for annotation in vars(base).get("__annotations__", {}).values():
            for name in _NAME.findall(annotation) if isinstance(annotation, str) else ():
                if name in known:
                    module.setdefault(name, known[name])
