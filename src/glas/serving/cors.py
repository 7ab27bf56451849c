"""Cross-origin requests (CORS): permit pages of other origins to call a service from a browser."""

from collections.abc import Sequence

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from glas.domain.model_ref import MODEL_HEADER
from glas.logs import REQUEST_ID_HEADER

IGNORED_HEADER = "X-Ignored-Fields"
"""Name of the header that lists the fields of a request that had no effect, because the model does not use them."""


def allow_origins(app: FastAPI, origins: Sequence[str]) -> None:
    """Permit pages of these origins to call `app`.

    Call this function after adding every middleware that may refuse a request, so that pages can read the refusals,
    too.

    A page sends its key in a header that it sets itself, not in a cookie. So browsers are not permitted to send
    cookies.
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
