"""A bounded admission queue: so many requests at once, so many more wait, the rest are refused."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class AdmissionFullError(Exception):
    """As many wait as may wait."""


class AdmissionQueue:
    """A bounded queue before something that takes long.

    Args:
        at_once: how many may be inside.
        waiting: how many may wait for that.
    """

    def __init__(self, at_once: int, waiting: int) -> None:
        self._places = threading.Semaphore(at_once)
        self._capacity = at_once + waiting
        self._present = 0
        self._lock = threading.Lock()

    @property
    def present(self) -> int:
        """How many are inside or wait."""
        return self._present

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Be inside for the length of the block.

        Raises:
            AdmissionFullError: too many wait already.
        """
        with self._lock:
            if self._present >= self._capacity:
                raise AdmissionFullError
            self._present += 1
        try:
            with self._places:
                yield
        finally:
            with self._lock:
                self._present -= 1
