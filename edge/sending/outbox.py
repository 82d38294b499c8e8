"""The outbox: which slides a server has yet to be told of, in the very database that holds the slides.

The tables' own triggers raise a slide's revision in the transaction that changes it (`edge.slides.tables.schema`): no
crash can lose a slide on its way or tell of one that is not stored. A slide is sent while its revision is above the one
that the server has; a later review raises it again, and a new version of the same report goes out.
"""

import random
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from edge.messages.codes import Code
from edge.messages.message import Message
from edge.slides.records import Slide
from edge.slides.store import SlideStore
from edge.slides.tables.rows import to_slide

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=6)


class OutboxState(StrEnum):
    """What a slide in the outbox waits for; the values are part of every answer, and stay as they are."""

    WAITING = "waiting"
    """For the network."""
    REFUSED = "refused"
    """For a person."""


class OutboxEntry(NamedTuple):
    """One slide that a server is to be told of."""

    slide: Slide
    revision: int
    """Of the slide as it is in the store."""
    sent: int
    """The revision that the server has; 0 where it has none."""
    tries: int
    next_try: datetime | None
    refusal: str
    """What the server said against it; empty where it said nothing."""

    @property
    def state(self) -> OutboxState:
        """What it waits for."""
        return OutboxState.REFUSED if self.refusal and self.next_try is None else OutboxState.WAITING


class OutboxStatus(NamedTuple):
    """How full the outbox is."""

    waiting: int
    refused: int
    sent: int
    last_sent: datetime | None
    oldest_waiting: datetime | None
    """When the slide that waits longest was begun."""


class Outbox:
    """The outbox of a store.

    Args:
        store: the slides.
        chance: gives a number in [0, 1): spreads the tries of many devices; for tests.
    """

    def __init__(self, store: SlideStore, chance: Callable[[], float] = random.random) -> None:
        self._store = store
        self._chance = chance

    def pending(self) -> list[OutboxEntry]:
        """Slides that no server has in their present state, refused ones included, the oldest first.

        Raises:
            StoreError: the store cannot be read.
        """
        rows = self._rows("outbox.revision > outbox.sent ORDER BY slides.number")
        return [
            OutboxEntry(
                to_slide(row),
                row["revision"],
                row["sent"],
                row["tries"],
                None if row["next_try"] is None else datetime.fromisoformat(row["next_try"]),
                row["refusal"],
            )
            for row in rows
        ]

    def due(self) -> list[OutboxEntry]:
        """Those of them that are to be tried now."""
        now = self._store.now()
        # After a clock that was wrong, a try may lie years ahead: none is put off by more than the longest pause.
        return [
            entry
            for entry in self.pending()
            if entry.state == OutboxState.WAITING
            and (entry.next_try is None or not now < entry.next_try <= now + LONGEST_PAUSE)
        ]

    def mark_sent(self, entry: OutboxEntry) -> None:
        """Note that the server has this revision; a change since then keeps the slide waiting.

        Raises:
            StoreError: it was not noted; the slide is sent once more, which changes nothing at the server.
        """
        self._update(
            "sent = ?, sent_at = ?, tries = 0, next_try = NULL, refusal = '' WHERE slide = ?",
            (entry.revision, self._store.now().isoformat(), entry.slide.number),
        )

    def put_off(self, entry: OutboxEntry, reason: str, wait: float | None = None) -> None:
        """Note that the server could not take it now, and when to try again.

        Args:
            entry: the slide.
            reason: what the server said.
            wait: seconds that the server asks for; None for a pause that doubles with each try.

        Raises:
            StoreError: it was not noted; the slide is tried at the next run.
        """
        pause = min(FIRST_PAUSE * 2 ** min(entry.tries, 20), LONGEST_PAUSE) * (0.5 + self._chance() / 2)
        if wait is not None:
            pause = max(pause, timedelta(seconds=min(wait, LONGEST_PAUSE.total_seconds())))
        next_try = (self._store.now() + pause).isoformat()
        self._note(entry, (next_try, reason))

    def refuse(self, entry: OutboxEntry, reason: str) -> None:
        """Keep a slide that the server does not want as it is, with what it said.

        One that has changed since it was sent is another report, which may be taken: it stays due.

        Raises:
            StoreError: it was not noted.
        """
        self._note(entry, (None, reason or "?"))

    def release(self) -> None:
        """Try all again, those that were refused or put off too: after the server or its settings were mended.

        Raises:
            StoreError: it was not noted.
        """
        with self._store.database.writing(Message(Code.STORE_DOING_SEND)) as connection:
            connection.execute("UPDATE outbox SET tries = 0, next_try = NULL, refusal = ''")

    def status(self) -> OutboxStatus:
        """How full it is; empty for a store that has never been written to since there is an outbox."""
        if not self._store.database.rows("SELECT 1 FROM sqlite_master WHERE name = 'outbox'"):
            return OutboxStatus(0, 0, 0, None, None)
        pending = self.pending()
        refused = sum(entry.state == OutboxState.REFUSED for entry in pending)
        row = self._store.database.rows(
            "SELECT count(*) AS n, max(sent_at) AS last FROM outbox WHERE sent > 0"
        )[0]
        oldest = min(
            (entry.slide.created_at for entry in pending if entry.state == OutboxState.WAITING), default=None
        )
        last = None if row["last"] is None else datetime.fromisoformat(row["last"])
        return OutboxStatus(len(pending) - refused, refused, row["n"], last, oldest)

    def _rows(self, condition: str) -> list[sqlite3.Row]:
        query = f"SELECT * FROM outbox JOIN slides ON slides.number = outbox.slide WHERE {condition}"  # noqa: S608 - ours
        return self._store.database.rows(query)

    def _note(self, entry: OutboxEntry, values: tuple[str | None, str]) -> None:
        """Note what a server said of a revision, where the slide has not changed since."""
        self._update(
            "tries = tries + 1, next_try = ?, refusal = ? WHERE slide = ? AND revision = ?",
            (*values, entry.slide.number, entry.revision),
        )

    def _update(self, change: str, values: tuple[object, ...]) -> None:
        with self._store.database.writing(Message(Code.STORE_DOING_SEND)) as connection:
            connection.execute(f"UPDATE outbox SET {change}", values)  # noqa: S608 - ours
