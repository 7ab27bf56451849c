"""Models by name: which there are, and where their weights lie on disk."""

import re
from difflib import get_close_matches
from pathlib import Path

from glas.domain.errors import UnknownModelError
from glas.engines import layouts
from glas.engines.known import EMBEDDED, KNOWN_MODELS, WHISPER_SMALL_RU, KnownModel

AUTO = "auto"

# A place on the model hub, `owner/name`; any of them may hold a Whisper.
_HUB_WHISPER = re.compile(r"whisper:([\w.-]+/[\w.-]+)")

_PACKAGE = Path(__file__).parents[1]
_EMBEDDED_FOLDER = "whisper-base-ru"


def known_models() -> tuple[KnownModel, ...]:
    """All models that have a name, the embedded one first."""
    return KNOWN_MODELS


def known_model(name: str) -> KnownModel:
    """The model of that name; its short name (`gigaam-v3-ctc`) will do.

    `whisper:<owner>/<name>` is any Whisper on the model hub, of which nothing more is known than its place.

    Raises:
        UnknownModelError: there is none; the message offers similar names.
    """
    for model in KNOWN_MODELS:
        if name in (model.name, model.short_name):
            return model
    if place := _HUB_WHISPER.fullmatch(name):
        return _whisper_of_the_hub(place[1])
    candidates = {model.short_name.lower(): model.name for model in KNOWN_MODELS}
    close = get_close_matches(name.rpartition(":")[2].lower(), candidates, n=3, cutoff=0.5)
    offer = f"Did you mean {' or '.join(candidates[match] for match in close)}?" if close else ""
    raise UnknownModelError(
        f"No model is called {name!r}. {offer or 'See `glas models` for the names.'}", param="model"
    )


def _whisper_of_the_hub(repository: str) -> KnownModel:
    return KnownModel(
        name=f"whisper:{repository}",
        repository=repository,
        layout=layouts.WHISPER,
        size_mb=None,
        licence="",
        window_s=30,
        summary_ru=f"Whisper: {repository}",
        summary_en=f"Whisper: {repository}",
        int8=False,
    )


def local_directory(models_dir: Path, name: str) -> Path:
    """Where the weights of a known model lie, or will lie once they are fetched.

    Raises:
        UnknownModelError: no model of that name.
    """
    model = known_model(name)
    if model.name == EMBEDDED:
        return embedded_directory()
    return models_dir / re.sub(r"[^A-Za-z0-9._-]+", "--", model.name)


def embedded_directory() -> Path:
    """Where the embedded model lies: in the installed package, or else in the checkout that the package is run from."""
    installed = _PACKAGE / "models" / _EMBEDDED_FOLDER
    return installed if installed.is_dir() else _PACKAGE.parents[1] / "models" / _EMBEDDED_FOLDER


def is_on_disk(models_dir: Path, name: str) -> bool:
    """Whether all files that an engine needs are there, in int8 or in fp32.

    Raises:
        UnknownModelError: no model of that name.
    """
    return known_model(name).layout.is_whole(local_directory(models_dir, name))


def resolve(name: str, models_dir: Path) -> str:
    """Make a uniform name out of what people write.

    `auto` is the best that is there: whisper-small-ru if it is on disk, else the embedded model; nothing is ever
    downloaded for it. `onnx:<directory>` and `whisper:<directory>` get an absolute path: a name must not depend on
    where we are. A Whisper of the hub that was fetched goes before a directory of the same name.

    Raises:
        UnknownModelError: no model of that name, and no such directory.
    """
    if name == AUTO:
        return WHISPER_SMALL_RU if is_on_disk(models_dir, WHISPER_SMALL_RU) else EMBEDDED
    engine, _, place = name.partition(":")
    directory = Path(place).expanduser()
    is_known = any(name in (model.name, model.short_name) for model in KNOWN_MODELS)
    is_fetched = is_known or (_HUB_WHISPER.fullmatch(name) is not None and is_on_disk(models_dir, name))
    if engine in ("onnx", "whisper") and place and not is_fetched and directory.is_dir():
        return f"{engine}:{directory.resolve()}"
    return known_model(name).name
