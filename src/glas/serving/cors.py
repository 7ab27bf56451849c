"""Cross-origin requests (CORS): permit pages of other origins to call a service from a browser."""

from collections.abc import Sequence

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from glas.domain.model_ref import MODEL_HEADER
from glas.logs import REQUEST_ID_HEADER

IGNORED_HEADER = "X-Ignored-Fields"
"""Name of the header in which an answer lists the fields of the request that the model cannot use."""


def allow_origins(app: FastAPI, origins: Sequence[str]) -> None:
    """Permit web pages of the given origins to call `app`.

    Call this function after all middleware that may refuse a request has been added to `app`. Otherwise, pages could
    not read the answers of this middleware.

    A page sends its key in the header `Authorization`, not in a cookie. So cookies are not needed, and browsers are not
    permitted to send them.
    """
    if not origins:
        return
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        # OpenAI's client sends a dozen headers of its own (`x-stainless-…`). All headers are permitted, because only
        # the origin and the key decide whether a request is answered.
        allow_headers=["*"],
        expose_headers=[REQUEST_ID_HEADER, "Retry-After", MODEL_HEADER, IGNORED_HEADER],
    )
