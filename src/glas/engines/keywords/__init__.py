"""Replace doubtful words by keywords that sound similar, if the sound supports it.

Words that are certain, or that sound like no keyword, are not changed. For a doubtful word that sounds like a keyword,
the engine scores the text with the keyword against the sound. The keyword is written unless it costs too much. For an
engine that cannot score, it is written only if both sound the same.
"""

from glas.engines.keywords.replacing import Found, Score, with_keywords
from glas.engines.keywords.vocabulary import keywords_of

__all__ = ["Found", "Score", "keywords_of", "with_keywords"]
