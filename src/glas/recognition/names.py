"""Find out which model a name or an alias means.

Callers may write the name of a model in several ways. One of them is the uniform name, such as `onnx:gigaam-v3-ctc`. A
canonical name is a uniform name or an alias. The alias `auto` and its synonyms mean the default model. Administrators
may define other aliases, such as `candidate`; these exist until the process ends. The name of a model always means this
model, so such a name cannot become an alias.
"""

import contextlib
import re
from collections.abc import Callable, Collection, Iterable

from glas.domain.errors import ConflictError, UnknownModelError
from glas.engines.catalogue import AUTO

# The default model's names. A client of OpenAI's API sends the name of one of OpenAI's models, so such names are here.
DEFAULT_NAMES = (AUTO, "", "champion", "whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe")

_ALIAS = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class ModelNames:
    """Names of models and their aliases.

    Args:
        resolve: converts a name that a caller wrote into a uniform name.
        default: uniform name of the default model. The names in `DEFAULT_NAMES` are aliases of this model.
        available: returns the uniform names of the models on disk.
    """

    def __init__(
        self, resolve: Callable[[str], str], *, default: str, available: Callable[[], Collection[str]]
    ) -> None:
        self._resolve = resolve
        self._available = available
        self._aliases = {AUTO: default}

    @property
    def default(self) -> str:
        """Uniform name of the default model."""
        return self._aliases[AUTO]

    def known(self, loaded: Iterable[str]) -> list[str]:
        """Return the uniform names of all models that callers may name, the default model first.

        Args:
            loaded: uniform names of the loaded models.
        """
        return list(dict.fromkeys([self.default, *loaded, *self._available()]))

    def aliases_of(self, name: str) -> list[str]:
        """Return the aliases of the model with the uniform name `name`."""
        return sorted(alias for alias, target in self._aliases.copy().items() if target == name)

    def canonical(self, name: str, loaded: Iterable[str]) -> str:
        """Return the canonical name of the model that a caller means: an alias or a uniform name.

        Args:
            name: the name that a caller wrote.
            loaded: uniform names of the loaded models.

        Returns:
            An alias (`auto` for every name of the default model), or a uniform name.

        Raises:
            UnknownModelError: there is no such model or alias, or the model is not on disk.
        """
        if name in DEFAULT_NAMES:
            return AUTO
        if name in self._aliases:
            return name
        known = self.known(loaded)
        with contextlib.suppress(UnknownModelError):
            if (uniform := self._resolve(name)) in known:
                return uniform
        raise UnknownModelError(
            f"expected a model that is served here ({', '.join(known)}, or 'auto'), got {name!r}; "
            "further models: `glas models`, `glas models get NAME`",
            param="model",
        )

    def target(self, canonical: str) -> str:
        """Return the uniform name of the model for which a canonical name stands now."""
        return self._aliases.get(canonical, canonical)

    def alias(self, name: str, target: str | None) -> str | None:
        """Return the alias that `name` means: an existing alias, or a new alias that may be defined for `target`.

        Return None if `name` is the name of a model, because such a name cannot be an alias.

        Raises:
            ConflictError: `name` is the name of a model, and `target` is another model.
            UnknownModelError: `name` is neither a model nor an alias that exists, and cannot become an alias. A name
                cannot become an alias if `target` is None, or if it contains characters that are not permitted in an
                alias.
        """
        if name in DEFAULT_NAMES:
            return AUTO
        if name in self._aliases:
            return name
        with contextlib.suppress(UnknownModelError):
            model = self._resolve(name)
            if target not in (None, model):
                raise ConflictError(
                    f"expected an alias such as 'candidate', got {name!r}: it is the name of a model, and cannot mean "
                    f"{target}",
                    param="name",
                )
            return None
        if target is None or not _ALIAS.fullmatch(name):
            raise UnknownModelError(
                "expected a model; or an alias (lower-case letters, digits, '.', '_', '-') and the name of a "
                f"model; got {name!r}",
                param="name",
            )
        return name

    def set(self, alias: str, target: str) -> None:
        """Let an alias stand for the model with the uniform name `target`."""
        self._aliases[alias] = target

    def remove(self, alias: str) -> None:
        """Remove an alias, if there is one."""
        self._aliases.pop(alias, None)
