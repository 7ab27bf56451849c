"""Bodies of requests and answers of db_assist about vocabularies."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from glas.clients.db_assist_bodies import Text

MOST_KEYWORDS = 100
"""Largest number of words that are sent with one recording."""


class NewWords(BaseModel):
    """Words that a person adds by hand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: Annotated[list[Annotated[Text, Field(min_length=1, max_length=512)]], Field(min_length=1, max_length=50)]


class Keywords(BaseModel):
    """Words that are likely in a recording."""

    model_config = ConfigDict(frozen=True)

    words: tuple[str, ...] = Field(description="The most useful first: the person's, the chat's, the installation's.")
