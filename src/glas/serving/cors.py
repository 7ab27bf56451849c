"""Cross-origin requests: which foreign pages a browser lets call us."""

from collections.abc import Sequence

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from glas.domain.model_ref import MODEL_HEADER
from glas.logs import REQUEST_ID_HEADER

IGNORED_HEADER = "X-Ignored-Fields"
"""Names the fields of a form that changed nothing, because the model has no use for them."""


def allow_origins(app: FastAPI, origins: Sequence[str]) -> None:
    """Let pages of these origins call `app`; to be added after everything that may refuse a request.

    Keys travel in a header that a page must set itself, never in cookies, so no credentials are allowed for.
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
