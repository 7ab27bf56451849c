"""The common base of all web pages: templates, navigation, error pages, headers, and the declaration of a page."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.exceptions import HTTPException

from glas.domain.error_bodies import to_body
from glas.domain.errors import AuthenticationError, GlasError, InvalidParameterError, NotFoundError, ServiceFaultError
from glas.localisation import Catalogue, catalogue
from glas.serving.gate import retry_header
from glas.web.access import guard
from glas.web.access.rights import Right
from glas.web.access.visitors import Visitor, preferred
from glas.web.files import PAGE_HEADERS

_TEMPLATES: Final = Path(__file__).parent / "templates" / "pages"


@dataclass(frozen=True)
class Page:
    """A page in the navigation (the list of links to pages).

    Attributes:
        path: address of the page.
        title: name of the catalogue's message with the title of the page.
        about: name of the catalogue's message that describes the purpose of the page in one sentence.
        right: the right that is necessary to open the page.
        router: the routes of the page, made by `page_router`.
    """

    path: str
    title: str
    about: str
    right: Right
    router: APIRouter = field(repr=False)


def page_router(right: Right | None) -> APIRouter:
    """Make a router whose routes all require the same right; None permits everybody."""
    return APIRouter(route_class=PageRoute, dependencies=[Depends(guard.needs(right))], include_in_schema=False)


class PageRoute(APIRoute):
    """A route of the web pages: turns errors into pages for people, and adds headers and the cookie to each answer."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return a handler that calls the handler of the route, converts errors, and adds headers and the cookie."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                guard.check_size(request)
                response = await inner(request)
            except (GlasError, HTTPException, RequestValidationError) as error:
                if "text/html" in request.headers.get("accept", ""):
                    response = frame_of(request).failure(request, error, _catalogue_of(request))
                elif isinstance(error, GlasError):
                    # The script that sent the request shows this sentence to the person.
                    said = _catalogue_of(request).error(error.code)
                    response = JSONResponse({**to_body(error), "said": said}, error.status)
                else:
                    raise
                if isinstance(error, GlasError):
                    response.headers.update(retry_header(error))
            response.headers.update({**PAGE_HEADERS, **response.headers})
            guard.visitors_of(request).mark(response, getattr(request.state, "visitor", None))
            return response

        return handle


class Frame:
    """Makes web pages from templates."""

    def __init__(self, pages: Sequence[Page]) -> None:
        """Make the object; `pages` are the pages of the navigation, in their order."""
        self._pages = pages
        self.static = ""
        """Address, with the version, under which the files of the web pages are served; set when the app starts."""
        self._templates = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def page(
        self, request: Request, visitor: Visitor, template: str, *, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """Return a page that is made from a template.

        Args:
            request: the HTTP request for the page.
            visitor: the visitor who requests the page.
            template: file name of the template.
            status: HTTP status of the answer.
            values: variables for the template, in addition to `say`, `visitor`, `form_token`, `pages`, `path` and
                `static`.
        """
        session = visitor.session
        token = "" if session is None else guard.visitors_of(request).sessions.form_token(session)
        body = self._templates.get_template(template).render(
            say=visitor.say,
            visitor=visitor,
            form_token=token,
            form_token_field=Markup('<input type="hidden" name="{}" value="{}">').format(guard.FORM_FIELD, token),
            pages=[page for page in self._pages if page.right in visitor.rights],
            path=request.url.path,
            static=self.static,
            **values,
        )
        return HTMLResponse(body, status)

    def failure(
        self, request: Request, error: GlasError | HTTPException | RequestValidationError, say: Catalogue
    ) -> Response:
        """Return a page that explains an error.

        If the error means that the person is not signed in, redirect to the page for signing in.
        """
        if isinstance(error, AuthenticationError):
            return RedirectResponse("/sign-in", 303)
        match error:
            case RequestValidationError():
                error = InvalidParameterError("the request is not understood")
            case HTTPException(status_code=404):
                error = NotFoundError("nothing is here")
            case HTTPException():
                error = ServiceFaultError("the request cannot be answered")
        visitor: Visitor | None = getattr(request.state, "visitor", None)
        visitor = visitor or Visitor(None, None, frozenset(), say)
        return self.page(request, visitor, "failure.html", status=error.status, reason=say.error(error.code))


def frame_of(request: Request) -> Frame:
    """Return the frame of the app to which a request was sent."""
    found: Frame = request.app.state.frame
    return found


def _catalogue_of(request: Request) -> Catalogue:
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    return catalogue(preferred(request.headers.get("accept-language", ""))) if visitor is None else visitor.say
