"""The wording of all messages to people, in Russian and in English: of the bot, the web pages and the command line.

The files `ru/*.ftl` are the Russian catalogue, and the files `en/*.ftl` are the English catalogue. The messages are
written in Fluent (https://projectfluent.org). The module `fluent` reads a part of this language.
"""

from glas.localisation.catalogue import Catalogue, Value, catalogue, language_of, rounded

__all__ = ["Catalogue", "Value", "catalogue", "language_of", "rounded"]
