"""Bodies of requests to db_assist about corrections, and of its answers."""

from typing import Annotated

from pydantic import Field

from glas.clients.bodies import ChatId, RequestBody, RowId, SomeText, TgId, Value
from glas.clients.db_assist_bodies import Reward
from glas.domain.corrections import Rank, Sound
from glas.domain.messages import MessageKind
from glas.domain.people import Locale


class Correction(RequestBody):
    """The words that were said, according to the author of a message."""

    tg_id: TgId
    reference: Annotated[SomeText, Field(max_length=100_000)]
    is_confirmed: bool = Field(
        default=False,
        description="Whether the author confirms the words. Confirmed words replace the text even if they are "
        "doubtful.",
    )
    sound: Sound = Field(
        default=Sound.UNKNOWN,
        description="Result of comparing the words with the sound of the recording. `unknown` if they were not "
        "compared, or if the result is not clear.",
    )
    lets_bot_show: bool = Field(
        default=False,
        description="Whether the bot must change its messages to show the corrected text. It is set if the "
        "caller, such as a web page, cannot do this.",
    )


class CorrectionReference(RequestBody):
    """One change in the history of a correction, and the person who confirms or undoes it."""

    tg_id: TgId
    change_id: RowId
    lets_bot_show: bool = Field(
        default=False,
        description="Whether the bot must change its messages to show the corrected text. It is set if the "
        "caller, such as a web page, cannot do this.",
    )


class TextToShow(Value):
    """A text that was corrected on the web pages; the bot must update its Telegram messages that show this text."""

    transcription_id: int
    change_id: int = Field(description="Number of the last change of the text in the history of corrections.")
    tg_id: int = Field(description="Telegram's id of the person who sent the recording.")
    locale: Locale
    chat_id: int = Field(description="Telegram's id of the chat in which the recording was sent.")


class CorrectionResult(Reward):
    """Result of a correction; the field `transcription` is the message with its words after the correction."""

    change_id: int = Field(
        description="Number of this change of the text. With this number the change can be undone or confirmed."
    )
    rank: Rank | None = Field(
        description="Reliability of this correction. null means that the correction was undone and the recognised "
        "words are shown again."
    )
    is_applied: bool = Field(
        description="Whether the correction replaces the current words. A doubtful correction is stored but does "
        "not replace them."
    )
    before: str = Field(description="Words of the message before this change.")
    learned: tuple[str, ...] = Field(
        default=(), description="Words that this correction added to the vocabulary of its author."
    )


class AttachedMessage(RequestBody):
    """A Telegram message of the bot that shows a text, and that the bot must update when the text is corrected."""

    kind: MessageKind
    chat_id: ChatId
    message_id: RowId
