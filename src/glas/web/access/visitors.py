"""Find the visitor of a page: the session in the cookie of the request, the person, and the person's language."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request, Response

from glas.domain.people import User
from glas.localisation import Catalogue, catalogue
from glas.localisation.catalogue import LANGUAGES
from glas.web.access.minute_limit import MinuteLimit
from glas.web.access.rights import People, Right, rights_of, written
from glas.web.access.sessions import Session, Sessions

_COOKIE: Final = "glas-session"
_MOST_REQUESTS: Final = 600
"""Largest permitted number of requests of one person within a minute.

Normal use stays below this number. Reviewers cause the most requests: three for each recording.
"""


@dataclass(slots=True)
class Visitor:
    """A visitor of a web page; `session` and `user` are None if the visitor is not signed in.

    Attributes:
        session: the session in the request's cookie.
        user: the present data of db_assist about the person.
        rights: the person's present rights.
        say: the catalogue in the visitor's language.
        cookie: a list that states how the cookie in the browser must change. Only the last entry is used. If this entry
            is a session, the cookie with this session replaces the cookie in the browser. If the entry is None, the
            cookie is deleted. If the list is empty, the cookie is not changed.
    """

    session: Session | None
    user: User | None
    rights: frozenset[Right]
    say: Catalogue
    cookie: "list[Session | None]" = field(default_factory=list)

    @property
    def person(self) -> int:
        """The Telegram id of the person.

        This property can be read only on pages that require a right, because the visitors of these pages are signed in.
        """
        if self.user is None:
            raise LookupError("expected somebody who is signed in")
        return self.user.tg_id


class Visitors:
    """Finds the visitor of a request, and writes the session cookie into the answer."""

    def __init__(self, sessions: Sessions, people: People | None, admins: frozenset[int], *, url: str) -> None:
        """Make the object; no request is sent to db_assist.

        Args:
            sessions: reads and writes sessions.
            people: reads people from db_assist; None if nobody can sign in.
            admins: Telegram ids of the administrators in the settings.
            url: public address of the web pages; empty if it is not known. If the address begins with https, browsers
                never send the cookie over http.
        """
        self.sessions = sessions
        self.people = people
        self.requests = MinuteLimit(_MOST_REQUESTS)
        """Counts the requests of each person within a minute."""
        self._admins = admins
        self.public_host = urlsplit(url).netloc
        """Host and port of the public address of the web pages; empty if the address is not known."""
        self._is_secure = url.startswith("https:")
        # Browsers accept a cookie with the prefix `__Host-` only over https, for this host only, and for all its paths.
        self._cookie = f"__Host-{_COOKIE}" if self._is_secure else _COOKIE

    async def find(self, request: Request) -> Visitor:
        """Return the visitor of a request; repeated calls for one request return the same object.

        The session is ended if the person's rights have changed, if the person was banned, or if the person's data was
        deleted.

        Raises:
            ServiceError: db_assist does not answer.
        """
        found: Visitor | None = getattr(request.state, "visitor", None)
        if found is None:
            found = request.state.visitor = await self._look_up(request)
        return found

    def begin(self, visitor: Visitor, user: User) -> bool:
        """Begin a session for a person, and return True; if the person is banned, do nothing and return False."""
        rights = rights_of(user, self._admins)
        if Right.SIGNED_IN not in rights:
            return False
        if self.people is not None:
            self.people.expire(user.tg_id)
        if visitor.session is not None:
            self.sessions.end(visitor.session)
        visitor.cookie.append(self.sessions.begin(user.tg_id, written(rights)))
        return True

    def end(self, visitor: Visitor) -> None:
        """Sign the visitor out: end the session, and delete the cookie."""
        if visitor.session is not None:
            self.sessions.end(visitor.session)
        visitor.cookie.append(None)

    def mark(self, response: Response, visitor: Visitor | None) -> None:
        """Write the visitor's cookie into an answer, if the cookie in the browser must change."""
        if visitor is None or not visitor.cookie:
            return
        session = visitor.cookie[-1]
        response.set_cookie(
            self._cookie,
            "" if session is None else self.sessions.write(session),
            max_age=0 if session is None else self.sessions.life_s,
            path="/",
            secure=self._is_secure,
            httponly=True,
            samesite="lax",
        )

    async def _look_up(self, request: Request) -> Visitor:
        session = self.sessions.read(request.cookies.get(self._cookie, ""))
        stranger = Visitor(None, None, frozenset(), catalogue(preferred(request.headers.get("accept-language", ""))))
        if session is None or self.people is None:
            return stranger
        user = await self.people.find(session.tg_id)
        rights = frozenset[Right]() if user is None else rights_of(user, self._admins)
        if user is None or not rights or written(rights) != session.rights:
            self.sessions.end(session)
            stranger.cookie.append(None)
            return stranger
        visitor = Visitor(session, user, rights, catalogue(user.locale))
        if (renewed := self.sessions.renewed(session)) is not None:
            visitor.cookie.append(renewed)
        return visitor


def preferred(accepted: str) -> str:
    """Return the first language in the header `Accept-Language` that has a catalogue; Russian if there is none."""
    tags = (part.partition(";")[0].strip().lower()[:2] for part in accepted.split(","))
    return next((tag for tag in tags if tag in LANGUAGES), LANGUAGES[0])
