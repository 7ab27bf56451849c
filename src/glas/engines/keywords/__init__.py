"""Replace uncertain words by keywords that sound similar, if the engine's score for the recording permits it.

Words that are spelt like a keyword get the capitals and hyphens of the keyword. Other words are not changed if the
engine is certain of them, or if they sound similar to no keyword. If an uncertain word sounds similar to a keyword, the
engine scores the text with the keyword against the sound. The keyword is written unless the text with the keyword has a
much lower score than the recognised text. If an engine cannot score texts, the keyword is written only if it sounds
almost like the recognised words.
"""

from glas.engines.keywords.replacing import Found, Score, with_keywords
from glas.engines.keywords.vocabulary import keywords_of

__all__ = ["Found", "Score", "keywords_of", "with_keywords"]
