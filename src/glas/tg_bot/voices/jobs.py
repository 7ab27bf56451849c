"""Jobs: the arguments of the bot's workflows.

A job contains everything that a workflow needs from a Telegram message, except the bytes of the recording.
"""

from aiogram.types import Message
from pydantic import BaseModel, ConfigDict

from glas.domain.kept import KeptRecognition
from glas.domain.messages import traceparent_of
from glas.domain.model_ref import ModelRef
from glas.domain.people import Locale
from glas.durable import Queue, Work
from glas.tg_bot.api.senders import name_in, person_in
from glas.tg_bot.voices.recordings import Recording, recording_in

HEAR, KEEP, UPDATE, REPAIR, CLEAN, CHANGE_MODEL = "hear", "keep", "update", "repair", "clean", "change_model"
AMEND, ANNOUNCE, DECIDE, ACKNOWLEDGE = "amend", "announce", "decide", "acknowledge"

# Commands and presses have a queue of their own, so that they do not wait behind a long recording of the same person.
VOICES, UPDATES, ARCHIVE, REPAIRS, MODELS = "voices", "updates", "archive", "repairs", "models"

# While recordings wait, each new one is acknowledged first. Then it waits in `VOICES`, or in `LATER` if another one of
# the same person waits already, so that nobody waits for all recordings of somebody else.
ARRIVALS, LATER = "arrivals", "later"


class VoiceJob(BaseModel):
    """The job to answer one recording."""

    model_config = ConfigDict(frozen=True)

    bot_id: int
    chat_id: int
    message_id: int
    attempt: int = 1
    person: int | None
    """Telegram id of the sender; None for an anonymous administrator or a channel, about whom nothing is stored."""
    person_name: str
    """Name of the speaker, shown before the text in a group."""
    is_private: bool
    is_asked: bool = False
    n_in_minute: int = 0
    date_s: int
    recording: Recording
    answer_message_id: int | None = None
    is_acknowledged: bool = False
    """Whether the bot has already told the person that the recording waits."""
    is_later: bool = False
    """Whether the recording is in the queue `LATER`, because other recordings of the party are not answered yet."""

    @property
    def id(self) -> str:
        """Return the id of the work that answers this message.

        If Telegram sends the message again, the id is the same, so the work is done only once.
        """
        name = f"v:{self.bot_id}:{self.chat_id}:{self.message_id}:{self.attempt}"
        # A recording that was not recognised when it arrived may be requested later.
        return f"{name}:asked" if self.is_asked else name

    @property
    def is_unasked_in_group(self) -> bool:
        """Return whether the recording was sent to a group, and nobody has requested its text."""
        return not self.is_private and not self.is_asked

    @property
    def party(self) -> int:
        """Return the id of the party; limits and queues are separate for each party.

        The party is the person who sent the recording, or the chat if no person is known.
        """
        return self.chat_id if self.person is None else self.person

    @property
    def traceparent(self) -> str:
        """Return the id of the message's trace as a W3C `traceparent`; all attempts belong to the same trace."""
        return traceparent_of(self.recording.file_unique_id, self.message_id)

    def work(self) -> Work:
        """Return the work to enqueue."""
        arguments, person, queue = (self.model_dump(mode="json"),), str(self.party), LATER if self.is_later else VOICES
        return Work(queue, HEAR, self.id, arguments, person=person, traceparent=self.traceparent)


class ToArchive(BaseModel):
    """A recording to archive. If its bytes are no longer in memory, they are downloaded again with `file_id`."""

    model_config = ConfigDict(frozen=True)

    transcription_id: int
    file_id: str
    file_unique_id: str
    text: str
    kept: KeptRecognition | None = None
    same_as: int | None = None
    """The id of an earlier message with the same file, whose recognition is copied; None if there is none."""


class ArchiveJob(ToArchive):
    """The job to archive a recording, unless the person has deleted their data."""

    person: int

    def work(self) -> Work:
        """Return the work to enqueue."""
        return Work(ARCHIVE, KEEP, f"a:{self.transcription_id}", (self.model_dump(mode="json"),), str(self.person))


class AmendJob(BaseModel):
    """The job to update the messages that show a corrected text."""

    model_config = ConfigDict(frozen=True)

    transcription_id: int
    change_id: int
    person: int
    name: str
    """Name of the speaker, as the answer shows it in a group; empty in private chats."""
    locale: Locale

    def work(self) -> Work:
        """Return the work to enqueue."""
        name = f"e:{self.transcription_id}:{self.change_id}"
        return Work(UPDATES, AMEND, name, (self.model_dump(mode="json"),), str(self.person))


class CleanJob(BaseModel):
    """The job to remove deleted messages from the export; it does not contain the id of the person who deleted them."""

    model_config = ConfigDict(frozen=True)

    cleaned_by: str

    def work(self) -> Work:
        """Return the work to enqueue."""
        return Work(REPAIRS, CLEAN, f"c:{self.cleaned_by}", ())


class RepairJob(BaseModel):
    """The job to search for lost recordings, at an administrator's request."""

    model_config = ConfigDict(frozen=True)

    bot_id: int
    chat_id: int
    message_id: int
    time: str

    def work(self) -> Work:
        """Return the work to enqueue."""
        return Work(REPAIRS, REPAIR, f"r:{self.bot_id}:{self.chat_id}:{self.message_id}", (self.time, self.chat_id))


class ModelJob(BaseModel):
    """The job to change the default model; the message with which the model was chosen shows the progress."""

    model_config = ConfigDict(frozen=True)

    bot_id: int
    chat_id: int
    message_id: int
    press: str
    model: str
    locale: Locale
    administrator: int | None = None
    former: ModelRef | None = None

    def work(self) -> Work:
        """Return the work to enqueue."""
        name = f"m:{self.bot_id}:{self.chat_id}:{self.message_id}:{self.press}"
        return Work(MODELS, CHANGE_MODEL, name, (self.model_dump(mode="json"),))


class AnnounceJob(BaseModel):
    """The job to send an announcement; it contains the id of the announcement, but not its text."""

    model_config = ConfigDict(frozen=True)

    bot_id: int
    announcement_id: int
    person: int

    def work(self) -> Work:
        """Return the work to enqueue."""
        name = f"n:{self.bot_id}:{self.announcement_id}"
        return Work(UPDATES, ANNOUNCE, name, (self.model_dump(mode="json"),), str(self.person))


class DecisionJob(BaseModel):
    """The job to carry out an administrator's decision: make the candidate the default model, or refuse it."""

    model_config = ConfigDict(frozen=True)

    bot_id: int
    model_id: int
    administrator: int
    administrator_name: str
    press: str
    lets_serve: bool

    def work(self) -> Work:
        """Return the work to enqueue."""
        name = f"d:{self.bot_id}:{self.model_id}:{self.press}"
        return Work(MODELS, DECIDE, name, (self.model_dump(mode="json"),), str(self.administrator))


def queues(concurrency: int, recognitions: int) -> tuple[Queue, ...]:
    """Return the durable queues of the bot.

    Args:
        concurrency: number of works of one queue that one process runs at the same time.
        recognitions: number of recordings that one process sends to nn_service at the same time.
    """
    return (
        Queue(VOICES, concurrency),
        # A recording that a process handles is recognised before recordings that still wait in a queue. So if a process
        # handled more recordings of this queue, newcomers would wait for them.
        Queue(LATER, recognitions),
        Queue(ARRIVALS, concurrency),
        Queue(UPDATES, concurrency),
        Queue(ARCHIVE, max(2, concurrency // 4), one_per_person=False, poll_s=0.5),
        Queue(REPAIRS, 1, one_per_person=False, poll_s=2.0),
        Queue(MODELS, 1, one_per_person=False, poll_s=2.0),
    )


def voice_job(message: Message, *, bot_id: int, is_asked: bool = False, attempt: int = 1) -> VoiceJob | None:
    """Return the job that answers the recording in a message; None if the message contains no recording."""
    recording = recording_in(message)
    if recording is None:
        return None
    sender = person_in(message)
    return VoiceJob(
        bot_id=bot_id,
        chat_id=message.chat.id,
        message_id=message.message_id,
        attempt=attempt,
        person=None if sender is None else sender.id,
        person_name=name_in(message),
        is_private=message.chat.type == "private",
        is_asked=is_asked,
        date_s=int(message.date.timestamp()),
        recording=recording,
    )
