"""Decide whether a recording is answered, and send the first message: the placeholder, or the reason of a refusal.

Files and videos in groups often contain no speech. So for these, no placeholder is sent, and the first
message is the recognised text, if there is one.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from glas.domain.messages import MediaKind
from glas.durable import Durable
from glas.tg_bot.metrics import NOT_ANSWERED, REFUSED
from glas.tg_bot.talk.keyboards import Keyboards
from glas.tg_bot.talk.phrases import Phrases
from glas.tg_bot.talk.signing import ADMINISTRATORS
from glas.tg_bot.voices.admission import Admission, AdmissionControl
from glas.tg_bot.voices.delivery import Answer, Delivery
from glas.tg_bot.voices.jobs import LATER, VOICES, VoiceJob
from glas.tg_bot.voices.steps import Steps

_SPOKEN = (MediaKind.VOICE, MediaKind.VIDEO_NOTE)


class Opened(BaseModel):
    """The decision about a recording, and the id of the first message about it.

    `message_id` is None if no message was sent. Then the recording is not answered, or it is answered only when there
    is a text.
    """

    model_config = ConfigDict(frozen=True)

    admission: Admission
    message_id: int | None
    chat_id: int | None = None  # differs from the job's if the group became a supergroup

    @property
    def refused(self) -> str | None:
        """The outcome for `Metrics.answered` if the recording must not be recognised; None if it must be recognised."""
        if not self.admission.is_answered:
            return NOT_ANSWERED
        return None if self.admission.refusal is None else REFUSED


@dataclass(frozen=True)
class Placeholders:
    """Sends the first messages about recordings; the caller opens and closes the objects in the fields."""

    steps: Steps
    durable: Durable
    admission_control: AdmissionControl
    delivery: Delivery
    phrases: Phrases
    keyboards: Keyboards

    async def open(self, job: VoiceJob, *, is_waiting: bool = False) -> Opened:
        """Decide whether a recording is answered, and send the first message, as one recorded step of the workflow.

        No message is sent if the recording is not answered, or if it is a file or video in a group and nobody has
        requested its text. But the reason of a refusal is sent for such a file or video, too.

        Args:
            job: the recording.
            is_waiting: whether the recording has to wait; if so, the message contains this information.

        Raises:
            PersonGoneError: the person blocked the bot, or the bot was removed from the chat.
            GlasError: the decision could not be made, or the message could not be sent.
        """

        async def work() -> dict[str, Any]:
            return (await self._open(job, is_waiting=is_waiting)).model_dump(mode="json")

        return Opened.model_validate(await self.steps.run("placeholder", work))

    async def sent(self, answer: Answer) -> Answer:
        """Send the placeholder if it has not been sent yet; return `answer` with the ids of the placeholder."""
        if answer.message_id is not None:
            return answer

        async def place() -> list[int]:
            return list(await self._send(answer.job, answer.admission))

        chat_id, message_id = await self.steps.run("place", place)
        return answer.model_copy(update={"chat_id": chat_id, "message_id": message_id})

    async def _open(self, job: VoiceJob, *, is_waiting: bool) -> Opened:
        admission = await self.admission_control.admit(job)
        is_later = job.is_unasked_in_group and job.recording.kind not in _SPOKEN and admission.refusal is None
        if not admission.is_answered or is_later:
            return Opened(admission=admission, message_id=None)
        n_waiting = await self.durable.backlog.count_waiting(VOICES, LATER) + 1 if is_waiting else 0
        chat_id, message_id = await self._send(job, admission, n_waiting)
        return Opened(admission=admission, message_id=message_id, chat_id=chat_id)

    async def _send(self, job: VoiceJob, admission: Admission, n_waiting: int = 0) -> tuple[int, int]:
        """Send the placeholder, or the reason of a refusal; return the id of the chat and the id of the message.

        `n_waiting` is the number of recordings that wait, this recording included; 0 if this recording does not wait.
        """
        say = self.phrases[admission.locale]
        if admission.refusal is not None:
            text = say(admission.refusal, **admission.values)
        elif job.is_acknowledged and job.answer_message_id is not None:
            return job.chat_id, job.answer_message_id
        else:
            text = say("acknowledged", waiting=n_waiting) if n_waiting else say("placeholder")
        keyboard = None
        if admission.may_ask_again:
            keyboard = self.keyboards.retry(
                job.attempt + 1, asker=asker(job), born_s=job.date_s, say=say, is_first=True
            )
        answer = Answer(job=job, admission=admission, message_id=job.answer_message_id, chat_id=job.chat_id)
        sent = await self.delivery.say_in_place(answer, text, keyboard)
        if sent is None:
            assert job.answer_message_id is not None, "expected a message to be edited or sent"  # noqa: S101
            return job.chat_id, job.answer_message_id
        return sent.chat.id, sent.message_id


def asker(job: VoiceJob) -> int:
    """Return the id of the person who may press the buttons under the answer."""
    return ADMINISTRATORS if job.person is None else job.person
