"""Find the name of a language, and the language in which the bot writes to a person."""

from aiogram.types import User as TelegramUser

from glas.domain.people import Locale
from glas.localisation import catalogue, language_of


def language_name(code: str, locale: Locale) -> str:
    """Return the name of a language by its ISO 639-1 code; return the code if the catalogue has no name."""
    say = catalogue(locale)
    name = f"language-{code}"
    return say(name) if name in say else code


def locale_of(sender: TelegramUser | None) -> Locale:
    """Return the language for a person who has not chosen one.

    The result is the language of the person's Telegram app if Glas has messages in this language, and otherwise
    Russian.
    """
    return Locale(language_of(sender.language_code if sender else None))
