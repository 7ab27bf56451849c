"""All messages to people, in each language: texts of the bot, of the command line and of errors.

The files `ru/*.ftl` and `en/*.ftl` together are one catalogue for each language. The messages are written in Fluent
(https://projectfluent.org), of which `fluent` reads a part.
"""

from glas.localisation.catalogue import Catalogue, Value, catalogue, language_of, rounded

__all__ = ["Catalogue", "Value", "catalogue", "language_of", "rounded"]
