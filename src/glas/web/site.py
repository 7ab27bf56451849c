"""The objects that all pages need: clients, sessions, the frame that they share."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request

from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.clients.nn_service import NnServiceClient
from glas.settings import WebSettings
from glas.web.access.rights import People
from glas.web.access.sessions import Sessions
from glas.web.access.tries import Tries
from glas.web.access.visitors import Visitors
from glas.web.frame import Frame, Page


@dataclass(frozen=True)
class Services:
    """Clients of the parts behind the pages; without `nn_service` its figures are not shown."""

    db_assist: DbAssistClient
    data_loader: DataLoaderClient
    nn_service: NnServiceClient | None = None


@dataclass(frozen=True)
class Site:
    """The objects that routes of pages get by `site_of(request)`.

    Attributes:
        given: clients of other parts; None where nobody can sign in.
        visitors: who asks.
        tries: counts links that do not work.
        frame: makes pages.
        admins: Telegram's ids of the administrators in the settings.
    """

    given: Services | None
    visitors: Visitors
    tries: Tries
    frame: Frame
    admins: frozenset[int] = frozenset()

    @property
    def services(self) -> Services:
        """The clients; only for pages that require a right, so that people can sign in."""
        if self.given is None:
            raise LookupError("expected services behind the pages")
        return self.given


def make_site(
    services: Services | None, options: WebSettings, key: bytes, admins: frozenset[int], pages: Sequence[Page]
) -> Site:
    """Make it.

    Args:
        services: None where nobody can sign in.
        options: of the pages.
        key: signs sessions.
        admins: Telegram's ids of the administrators.
        pages: all that there are, in the order of the navigation.
    """
    sessions = Sessions(key, life_s=options.session_hours * 3600)
    people = None if services is None else People(services.db_assist)
    visitors = Visitors(sessions, people, admins, url=options.url or "")
    return Site(services, visitors, Tries(), Frame(pages), admins)


def site_of(request: Request) -> Site:
    """Return the site of the app that answers a request."""
    found: Site = request.app.state.site
    return found
