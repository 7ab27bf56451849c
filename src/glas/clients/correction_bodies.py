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
        default=False,
        description="Whether the author confirms the words, so that they replace the text even if they are doubtful.",
    )
    sound: Sound = Field(
        default=Sound.UNKNOWN, description="Result of comparing the words with the sound of the recording."
    )
    lets_bot_show: bool = Field(
        default=False,
        description="Whether the bot must update its messages with the text, because the caller cannot do this.",
    )


class CorrectionReference(RequestBody):
    """One change in the history of a correction, and the person who confirms or undoes it."""

    tg_id: TgId
    change_id: RowId
    lets_bot_show: bool = Field(
        default=False,
        description="Whether the bot must update its messages with the text, because the caller cannot do this.",
    )


class TextToShow(Value):
    """A text that was corrected on the pages; the bot must update its messages that show this text."""

    transcription_id: int
    change_id: int = Field(description="Number of the last change.")
    tg_id: int = Field(description="Telegram's id of the person who sent the recording.")
    locale: Locale
    chat_id: int = Field(description="Chat in which the recording was sent.")


class CorrectionResult(Reward):
    """Result of a correction; `transcription` contains the current words."""

    change_id: int = Field(description="Number of the change, with which it can be undone or confirmed.")
    rank: Rank | None = Field(
        description="Rank of this correction; None: it was undone, and the recognised words are shown again."
    )
    is_applied: bool = Field(
        description="False: the correction is doubtful, so it is stored but does not replace the current words."
    )
    before: str = Field(description="The words before this change.")
    learned: tuple[str, ...] = Field(
        default=(), description="Words that the correction added to the vocabulary of its author."
    )


class AttachedMessage(RequestBody):
    """A message of the bot that shows a text and must be updated when the text is corrected."""

    kind: MessageKind
    chat_id: ChatId
    message_id: RowId
