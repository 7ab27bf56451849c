"""All messages to people, in each language: texts of the bot, of the command line and of errors.

The files `ru/*.ftl` and `en/*.ftl` together are one catalogue for each language. They are written in Fluent
(https://projectfluent.org), of which `fluent` reads a subset.
"""

from glas.localisation.catalogue import Catalogue, Value, catalogue, language_of, rounded

__all__ = ["Catalogue", "Value", "catalogue", "language_of", "rounded"]
