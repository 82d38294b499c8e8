"""What a dataset holds already, by address and by content: a temporary file, so that memory stays flat."""

import sqlite3
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from archive.dataset import FIELDS, Dataset
from archive.sources import FieldAddress
from archive.tables import DUPLICATE
from archive.trouble import ArchiveError
from edge.messages.archive_codes import ArchiveCode
from edge.messages.message import system_reason


class ContentIndex:
    """Which addresses were judged, and which contents were counted.

    Built from the dataset when a run begins, so that nothing but the dataset has to survive a crash.

    Raises:
        ArchiveError: there is no room for the temporary file, or the dataset cannot be read.
    """

    def __init__(self, dataset: Dataset) -> None:
        try:
            self._folder = tempfile.TemporaryDirectory(prefix="plasmolite-archive-")
            self._data = sqlite3.connect(Path(self._folder.name, "index.sqlite"), isolation_level=None)
        except OSError as error:
            reason = system_reason(error)
            raise ArchiveError(ArchiveCode.NOT_WRITTEN, place=tempfile.gettempdir(), reason=reason) from error
        # Rebuilt after any crash: nothing of it needs to be on the disk in time.
        self._data.execute("PRAGMA journal_mode = OFF")
        self._data.execute("PRAGMA synchronous = OFF")
        self._data.execute("CREATE TABLE sources (source TEXT PRIMARY KEY, stamp TEXT) WITHOUT ROWID")
        self._data.execute("CREATE TABLE contents (sha256 BLOB PRIMARY KEY) WITHOUT ROWID")
        for part in dataset.parts(FIELDS):
            rows = dataset.read(part, ["source", "stamp", "sha256", "outcome"]).to_pydict()
            self._data.execute("BEGIN")
            for source, stamp, sha256, outcome in zip(*rows.values(), strict=True):
                self.add(source, stamp, sha256, duplicate=outcome == DUPLICATE)
            self._data.execute("COMMIT")

    def add(self, source: str, stamp: str, sha256: str, *, duplicate: bool) -> None:
        """Note that an address was judged, and its content."""
        self._data.execute("INSERT OR REPLACE INTO sources VALUES (?, ?)", (source, stamp))
        if not duplicate:
            self._data.execute("INSERT OR IGNORE INTO contents VALUES (?)", (bytes.fromhex(sha256),))

    def has_content(self, sha256: str) -> bool:
        """Whether these very bytes were judged before, at whatever address."""
        query = "SELECT 1 FROM contents WHERE sha256 = ?"
        return self._data.execute(query, (bytes.fromhex(sha256),)).fetchone() is not None

    def has_source(self, source: str) -> bool:
        """Whether an address was judged before."""
        return self._stamp(source) is not None

    def done(self, address: FieldAddress) -> bool:
        """Whether an address need not be read again: it was judged, and nothing says that its picture changed."""
        stamp = self._stamp(address.source)
        return stamp is not None and (not stamp or not address.stamp or stamp == address.stamp)

    def _stamp(self, source: str) -> str | None:
        row = self._data.execute("SELECT stamp FROM sources WHERE source = ?", (source,)).fetchone()
        return None if row is None else str(row[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._data.close()
        self._folder.cleanup()
