"""Replace uncertain words by keywords that sound similar, if the engine finds the new text probable enough.

Words that are spelt like a keyword get the capitals and hyphens of the keyword. Other words are not changed if they
have a high confidence, or if they sound similar to no keyword. If an uncertain word sounds similar to a keyword, the
engine computes the probability of the text with the keyword, given the sound. The keyword replaces the word, unless the
text with the keyword is much less probable than the recognised text. If an engine cannot compute the probability of a
text, a keyword replaces words only if the keyword sounds almost like these words.
"""

from glas.engines.keywords.replacing import Found, Score, with_keywords
from glas.engines.keywords.vocabulary import keywords_of

__all__ = ["Found", "Score", "keywords_of", "with_keywords"]
