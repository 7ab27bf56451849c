"""Callers of the HTTP API who send requests while a model is replaced, and record which model answers."""

import threading
import time
from collections import Counter
from pathlib import Path
from typing import Self

import httpx

from glas.engines.catalogue import named_champion

_LOOK_S = 0.05
_PAUSE_S, _MET_WITHIN_S = 60.0, 60.0


class Callers:
    """A context manager; the callers send requests at intervals, and without pauses while a choice is being followed.

    Attributes:
        n_asked: requests.
        failures: what came in place of a text.
        models: how often each model and version answered.
        followed_s: seconds from a choice to the first moment when the server says that it serves, of each choice.
    """

    def __init__(self, url: str, sound: bytes, models_dir: Path, *, count: int = 2) -> None:
        self.n_asked = 0
        self.failures: list[str] = []
        self.models: Counter[str] = Counter()
        self.followed_s: list[float] = []
        self._url, self._sound, self._models_dir = url, sound, models_dir
        self._ended, self._is_busy = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._ask) for _ in range(count)]
        self._threads.append(threading.Thread(target=self._watch))

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._is_busy.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, model: str) -> None:
        """Wait until a model has answered a caller; give up after a minute, or when the callers end."""
        until_s = time.monotonic() + _MET_WITHIN_S
        while time.monotonic() < until_s and not self._ended.wait(_LOOK_S):
            with self._lock:
                if any(one.startswith(f"{model}@") for one in self.models):
                    return

    def _ask(self) -> None:
        with httpx.Client(base_url=self._url, timeout=120) as http:
            while not self._ended.is_set():
                self._one(http)
                self._is_busy.wait(_PAUSE_S)

    def _one(self, http: httpx.Client) -> None:
        try:
            answer = http.post("/v1/audio/transcriptions", files={"file": ("voice.ogg", self._sound)})
            failure = None if answer.is_success and answer.json()["text"] else f"{answer.status_code}: {answer.text}"
            model = answer.headers.get("X-Glas-Model", "")
        except (httpx.HTTPError, ValueError, KeyError) as error:
            failure, model = f"{type(error).__name__}: {error}", ""
        with self._lock:
            self.n_asked += 1
            if failure is None:
                self.models[model] += 1
            else:
                self.failures.append(failure)

    def _watch(self) -> None:
        """Measure how long it takes to follow each choice."""
        seen = named_champion(self._models_dir)
        with httpx.Client(base_url=self._url, timeout=120) as http:
            while not self._ended.wait(_LOOK_S):
                chosen = named_champion(self._models_dir)
                if chosen in (seen, None):
                    continue
                self._is_busy.set()
                began_s = (self._models_dir / "champion").stat().st_mtime
                while http.get("/health").json()["model"] != chosen and not self._ended.wait(_LOOK_S):
                    pass
                if not self._ended.is_set():
                    self.followed_s.append(round(time.time() - began_s, 2))
                    self.wait_for(chosen)
                    self._is_busy.clear()
                seen = chosen
