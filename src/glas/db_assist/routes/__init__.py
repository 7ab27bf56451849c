"""Routes of db_assist. Each route calls a function of `glas.db_assist` in one transaction, and returns the result.

The transaction is opened inside the route and not by a dependency. FastAPI closes a dependency only after it has sent
the answer. If a dependency opened the transaction, a caller could receive an answer about a payment, and the commit of
this payment could fail afterwards.
"""

from typing import Annotated

from fastapi import Path, Query, Request

from glas.clients.bodies import ChatId, RowId, TgId
from glas.db.session import Database
from glas.db_assist.agreement import Agreement
from glas.db_assist.dashboard import KeptFigures
from glas.db_assist.review_choice import ReviewChoices
from glas.settings import DbAssistSettings

PersonPath = Annotated[TgId, Path()]
RowPath = Annotated[RowId, Path()]
ChatPath = Annotated[ChatId, Path()]
Administrator = Annotated[
    TgId | None,
    Query(
        description="Telegram's id of the administrator who requests the action. If it is given, the action is "
        "recorded in the audit."
    ),
]


def database(request: Request) -> Database:
    """Return the open database of the app."""
    found: Database = request.app.state.database
    return found


def rules(request: Request) -> DbAssistSettings:
    """Return the settings for payments and corrections."""
    found: DbAssistSettings = request.app.state.rules
    return found


def agreement(request: Request) -> Agreement:
    """Return the object that computes the vocabularies of chats and of the installation."""
    found: Agreement = request.app.state.agreement
    return found


def review_choices(request: Request) -> ReviewChoices:
    """Return the object that chooses messages for review."""
    found: ReviewChoices = request.app.state.review_choices
    return found


def kept_figures(request: Request) -> KeptFigures:
    """Return the object that computes the figures of the dashboard."""
    found: KeptFigures = request.app.state.dashboard
    return found
