"""How many requests came in the running minute: counts in memory that several threads may raise at once."""

import threading

from limits.storage import MemoryStorage


class RequestCounts(MemoryStorage):
    """The counts of ``limits``, raised by one thread at a time.

    Its own memory (5.8.0) starts one timer twice where two threads raise a count at once, and a browser that asked for
    a file of the page gets an error instead (its pull request 352, not yet released).

    Args:
        uri: the scheme, as ``Limiter`` names it.
        wrap_exceptions: whether errors of the memory become errors of ``limits``.
    """

    STORAGE_SCHEME = ["plasmolite-memory"]  # noqa: RUF012 - as the base class has it

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: str) -> None:
        self._one_thread = threading.RLock()
        super().__init__(uri, wrap_exceptions, **options)

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Raise a count and give it; see the base class."""
        with self._one_thread:
            return super().incr(key, expiry, amount)
