"""Load the champion and the candidate that another process has chosen, such as `glas promote` or another server.

A separate thread loads these models, and also own models. This thread does nothing else. So models are loaded without
delay, even if the event loop is busy or all threads of the thread pool are in use.
"""

import threading

from glas.nn_service.administration import Administration
from glas.nn_service.canary import Canary
from glas.nn_service.own_models import OwnModels
from glas.nn_service.stored_models import StoredModels

LOOK_EVERY_S = 1.0
_END_WITHIN_S = 5.0


class ChoiceFollower:
    """A thread that loads the champion, the candidate and the own models that are needed now.

    Every `LOOK_EVERY_S` seconds, the thread reads which champion and which candidate are chosen, and which own model
    was requested. If this server does not share a directory of models with other servers, the thread first downloads
    the champion and the candidates from data_loader.

    Call `close` when the service stops.
    """

    def __init__(
        self, administration: Administration, canary: Canary, own_models: OwnModels, stored_models: StoredModels
    ) -> None:
        self._administration, self._canary, self._own_models = administration, canary, own_models
        self._stored_models = stored_models
        self._ended = threading.Event()
        # A daemon: a model that is being loaded must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="choice", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread; if the thread is loading a model, wait at most a few seconds for the end of the thread."""
        self._ended.set()
        self._thread.join(_END_WITHIN_S)

    def _run(self) -> None:
        while not self._ended.wait(LOOK_EVERY_S):
            self._stored_models.follow()
            self._administration.follow()
            self._canary.follow()
            self._own_models.follow()
        self._stored_models.close()
