"""Bodies of requests and answers of db_assist about corrections."""

from typing import Annotated

from pydantic import Field

from glas.clients.bodies import ChatId, RequestBody, RowId, Text, TgId, Value
from glas.clients.db_assist_bodies import Reward
from glas.domain.corrections import Rank, Sound
from glas.domain.messages import MessageKind
from glas.domain.people import Locale


class Correction(RequestBody):
    """The words that were said, according to the author of a message."""

    tg_id: TgId
    reference: Annotated[Text, Field(min_length=1, max_length=100_000)]
    is_confirmed: bool = Field(
        default=False, description="The author insists: the words replace the text even where they are doubtful."
    )
    sound: Sound = Field(default=Sound.UNKNOWN, description="What an engine says of the words, given the sound.")
    lets_bot_show: bool = Field(
        default=False, description="The bot is to update the messages with the text, because the caller cannot."
    )


class CorrectionReference(RequestBody):
    """One change in the history of a correction, and the person who confirms or undoes it."""

    tg_id: TgId
    change_id: RowId
    lets_bot_show: bool = Field(default=False, description="As of a correction.")


class TextToShow(Value):
    """A text that was corrected on the pages; the bot must update its messages that show this text."""

    transcription_id: int
    change_id: int = Field(description="The last change.")
    tg_id: int = Field(description="Who sent the recording.")
    locale: Locale
    chat_id: int = Field(description="Where it was sent.")


class CorrectionResult(Reward):
    """Result of a correction; `transcription` contains the current words."""

    change_id: int = Field(description="Names the change, to take it back or to confirm it.")
    rank: Rank | None = Field(description="Of this correction; None: it was taken back, to the recognised words.")
    is_applied: bool = Field(description="False: doubtful, and kept beside the words that stand.")
    before: str = Field(description="The words that stood before.")
    learned: tuple[str, ...] = Field(default=(), description="What it added to its author's vocabulary.")


class AttachedMessage(RequestBody):
    """A message of the bot that shows a text and must be updated when the text is corrected."""

    kind: MessageKind
    chat_id: ChatId
    message_id: RowId
