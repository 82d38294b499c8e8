"""Does something once nothing has happened for a while."""

import threading
from collections.abc import Callable


class AfterQuiet:
    """Gives back what was kept for the next request, when none comes.

    What is kept between the fields of one slide saves half of the time of each; a server that waits for the next
    patient for an hour need not hold it.

    Args:
        seconds: how long it has to be quiet.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def stirred(self, deed: Callable[[], None]) -> None:
        """Note that something happened, and what is to be done when it is followed by quiet."""
        timer = threading.Timer(self._seconds, deed)
        timer.daemon = True
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = timer
        timer.start()

    def close(self) -> None:
        """Do nothing any more."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
