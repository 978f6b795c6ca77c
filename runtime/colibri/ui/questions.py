"""Encodes questions with the model of an index: loaded for the first one, let go when nobody has asked for a while."""

import gc
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from colibri.index import Index
from colibri.machine import give_back
from colibri.vectors import TokenVectors

if TYPE_CHECKING:
    from colibri.model import Colibri

REST_SECONDS = 600.0
"""Without a question, after which the model goes."""


class Questions:
    """Threads may share it."""

    def __init__(
        self,
        index: Index,
        load: "Callable[[str], Colibri]",
        *,
        rest_seconds: float = REST_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """load: what loads the model of that name, as the index has it."""
        self._index = index
        self._load = load
        self._rest = rest_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._model: Colibri | None = None
        self._asked = 0.0
        self._timer: threading.Timer | None = None

    def __call__(self, query: str) -> TokenVectors:
        """A question's rows, as wide as the index's. Raises StoreError for an index of vectors."""
        return self.model().encode_queries([query], self._index.dim)

    def model(self) -> "Colibri":
        """The model, loaded where it is not, and kept for a while from now."""
        with self._lock:
            self._asked = self._clock()
            found = self._model
            if found is None or found.manifest.space_id != self._index.space_id:  # the index was made anew
                found = self._model = self._load(self._index.model_name)
                self._index.judge_by(found.manifest)
            if self._timer is None:
                self._wait(self._rest)
            return found

    def _wait(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self.let_go)
        self._timer.daemon = True
        self._timer.start()

    def let_go(self) -> None:
        """Let go of the model where nobody has asked for so long; else look again later."""
        with self._lock:
            self._timer = None
            left = self._asked + self._rest - self._clock()
            if self._model is None:
                return
            if left > 0:
                self._wait(left)
                return
            self._model = None
        gc.collect()
        give_back()

    def close(self) -> None:
        """No more."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
