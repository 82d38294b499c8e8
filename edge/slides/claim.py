"""One counter a slide: two cameras counting the same slide would count its cells twice."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from edge.errors import StoreBusyError, StoreError
from edge.messages.codes import Code


@contextmanager
def counting(store_path: Path, slide_number: int, slide_id: str) -> Iterator[None]:
    """Hold a slide for counting; released when the block ends, or by the system when the process dies.

    The lock is SQLite's own, on a file beside the store, because it works on every system that SQLite does
    and never outlives its process.

    Args:
        store_path: the store's file.
        slide_number: the slide's number in the store.
        slide_id: the slide's id, for the message.

    Raises:
        StoreBusyError: another process, or another session of this one, is counting the slide.
        StoreError: the lock's file cannot be made.
    """
    path = store_path.with_name(f"{store_path.name}-counting-{slide_number}")
    with ExitStack() as held:
        try:
            connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
            # The empty file stays: a process that has just opened it would else hold a lock on nothing.
            held.callback(connection.close)
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
                raise StoreBusyError(Code.SLIDE_COUNTED_ELSEWHERE, slide=slide_id) from error
            raise StoreError(Code.SLIDE_NOT_CLAIMED, path=path, reason=str(error)) from error
        yield
