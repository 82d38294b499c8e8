"""Requests are counted whole where several threads ask at once."""

import threading
import time

from limits import RateLimitItemPerMinute
from limits.strategies import FixedWindowRateLimiter

from server.http.request_counts import RequestCounts

_THREADS = 4


class SlowToBegin(RequestCounts):
    """Counts whose timer is begun so slowly that every thread comes upon it."""

    STORAGE_SCHEME = ["slow-to-begin"]  # noqa: RUF012 - as the base class has it

    _begun = 0

    @property
    def timer(self) -> threading.Timer:
        """What removes old counts."""
        return self._timer

    @timer.setter
    def timer(self, timer: threading.Timer) -> None:
        self._timer, self._begun = timer, self._begun + 1
        time.sleep(0.02 * self._begun)  # one after another, so that the second finds it begun


def test_threads_that_ask_at_once_are_counted_and_none_fails() -> None:
    counts, limit = SlowToBegin(), RateLimitItemPerMinute(100)
    limiter = FixedWindowRateLimiter(counts)
    counts.timer.join()  # the next request begins another
    together, failures = threading.Barrier(_THREADS), []

    def ask() -> None:
        together.wait()
        try:
            limiter.hit(limit, "everybody")
        except RuntimeError as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert limiter.get_window_stats(limit, "everybody").remaining == limit.amount - _THREADS
