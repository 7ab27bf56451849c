"""Bodies of requests to db_assist about vocabularies, and of its answers."""

from typing import Annotated

from pydantic import Field

from glas.clients.bodies import Name, RequestBody, Value

MOST_KEYWORDS = 100
"""Largest number of words that are sent with one recording."""


class NewWords(RequestBody):
    """Words that a person adds by hand."""

    words: Annotated[list[Name], Field(min_length=1, max_length=50)]


class Keywords(Value):
    """Words that are likely in a recording."""

    words: tuple[str, ...] = Field(
        description="Words that may be said in the recording, the most useful first: words of the person, then of "
        "the chat, then of all people."
    )
