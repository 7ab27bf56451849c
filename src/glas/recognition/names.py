"""What names mean: those of models, and aliases.

`auto` and its synonyms mean the default model. Administrators may make other aliases, such as `candidate`, that last as
long as the process. The name of a model always means its own files.
"""

import contextlib
import re
from collections.abc import Callable, Collection, Iterable

from glas.domain.errors import ConflictError, UnknownModelError
from glas.engines.catalogue import AUTO

# The default model's names. Clients written for OpenAI must name a model of OpenAI's.
DEFAULT_NAMES = (AUTO, "", "champion", "whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe")

_ALIAS = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class ModelNames:
    """Names of models and their aliases.

    Args:
        resolve: makes a uniform name out of what callers write.
        default: uniform name of the model that `DEFAULT_NAMES` mean.
        available: gives the uniform names of what lies on disk.
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
        """Uniform names of all that can be asked for, the default first.

        Args:
            loaded: uniform names of what is in memory.
        """
        return list(dict.fromkeys([self.default, *loaded, *self._available()]))

    def aliases_of(self, name: str) -> list[str]:
        """The aliases of a model, by its uniform name."""
        return sorted(alias for alias, target in self._aliases.copy().items() if target == name)

    def canonical(self, name: str, loaded: Iterable[str]) -> str:
        """Make one name out of the many under which callers may ask for a model.

        Args:
            name: what a caller wrote.
            loaded: uniform names of what is in memory.

        Returns:
            An alias, `auto` for every name of the default model; or a uniform name.

        Raises:
            UnknownModelError: it is not served: no such model or alias, or it is not on disk.
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
            "more of them: `glas models`, `glas models get NAME`",
            param="model",
        )

    def target(self, canonical: str) -> str:
        """The uniform name that a canonical name means now."""
        return self._aliases.get(canonical, canonical)

    def alias(self, name: str, target: str | None) -> str | None:
        """The alias under which `name` shall mean `target`; None for the name of a model.

        Raises:
            ConflictError: the name is a model's, and the target another model.
            UnknownModelError: it is no name of a model, and no target is given, or it can be no alias.
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
                "expected a model; or an alias (lower-case letters, digits, '.', '_', '-') and the model that it shall "
                f"mean; got {name!r}",
                param="name",
            )
        return name

    def set(self, alias: str, target: str) -> None:
        """Make an alias stand for the model with a uniform name."""
        self._aliases[alias] = target
