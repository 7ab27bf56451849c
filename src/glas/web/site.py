"""Objects that all web pages need: clients of other parts, the finder of visitors, and the maker of pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import Request

from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.clients.nn_service import NnServiceClient
from glas.settings import WebSettings
from glas.web.access.minute_limit import MinuteLimit
from glas.web.access.rights import People
from glas.web.access.sessions import Sessions
from glas.web.access.visitors import Visitors
from glas.web.frame import Frame, Page

_MOST_FAILURES: Final = 10


@dataclass(frozen=True)
class Services:
    """Clients of the parts that the web pages need. If `nn_service` is None, figures from nn_service are not shown."""

    db_assist: DbAssistClient
    data_loader: DataLoaderClient
    nn_service: NnServiceClient | None = None


@dataclass(frozen=True)
class Site:
    """The objects that routes of pages get from `site_of(request)`.

    Attributes:
        given: clients of the other parts; None if nobody can sign in.
        visitors: finds the visitor of a request.
        failed_links: counts attempts to sign in with an invalid link, by network address; see `MinuteLimit`.
        frame: makes pages from templates.
        admins: Telegram ids of the administrators in the settings.
    """

    given: Services | None
    visitors: Visitors
    failed_links: MinuteLimit
    frame: Frame
    admins: frozenset[int] = frozenset()

    @property
    def services(self) -> Services:
        """The clients of the other parts.

        This property can be read only on pages that require a right: if a visitor is signed in, the clients exist.
        """
        if self.given is None:
            raise LookupError("expected services behind the pages")
        return self.given


def make_site(
    services: Services | None, options: WebSettings, key: bytes, admins: frozenset[int], pages: Sequence[Page]
) -> Site:
    """Make the object that routes of pages get from `site_of(request)`.

    Args:
        services: clients of other parts; None if nobody can sign in.
        options: settings of the web pages.
        key: key with which sessions are signed.
        admins: Telegram ids of the administrators in the settings.
        pages: all pages, in the order of the navigation.
    """
    sessions = Sessions(key, life_s=options.session_hours * 3600)
    people = None if services is None else People(services.db_assist)
    visitors = Visitors(sessions, people, admins, url=options.url or "")
    return Site(services, visitors, MinuteLimit(_MOST_FAILURES), Frame(pages), admins)


def site_of(request: Request) -> Site:
    """Return the site object of the app to which a request was sent."""
    found: Site = request.app.state.site
    return found
