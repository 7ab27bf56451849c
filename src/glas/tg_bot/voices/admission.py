"""Decide whether and how a recording is answered. This is decided once for each recording, before a message is sent."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from glas.clients.db_assist import DbAssistClient
from glas.clients.db_assist_bodies import Standing
from glas.domain.errors import InputError, NotFoundError
from glas.domain.people import Locale, Role, User
from glas.settings import BotSettings
from glas.tg_bot.voices.jobs import VoiceJob
from glas.tg_bot.voices.pseudonyms import Pseudonyms

_MB = 1_000_000


class Admission(BaseModel):
    """The decision whether and how one recording is answered.

    The decision uses the size and the duration that Telegram states. These may be wrong, so they are checked again when
    the real size and duration are known.
    """

    model_config = ConfigDict(frozen=True)

    is_answered: bool
    is_kept: bool = Field(
        default=False,
        description="Whether the recording and its text are stored. They are stored only if the speaker is registered.",
    )
    locale: Locale = Locale.RU
    refusal: str | None = Field(
        default=None,
        description="Name of the message with which the recording is refused. null if the recording is not refused.",
    )
    values: dict[str, int] = {}
    may_ask_again: bool = Field(
        default=False,
        description="Whether the message of refusal has a button with which the person can request the text later.",
    )


class DailyLimitError(InputError):
    """The daily limit for the recordings of a party is reached, or would be exceeded by this recording."""

    code = "daily_limit"


_IGNORED = Admission(is_answered=False)


@dataclass(frozen=True)
class AdmissionControl:
    """Decides whether recordings are answered, from the settings and the stored data about people and chats."""

    db_assist: DbAssistClient
    settings: BotSettings
    admins: frozenset[int]
    allowed: frozenset[int]
    pseudonyms: Pseudonyms

    async def admit(self, job: VoiceJob) -> Admission:
        """Decide whether and how one recording is answered."""
        standing = await self.db_assist.standing(self.pseudonyms.party(job.party), job.person)
        user = standing.user
        if user is not None and user.is_banned:
            return _IGNORED
        if not self.serves(job.person):
            return _refused("not-allowed", user, id=job.person) if job.is_private else _IGNORED
        if job.is_unasked_in_group:
            chat = await self.db_assist.chat(job.bot_id, job.chat_id)
            if not chat.answers_automatically:
                return _IGNORED
        if (refusal := self._refusal(job, standing)) is not None:
            # In a group, refusals would fill the chat, and a large file may contain no speech at all.
            is_quiet = not job.is_private and (refusal.may_ask_again or not job.is_asked)
            return _IGNORED if is_quiet else refusal
        return Admission(is_answered=True, is_kept=user is not None, locale=user.locale if user else Locale.RU)

    def _refusal(self, job: VoiceJob, standing: Standing) -> Admission | None:
        user = standing.user
        if job.recording.size_bytes > self.settings.max_file_mb * _MB:
            return _refused("file-too-big", user, limit=self.settings.max_file_mb)
        if self._is_too_fast(job, user):
            refused = _refused("too-many", user, limit=self.settings.user_messages_per_minute)
            return refused.model_copy(update={"may_ask_again": True})
        if minutes := self._minutes_exceeded(job.party, standing, job.recording.duration_s):
            return _refused("daily-limit", user, minutes=minutes)
        return None

    def _is_too_fast(self, job: VoiceJob, user: User | None) -> bool:
        is_unlimited = job.party in self.admins or (user is not None and user.role in (Role.UNLIMITED, Role.ADMIN))
        limit = self.settings.user_messages_per_minute
        return bool(limit) and job.n_in_minute > limit and not is_unlimited

    async def minutes_exceeded(self, person: int, pseudonym: str, duration_s: float) -> int:
        """Return the daily limit, in minutes, that a person would exceed with a recording; 0 if no limit is exceeded.

        Args:
            person: the person, whose role determines the limit.
            pseudonym: the pseudonym under which earlier recordings of this person were counted.
            duration_s: duration of the recording in seconds.
        """
        standing = await self.db_assist.standing(pseudonym, person)
        return self._minutes_exceeded(person, standing, duration_s)

    def serves(self, person: int | None) -> bool:
        """Return whether a person may use the bot.

        If the settings contain a list of permitted people, the person must be on the list or be an administrator.
        """
        return not self.allowed or person in self.allowed | self.admins

    async def known(self, person: int) -> User | None:
        """Return the stored data about a person; None if the person has never sent /start."""
        try:
            return await self.db_assist.user(person)
        except NotFoundError:
            return None

    def _minutes_exceeded(self, party: int, standing: Standing, duration_s: float) -> int:
        """Return the daily limit, in minutes, that a party would exceed with a recording; 0 if no limit is exceeded.

        The limit depends on the person's role. People who have not sent /start, and chats whose speakers are not known,
        have the limit of the role `USER`.
        """
        limits = {
            Role.USER: self.settings.user_minutes_per_day,
            Role.BETA_TESTER: self.settings.beta_tester_minutes_per_day,
        }
        role = Role.USER if standing.user is None else standing.user.role
        limit = 0 if party in self.admins else limits.get(role, 0)
        return limit if limit and standing.usage.audio_s + duration_s > limit * 60 else 0


def _refused(phrase: str, user: User | None, **values: Any) -> Admission:
    return Admission(is_answered=True, locale=user.locale if user else Locale.RU, refusal=phrase, values=values)
