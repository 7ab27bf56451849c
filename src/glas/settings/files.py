"""Secrets from files: `NAME_FILE` is the path of a file that contains the secret of the setting `NAME`.

Docker and Kubernetes mount secrets as files. So a secret appears neither in the environment of a process nor in the
list of processes.
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
    """A file that should contain a secret is missing, or contains no secret."""


class SecretFiles(PydanticBaseSettingsSource):
    """A source of settings: it reads secrets from files, whose paths are in environment variables or in `.env`.

    Args:
        settings_cls: the settings.
        variables: the variables of one place, the environment or `.env`, with names in lower case; None means that a
            variable is not set.
        set_apart: the variables that may contain the secret itself instead of the path of its file. If both are set for
            one secret, an error is raised.
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
        """Return no value; pydantic requires this method, but `__call__` returns all fields at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the secrets, nested like the settings.

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
    """Yield the variable of each secret setting, and the names of its groups (the outermost first) and of its field."""
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
