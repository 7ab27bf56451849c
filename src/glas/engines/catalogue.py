"""Find models by name: which models Glas knows, and where their weights are on disk."""

import re
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from glas.domain.errors import ModelError, ModelFileMissingError, UnknownModelError
from glas.engines import layouts
from glas.engines.descriptions import KnownModel
from glas.engines.known import AUTO_ORDER, EMBEDDED, KNOWN_MODELS, MULTILINGUAL
from glas.system.files import delete, make_directory, replace_text

AUTO = "auto"

# A text file in the directory of models. It contains the name of the champion, for which `auto` stands.
CHAMPION = "champion"

_ENGINES = ("onnx", "whisper")

# A repository on the model hub, `owner/name`; every repository may contain a Whisper model.
_HUB_WHISPER = re.compile(r"whisper:([\w.-]+/[\w.-]+)")

_PACKAGE = Path(__file__).parents[1]
_EMBEDDED_FOLDER = "whisper-base-ru"


def known_models() -> tuple[KnownModel, ...]:
    """Return all models that Glas knows by name, the embedded model first."""
    return KNOWN_MODELS


def known_model(name: str) -> KnownModel:
    """Return the model with a given uniform name, or with a given short name such as `gigaam-v3-ctc`.

    The name `whisper:<owner>/<name>` means a Whisper model on the model hub (Hugging Face). Glas has no other data
    about such a model than the name of its repository.

    Raises:
        UnknownModelError: there is no such model; the error message suggests similar names.
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
        title_ru=repository,
        title_en=repository,
        summary_ru=f"Whisper: {repository}",
        summary_en=f"Whisper: {repository}",
        int8=False,
    )


class Title(NamedTuple):
    """Title by which people see a model, in Russian and in English."""

    ru: str
    en: str


def title_of(name: str) -> Title:
    """Return the title of a model by its uniform name.

    If the name contains an absolute path, the title contains only the last part of this path.
    """
    place = Path(name.partition(":")[2])
    if place.is_absolute():
        return Title(f"своя модель «{place.name}»", f"own model “{place.name}”")
    try:
        model = known_model(name)
    except UnknownModelError:
        return Title(name, name)
    return Title(model.title_ru, model.title_en)


def local_directory(models_dir: Path, name: str) -> Path:
    """Return the directory for the weights of a known model; the directory may not exist yet.

    Raises:
        UnknownModelError: there is no model of that name.
    """
    return directory_of(models_dir, known_model(name))


def directory_of(models_dir: Path, model: KnownModel) -> Path:
    """Return the directory for the weights of a model, which need not be one of `known_models`."""
    if model.name == EMBEDDED:
        return embedded_directory()
    return models_dir / re.sub(r"[^A-Za-z0-9._-]+", "--", model.name)


def embedded_directory() -> Path:
    """Return the directory of the embedded model, in the installed package or in a checkout of the repository."""
    installed = _PACKAGE / "models" / _EMBEDDED_FOLDER
    return installed if installed.is_dir() else _PACKAGE.parents[1] / "models" / _EMBEDDED_FOLDER


def is_on_disk(models_dir: Path, name: str) -> bool:
    """Return whether all files that an engine needs for a model are on disk, either in int8 or in fp32.

    Raises:
        UnknownModelError: there is no model of that name.
    """
    return known_model(name).layout.is_whole(local_directory(models_dir, name))


def resolve(name: str, models_dir: Path) -> str:
    """Return the uniform name of a model for a name that a person wrote.

    `auto` means the champion. If there is no champion, `auto` means the first model of `AUTO_ORDER` that is on disk.
    Nothing is downloaded. The paths in `onnx:<directory>` and `whisper:<directory>` are made absolute, so that the name
    does not depend on the working directory. A Whisper model that was downloaded from the model hub has precedence over
    a directory of the same name.

    Raises:
        UnknownModelError: there is neither a model nor a directory of that name.
    """
    if name == AUTO:
        return best_on_disk(models_dir)
    engine, _, place = name.partition(":")
    directory = Path(place).expanduser()
    is_known = any(name in (model.name, model.short_name) for model in KNOWN_MODELS)
    is_fetched = is_known or (_HUB_WHISPER.fullmatch(name) is not None and is_on_disk(models_dir, name))
    if engine in _ENGINES and place and not is_fetched and directory.is_dir():
        return f"{engine}:{directory.resolve()}"
    return known_model(name).name


def multilingual_on_disk(models_dir: Path) -> str | None:
    """Return the uniform name of the first multilingual model of `AUTO_ORDER` on disk; None if there is none."""
    return next((name for name in AUTO_ORDER if name in MULTILINGUAL and is_on_disk(models_dir, name)), None)


def best_on_disk(models_dir: Path) -> str:
    """Return the champion's uniform name; without a champion, that of the first model of `AUTO_ORDER` on disk."""
    return champion(models_dir) or next((name for name in AUTO_ORDER if is_on_disk(models_dir, name)), EMBEDDED)


def champion(models_dir: Path) -> str | None:
    """Return the uniform name of the champion, the model that was chosen as the default model.

    Return None if no model was chosen, or if the chosen model is not on disk.

    The first line of the file `champion` in the directory of models contains the champion's name, in the format of the
    setting GLAS_MODEL. If this name contains the path of a directory, the path may be relative to the directory of
    models. `choose` writes the file.
    """
    chosen = named_champion(models_dir)
    return None if not chosen or chosen == AUTO else uniform_on_disk(chosen, models_dir)


def uniform_on_disk(chosen: str, models_dir: Path) -> str | None:
    """Return the uniform name of a model that is named as in the setting GLAS_MODEL; None if the model is not on disk.

    If `chosen` contains the path of a directory, the path may be relative to the directory of models.
    """
    engine, _, place = chosen.partition(":")
    if engine in _ENGINES and place and (models_dir / place).is_dir():
        return f"{engine}:{(models_dir / place).resolve()}"
    try:
        name = resolve(chosen, models_dir)
    except ModelError:
        return None
    return name if Path(name.partition(":")[2]).is_absolute() or is_on_disk(models_dir, name) else None


def made_here(name: str, models_dir: Path) -> str | None:
    """Return the uniform name of a model inside the directory of models; None if there is no such model.

    `name` must contain an absolute path. Only the last part of this path is used. So a name from another machine is
    valid here, too, even if the directory of models has another path there. No caller can name a model outside
    `models_dir`.
    """
    engine, _, place = name.partition(":")
    last = Path(place).name
    own = models_dir / last
    if engine not in _ENGINES or not Path(place).is_absolute() or last in ("", "..") or not own.is_dir():
        return None
    return f"{engine}:{own.resolve()}"


def named_champion(models_dir: Path) -> str | None:
    """Return the name in the file `champion`, even if there is no model of this name.

    Return None if there is no such file, and an empty string if the file cannot be read.
    """
    try:
        lines = (models_dir / CHAMPION).read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError):
        return ""
    return lines[0].strip() if lines else ""


def resolve_chosen(name: str, models_dir: Path) -> str:
    """Return the uniform name of the model that will be the default model if `choose(name)` is called.

    Raises:
        UnknownModelError: there is no model of that name.
        ModelFileMissingError: the model is not on disk.
    """
    if name == AUTO:
        return next((one for one in AUTO_ORDER if is_on_disk(models_dir, one)), EMBEDDED)
    uniform = resolve(name, models_dir)
    if not Path(uniform.partition(":")[2]).is_absolute() and not is_on_disk(models_dir, uniform):
        raise ModelFileMissingError(f"{uniform} is not on disk. Get it: glas models get {name}")
    return uniform


def choose(name: str, models_dir: Path) -> None:
    """Make a model the champion; `auto` removes the champion.

    Raises:
        UnknownModelError: there is no model of that name.
        ModelFileMissingError: the model is not on disk.
        ModelError: the directory of models cannot be written.
    """
    chosen = None if name == AUTO else f"{resolve_chosen(name, models_dir)}\n"
    keep_choice(models_dir / CHAMPION, chosen)


def keep_choice(path: Path, content: str | None) -> None:
    """Write a choice of a model into a file in the directory of models; if `content` is None, delete the file.

    Raises:
        ModelError: the directory cannot be written.
    """
    try:
        if content is None:
            delete(path)
        else:
            make_directory(path.parent)
            replace_text(path, content)
    except OSError as error:
        raise ModelError(f"{path}: the choice cannot be stored: {error}.") from error
