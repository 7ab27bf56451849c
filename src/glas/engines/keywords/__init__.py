"""Write a person's words where something that sounds like them was recognised, if the sound bears it.

What is certain, or sounds like none of them, is left without any work. What is doubtful and sounds like a keyword is
written with the keyword in its place, the engine scores both texts by the sound, and the better one stays unless the
keyword costs too much. An engine that cannot score writes only what sounds the same.
"""

from glas.engines.keywords.replacing import Found, Score, with_keywords
from glas.engines.keywords.vocabulary import keywords_of

__all__ = ["Found", "Score", "keywords_of", "with_keywords"]
