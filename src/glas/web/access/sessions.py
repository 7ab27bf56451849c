"""Sessions of people who are signed in. A signed cookie contains the session; the process stores only ended sessions.

A cookie contains the Telegram id of the person, the person's rights at the sign-in, and a random name of the session.
It also contains the time when the session began, and the time when the session was last renewed. The signature is
HMAC-SHA256. The cookie is not encrypted, because the person who has the cookie may know its content.
"""

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

_MOST_S: Final = 7 * 24 * 3600
"""Seconds after the sign-in at which a session ends, even if the session was renewed."""

_RENEWED_AFTER_S: Final = 300
_MOST_ENDED: Final = 100_000
_FIELDS: Final = 5


@dataclass(frozen=True, slots=True)
class Session:
    """The session of a person who is signed in.

    Attributes:
        tg_id: the Telegram id of the person.
        rights: the person's rights when they signed in, in the format of `glas.web.access.rights.written`.
        name: random name of this session.
        began_s: Unix time of the sign-in.
        renewed_s: Unix time of the last renewal.
    """

    tg_id: int
    rights: str
    name: str
    began_s: int
    renewed_s: int


class Sessions:
    """Begins, writes, reads and ends sessions."""

    def __init__(self, key: bytes, *, life_s: float, now: Callable[[], float] = time.time) -> None:
        """Set the key and the duration of sessions.

        Args:
            key: key with which cookies are signed; cookies with other signatures are refused.
            life_s: seconds without a request after which a session ends.
            now: function that returns the present Unix time in seconds.
        """
        self._key = key
        self._life_s = life_s
        self._now = now
        self._ended: dict[str, float] = {}

    @property
    def life_s(self) -> int:
        """Seconds for which a browser keeps the cookie after each renewal."""
        return int(self._life_s)

    def begin(self, tg_id: int, rights: str) -> Session:
        """Begin a session, and return it; `rights` is in the format of `glas.web.access.rights.written`."""
        now = int(self._now())
        return Session(tg_id, rights, secrets.token_urlsafe(18), now, now)

    def renewed(self, session: Session) -> Session | None:
        """Return a copy of a session with the present time as the last renewal, so that the copy ends later.

        Return None if the last renewal of the session is less than `_RENEWED_AFTER_S` seconds ago.
        """
        now = int(self._now())
        return replace(session, renewed_s=now) if now - session.renewed_s >= _RENEWED_AFTER_S else None

    def end(self, session: Session) -> None:
        """End a session; this process then refuses the session's cookie and every copy of the cookie."""
        if len(self._ended) >= _MOST_ENDED:
            self._ended = {name: until for name, until in self._ended.items() if until > self._now()}
        self._ended[session.name] = self._now() + self._life_s

    def write(self, session: Session) -> str:
        """Return the content of a cookie for a session, with the signature."""
        fields = (session.tg_id, session.rights, session.name, session.began_s, session.renewed_s)
        body = ".".join(str(field) for field in fields)
        return f"{body}.{self._signature('session', body)}"

    def read(self, cookie: str) -> Session | None:
        """Return the session in a cookie; None if the signature is not valid, or if the session has ended."""
        body, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature("session", body).encode()):
            return None
        fields = body.split(".")
        if len(fields) != _FIELDS:
            return None
        session = Session(int(fields[0]), fields[1], fields[2], int(fields[3]), int(fields[4]))
        now = self._now()
        is_over = now >= session.renewed_s + self._life_s or now >= session.began_s + _MOST_S
        return None if is_over or session.name in self._ended else session

    def form_token(self, session: Session) -> str:
        """Return the token for the forms of a session; a request with this token comes from a page of this session."""
        return self._signature("form", session.name)

    def is_form_token(self, session: Session, given: str) -> bool:
        """Return whether a text is the token that `form_token` returns for the session."""
        return hmac.compare_digest(given.encode(), self.form_token(session).encode())

    def _signature(self, purpose: str, text: str) -> str:
        return hmac.digest(self._key, f"glas web {purpose}\0{text}".encode(), "sha256").hex()
