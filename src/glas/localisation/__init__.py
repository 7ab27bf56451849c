"""Every message to people, in each language: what the bot, the command line and errors say.

The files `ru/*.ftl` and `en/*.ftl` together are one catalogue for each language. They are written in Fluent
(https://projectfluent.org), of which `fluent` reads a subset.
"""

from glas.localisation.catalogue import Catalogue, Value, catalogue, language_of, rounded

__all__ = ["Catalogue", "Value", "catalogue", "language_of", "rounded"]
