"""Check requests to web pages: the person must have the right for the page, and only pages of Glas may change data."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request

from glas.domain.errors import AuthenticationError, ForbiddenError, OverloadedError, UploadTooLargeError
from glas.web.access.rights import Right
from glas.web.access.visitors import Visitor, Visitors

FORM_FIELD: Final = "form_token"
HEADER: Final = "x-form-token"
_READING: Final = frozenset({"GET", "HEAD"})
_MOST_BYTES: Final = 256 * 1024


class ForeignPageError(ForbiddenError):
    """The request was not sent by a page of Glas, or was sent by a page of Glas that was made for another session."""

    code = "foreign_page"


class TooManyRequestsError(OverloadedError):
    """A person has sent more requests within a minute than are permitted."""

    code = "too_many_requests"
    status = 429


def visitors_of(request: Request) -> Visitors:
    """Return the object that finds the visitor of a request."""
    found: Visitors = request.app.state.visitors
    return found


async def visitor_of(request: Request) -> Visitor:
    """Return the visitor of a request, with their session and rights."""
    return await visitors_of(request).find(request)


Visit = Annotated[Visitor, Depends(visitor_of)]
"""Annotation for a parameter of a route; FastAPI passes the visitor who sent the request as this parameter."""


def needs(right: Right | None) -> Callable[[Request], Awaitable[None]]:
    """Make a FastAPI dependency that refuses requests of people without `right`; None permits everybody.

    The dependency raises AuthenticationError if the person is not signed in, and ForbiddenError if the person does not
    have the right. It raises ForeignPageError if a request that changes data does not come from a page of Glas.
    """

    async def check(request: Request) -> None:
        if request.method not in _READING:
            _check_origin(request)
        if right is None:
            return
        visitor = await visitor_of(request)
        if visitor.session is None:
            raise AuthenticationError("expected somebody who is signed in")
        _count(request, visitor)
        if right not in visitor.rights:
            raise ForbiddenError(f"expected the right {right.value}")
        if request.method not in _READING:
            await _check_form_token(request, visitor)

    return check


def _count(request: Request, visitor: Visitor) -> None:
    requests, person = visitors_of(request).requests, str(visitor.person)
    if wait_s := requests.wait_s(person):
        raise TooManyRequestsError(f"expected at most {requests.most} requests a minute", retry_after_s=wait_s)
    requests.count(person)


def check_size(request: Request) -> None:
    """Refuse a request, before its body is read, if no form on the web pages can send so large a body.

    Raises:
        UploadTooLargeError: the body is too large, or its length is not stated in the header `Content-Length`.
    """
    announced = request.headers.get("content-length", "0")
    is_endless = "transfer-encoding" in request.headers
    if is_endless or not announced.isdecimal() or int(announced) > _MOST_BYTES:
        raise UploadTooLargeError(
            f"expected a body of at most {_MOST_BYTES} bytes, with its length in the header Content-Length"
        )


def _check_origin(request: Request) -> None:
    """Refuse a request that a page of another site has sent; the browser names the site of the page in headers."""
    told = request.headers.get("sec-fetch-site")
    if told is not None and told != "same-origin":
        raise ForeignPageError("expected a request of this server's own page, got one of a foreign page")
    origin = request.headers.get("origin")
    if origin is None and told is None:
        raise ForeignPageError("expected a browser, which sends the header Sec-Fetch-Site or Origin")
    if origin is not None:
        ours = {request.headers.get("host", ""), visitors_of(request).public_host}
        if urlsplit(origin).netloc not in ours - {""}:
            raise ForeignPageError("expected a request of this server's own page, got one of a foreign page")


async def _check_form_token(request: Request, visitor: Visitor) -> None:
    given = request.headers.get(HEADER)
    if given is None and request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        given = str((await request.form()).get(FORM_FIELD, ""))
    if visitor.session is None or not visitors_of(request).sessions.is_form_token(visitor.session, given or ""):
        raise ForeignPageError("expected the token of a page that was made for this session")
