"""The SQLite file under the slide store: opened for durability, its errors put into words.

Write-ahead log with full synchronous writes: SQLite has called ``fsync`` on the log before a commit returns
(https://sqlite.org/pragma.html#pragma_synchronous), so what the store acknowledged survives a power cut.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge.errors import StoreBusyError, StoreDamagedError, StoreError, StoreFullError
from edge.messages.codes import Code
from edge.messages.message import Message, system_reason
from edge.slides.tables.schema import CURRENT_VERSION, migrate

_BUSY_SECONDS = 10.0
"""How long a write waits for another process's: a review is written in milliseconds."""

_FULL_CODES = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE})
"""A full disk shows as any of these, by which file of the three it met (SQLite 3.40, tmpfs and ext4)."""
_DAMAGED_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BUSY_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


class Database:
    """One connection to the store's file, shared by the threads of a process under a lock.

    Args:
        path: the file; made with its folder when absent and ``read_only`` is false.
        read_only: never write, not even the log's index: for a store on a full or read-only disk.

    Raises:
        StoreError: the file cannot be opened; the subclass says why.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self.read_only = read_only
        self._lock = threading.RLock()
        try:
            if read_only:
                self._connection = self._open_read_only()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._connection = self._open_for_writing()
        except sqlite3.Error as error:
            raise self._translated(error, Message(Code.STORE_DOING_OPEN)) from error
        except OSError as error:
            raise StoreError(Code.STORE_NO_FOLDER, path=path.parent, reason=system_reason(error)) from error

    def _open_for_writing(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA foreign_keys = ON")
            # Deleted slides are overwritten, not only unlinked: their notes may name a person.
            connection.execute("PRAGMA secure_delete = ON")
            migrate(connection, path=str(self.path))
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _open_read_only(self) -> sqlite3.Connection:
        if not self.path.exists():
            raise StoreError(Code.STORE_NONE, path=self.path)
        # A clean store may be read with no other file beside it. Where a log stands, it must be read too, and
        # in exclusive mode its index is kept in memory instead of in a file that a full disk cannot take.
        log = self.path.with_name(self.path.name + "-wal")
        clean = not log.exists() or log.stat().st_size == 0
        options = "mode=ro&immutable=1" if clean else "mode=rw"
        uri = f"{self.path.absolute().as_uri()}?{options}"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        try:
            connection.row_factory = sqlite3.Row
            if not clean:
                connection.execute("PRAGMA locking_mode = EXCLUSIVE")
                connection.execute("PRAGMA query_only = ON")
            connection.execute("SELECT count(*) FROM slides").fetchone()
            return self._of_now(connection)
        except BaseException:
            connection.close()
            raise

    def _of_now(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        """A copy in memory of a file with tables of an older version, brought up to date; else the file itself."""
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if version >= CURRENT_VERSION:
            return connection
        copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        copy.row_factory = sqlite3.Row
        connection.backup(copy)
        connection.close()
        migrate(copy, path=str(self.path))
        copy.execute("PRAGMA query_only = ON")
        return copy

    @contextmanager
    def writing(self, doing: Message) -> Iterator[sqlite3.Connection]:
        """Run one transaction: durable when the block ends, undone when it raises.

        Args:
            doing: phrase that completes "The slide store cannot ...".

        Raises:
            StoreError: nothing of the transaction was stored; the subclass says why.
        """
        with self._lock:
            connection = self._connection
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._roll_back()
                raise self._translated(error, doing) from error
            except BaseException:
                self._roll_back()
                raise

    def rows(self, query: str, parameters: tuple[Any, ...] = ()) -> list[sqlite3.Row]:
        """Run one query and return all its rows.

        Raises:
            StoreError: the file cannot be read.
        """
        with self._lock:
            try:
                return self._connection.execute(query, parameters).fetchall()
            except sqlite3.Error as error:
                raise self._translated(error, Message(Code.STORE_DOING_READ)) from error

    def faults(self) -> list[str]:
        """Check the whole file: what SQLite's integrity and foreign key checks complain of, empty if sound.

        Raises:
            StoreError: the file cannot even be read that far.
        """
        found = [str(row[0]) for row in self.rows("PRAGMA integrity_check") if row[0] != "ok"]
        found += [
            f"row {row[1]} of {row[0]} refers to nothing" for row in self.rows("PRAGMA foreign_key_check")
        ]
        return found

    def forget_log(self) -> None:
        """Write the log back into the file and empty it, so that deleted rows stand nowhere.

        Raises:
            StoreError: the file cannot be written.
        """
        self.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file; the store must not be used after."""
        with self._lock:
            self._connection.close()

    def _roll_back(self) -> None:
        # After some errors, a full disk among them, SQLite has rolled back by itself already.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _translated(self, error: sqlite3.Error, doing: Message) -> StoreError:
        code = getattr(error, "sqlite_errorcode", 0)
        if code in _FULL_CODES:
            return StoreFullError(Code.STORE_FULL, path=self.path, doing=doing)
        if code in _DAMAGED_CODES:
            return StoreDamagedError(Code.STORE_DAMAGED, path=self.path, doing=doing)
        # The low byte is the class of an extended code (https://sqlite.org/rescode.html).
        if code & 0xFF in _BUSY_CODES:
            return StoreBusyError(Code.STORE_BUSY, path=self.path, doing=doing)
        return StoreError(Code.STORE_FAILED, path=self.path, doing=doing, reason=str(error))
