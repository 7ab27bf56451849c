"""Recordings in another language than the model writes: begun anew with a model that knows it."""

from collections.abc import Callable

from glas.nn_service.transcribe import Step


class AnotherLanguageError(Exception):
    """Another model is to do the work, because it knows the language that is spoken."""

    def __init__(self, language: str, model: str) -> None:
        super().__init__(language)
        self.language = language
        self.model = model


class FirstAttempt:
    """The first attempt at a recording whose language nobody named.

    Args:
        on_step: whom progress is told.
        other: which model writes a language; None where there is none.
    """

    def __init__(self, on_step: Callable[[Step], None], other: Callable[[str], str | None]) -> None:
        self._on_step = on_step
        self._other = other
        self._has_told = False

    def on_step(self, step: Step) -> None:
        """Pass progress on."""
        self._has_told = self._has_told or bool(step.segments)
        self._on_step(step)

    def on_foreign(self, language: str) -> None:
        """Begin anew with another model, unless a part of the text is told already.

        Raises:
            AnotherLanguageError: there is one.
        """
        if not self._has_told and (model := self._other(language)) is not None:
            raise AnotherLanguageError(language, model)
