"""Define the table of the links with which people sign in to the web pages."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from glas.db.base import SHA256, Base
from glas.db.types import UtcDateTime


class WebLoginRow(Base):
    """A link that lets a person sign in once.

    The row contains only the hash of the link's token, so that nobody who reads the table can use the link.
    """

    __tablename__ = "web_logins"

    token_sha256: Mapped[str] = mapped_column(SHA256, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    expiry_datetime: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_datetime: Mapped[datetime | None] = mapped_column(UtcDateTime)
