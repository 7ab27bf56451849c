"""Repeat the recognition with another model if a recording is in a language that the first model does not know."""

from collections.abc import Callable

from glas.recognition.transcriber import Progress


class AnotherLanguageError(Exception):
    """The first model does not know the spoken language, so the recording must be recognised by another model."""

    def __init__(self, language: str, model: str) -> None:
        super().__init__(language)
        self.language = language
        self.model = model


class FirstAttempt:
    """The first attempt to recognise a recording for which the caller named no language.

    Args:
        on_progress: function of the caller that is called with the progress.
        model_for: function that returns the uniform name of a model that can write a given language; None if there is
            no such model.
    """

    def __init__(self, on_progress: Callable[[Progress], None], model_for: Callable[[str], str | None]) -> None:
        self._on_progress = on_progress
        self._model_for = model_for
        self._has_text = False

    def on_progress(self, progress: Progress) -> None:
        """Pass the progress on to the caller."""
        self._has_text = self._has_text or bool(progress.segments)
        self._on_progress(progress)

    def on_foreign(self, language: str) -> None:
        """End the attempt if another model should recognise the recording, because another language is spoken.

        The attempt continues if no model can write the language, or if the caller has received text already.

        Raises:
            AnotherLanguageError: another model can write the language, and the caller has received no text yet.
        """
        if not self._has_text and (model := self._model_for(language)) is not None:
            raise AnotherLanguageError(language, model)
