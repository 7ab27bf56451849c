"""All texts for people, in Russian and in English: texts of the bot, of the web pages and of the command line.

The files `ru/*.ftl` are the Russian catalogue, and the files `en/*.ftl` are the English catalogue. A catalogue consists
of messages: texts with names. The messages are written in the language Fluent (https://projectfluent.org). The module
`fluent` supports only a part of Fluent.
"""

from glas.localisation.catalogue import Catalogue, Value, catalogue, language_of, rounded

__all__ = ["Catalogue", "Value", "catalogue", "language_of", "rounded"]
