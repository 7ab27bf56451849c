"""The clients with which the bot calls the other parts."""

from dataclasses import dataclass

from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.clients.nn_service import NnServiceClient


@dataclass(frozen=True)
class Services:
    """One client for each other part that the bot calls."""

    nn_service: NnServiceClient
    db_assist: DbAssistClient
    data_loader: DataLoaderClient
