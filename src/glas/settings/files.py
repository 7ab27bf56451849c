"""Read secret settings from files: the variable `NAME_FILE` contains the path of a file with the value of `NAME`.

Docker and Kubernetes can give secrets to a process as files. Then a secret appears neither in the environment of the
process nor in the list of processes.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

SUFFIX: Final = "_FILE"
# A file of this size is no secret, but the wrong file.
_MAX_BYTES = 64 * 1024


class SecretFileError(ValueError):
    """A file that should contain a secret is missing or has wrong content, or both the secret and its file are set."""


class SecretFiles(PydanticBaseSettingsSource):
    """A source of settings for pydantic: reads secrets from files whose paths are in the variables `NAME_FILE`.

    Args:
        settings_cls: the class of the settings.
        variables: all variables of the environment, or all variables of `.env`, with names in lower case. The value
            None means that the variable is not set.
        set_apart: the variables in which a secret may be given directly, without a file. If both a secret and the path
            of its file are set, `__call__` raises an error.
    """

    def __init__(
        self,
        settings_cls: type[BaseSettings],
        variables: Mapping[str, str | None],
        set_apart: Mapping[str, str | None],
    ) -> None:
        super().__init__(settings_cls)
        self._variables = variables
        self._set_apart = set_apart

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Return no value. Pydantic requires this method, but all fields are returned by `__call__`."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the secrets as a dictionary that is nested like the settings.

        Raises:
            SecretFileError: a file cannot be read, is empty or is too large. Or both a secret and the path of its file
                are set.
        """
        found: dict[str, Any] = {}
        for variable, path in secret_variables(self.settings_cls, str(self.config.get("env_prefix", ""))):
            named = self._variables.get(f"{variable}{SUFFIX}".lower())
            if not named:
                continue
            if self._set_apart.get(variable.lower()):
                raise SecretFileError(f"expected either {variable} or {variable}{SUFFIX}, got both")
            group = found
            for name in path[:-1]:
                group = group.setdefault(name, {})
            group[path[-1]] = _content(f"{variable}{SUFFIX}", Path(named))
        return found


def secret_variables(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield two values for each secret setting: the name of its environment variable, and its path.

    The path contains the names of the groups to which the setting belongs (outermost first), then the name of the
    setting.

    Args:
        model: the class of all settings, or of one group of settings.
        prefix: the beginning of the names of the environment variables of these settings.
    """
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        variable = alias if isinstance(alias, str) else prefix + name.upper()
        if isinstance(field.default, BaseModel):
            for inner, path in secret_variables(type(field.default), variable + "__"):
                yield inner, (name, *path)
        elif _is_secret(field.annotation):
            yield variable, (name,)


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_is_secret(one) for one in get_args(annotation))


def _content(variable: str, path: Path) -> str:
    """Return the text of a file without white space around it."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
        text = content.decode().strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SecretFileError(f"expected {variable} to name a file with a secret, got {path}: {reason}") from None
    if not text or len(content) > _MAX_BYTES:
        came = "an empty one" if not text else "a very large one"
        raise SecretFileError(f"expected {variable} to name a file with a secret, got {came}: {path}")
    return text
