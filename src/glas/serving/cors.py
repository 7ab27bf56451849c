"""Cross-origin requests (CORS): permit pages of other origins to call a service from a browser."""

from collections.abc import Sequence

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from glas.domain.model_ref import MODEL_HEADER
from glas.logs import REQUEST_ID_HEADER

IGNORED_HEADER = "X-Ignored-Fields"
"""Name of the header that lists fields of a form that the model does not use and that had no effect."""


def allow_origins(app: FastAPI, origins: Sequence[str]) -> None:
    """Permit pages of these origins to call `app`; call this after adding every middleware that may refuse a request.

    Keys are sent in a header that the page sets itself, not in cookies, so the browser's credentials are not permitted.
    """
    if not origins:
        return
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        # OpenAI's client sends a dozen of its own (`x-stainless-…`). Whom we answer depends on the origin and the key.
        allow_headers=["*"],
        expose_headers=[REQUEST_ID_HEADER, "Retry-After", MODEL_HEADER, IGNORED_HEADER],
    )
