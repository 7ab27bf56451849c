"""Define the people who use Glas, with their roles and consents."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

SHARED_ACCOUNTS: Final = frozenset({777_000, 136_817_688, 1_087_968_824})
"""Ids of Telegram's accounts in whose name many people write.

They stand for the posts of a linked channel, for channels, and for anonymous administrators.
"""

CONSENT_VERSION: Final = "2026-11-26"
"""Version of the text to which a person agrees (`consent-ask` of the catalogue); a new wording needs a new version."""


class Role(IntEnum):
    """The role of a person, which decides the person's rights; the database stores the number of the role.

    The original system used the same numbers.
    """

    USER = 0
    BETA_TESTER = 1
    UNLIMITED = 2
    ADMIN = 3


class Locale(StrEnum):
    """Languages of the bot."""

    RU = "ru"
    EN = "en"


class Purpose(StrEnum):
    """The purpose of a consent; for each purpose, a person gives or refuses a separate consent."""

    SERVICE = "service"
    TRAINING = "training"


class User(BaseModel):
    """A registered person.

    A person's cash is a whole number of hundredths of a coin, because a database may store decimals as floats.
    """

    model_config = ConfigDict(frozen=True)

    id: int
    tg_id: int = Field(description="Telegram's id of the person, up to 52 bits.")
    registration_datetime: datetime
    cash_hundredths: int = Field(
        description="The person's number of coins, in hundredths of a coin. It is the sum of the person's ledger "
        "entries."
    )
    role: Role
    is_reviewer: bool = False
    is_banned: bool = False
    ban_reason: str | None = Field(
        default=None,
        description="Reason of the ban, as an administrator wrote it. The person can read it. null if there is no "
        "ban or no reason.",
    )
    ban_until: datetime | None = Field(
        default=None,
        description="Time at which the ban ends automatically. null means that the ban lasts until an "
        "administrator ends it.",
    )
    locale: Locale = Locale.RU
    news_refusal_datetime: datetime | None = Field(
        default=None,
        description="Time at which the person refused news about models. null means that the person gets news.",
    )
    consents: frozenset[Purpose] = frozenset()

    @property
    def wants_news(self) -> bool:
        """Whether the bot sends the person news about models that learnt from this person's recordings."""
        return self.news_refusal_datetime is None
