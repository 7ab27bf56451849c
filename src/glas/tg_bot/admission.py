"""Who is answered, and what becomes of their recording: decided once for each message, before anything is sent."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from glas.clients.db_assist import DbAssistClient
from glas.domain.errors import NotFoundError
from glas.domain.people import Locale, Role, User
from glas.settings import BotSettings
from glas.tg_bot.jobs import VoiceJob

_MB = 1_000_000


class Admission(BaseModel):
    """The decision.

    Telegram's claims (size, seconds) are believed only against the person; the bytes are measured later.
    """

    model_config = ConfigDict(frozen=True)

    is_answered: bool
    is_kept: bool = Field(default=False, description="There is a registered speaker: row, audio and text are stored.")
    locale: Locale = Locale.RU
    refusal: str | None = Field(default=None, description="The phrase with which it is refused.")
    values: dict[str, int] = {}


_IGNORED = Admission(is_answered=False)


@dataclass(frozen=True)
class Doorkeeper:
    """Decides by the settings and by what is known of people and chats."""

    db_assist: DbAssistClient
    settings: BotSettings
    admins: frozenset[int]
    allowed: frozenset[int]

    async def admit(self, job: VoiceJob) -> Admission:
        """Decide about one recording."""
        user = await self.known(job.person)
        if user is not None and user.is_banned:
            return _IGNORED
        if not self.serves(job.person):
            return _refused("not-allowed", user, id=job.person) if job.is_private else _IGNORED
        if not job.is_private and not job.is_asked:
            chat = await self.db_assist.chat(job.bot_id, job.chat_id)
            if not chat.answers_automatically:
                return _IGNORED
        if job.recording.size_bytes > self.settings.max_file_mb * _MB:
            return _refused("file-too-big", user, limit=self.settings.max_file_mb)
        if user is not None and (minutes := await self._minutes_exceeded(user, job.recording.duration_s)):
            return _refused("daily-limit", user, minutes=minutes)
        return Admission(is_answered=True, is_kept=user is not None, locale=user.locale if user else Locale.RU)

    def serves(self, person: int) -> bool:
        """Whether a person is on the allow-list, or there is none."""
        return not self.allowed or person in self.allowed | self.admins

    async def known(self, person: int) -> User | None:
        """A person who pressed /start; None for anybody else."""
        try:
            return await self.db_assist.user(person)
        except NotFoundError:
            return None

    async def _minutes_exceeded(self, user: User, duration_s: float) -> int:
        """The limit that this recording would exceed, in minutes; 0 where it does not."""
        limits = {
            Role.USER: self.settings.user_minutes_per_day,
            Role.BETA_TESTER: self.settings.beta_tester_minutes_per_day,
        }
        limit = 0 if user.tg_id in self.admins else limits.get(user.role, 0)
        if not limit:
            return 0
        used = await self.db_assist.usage(user.tg_id)
        return limit if used.audio_s + duration_s > limit * 60 else 0


def _refused(phrase: str, user: User | None, **values: Any) -> Admission:
    return Admission(is_answered=True, locale=user.locale if user else Locale.RU, refusal=phrase, values=values)
