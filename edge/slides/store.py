"""The slide store: slides, their accepted fields and every counted cell, durable once a call returns."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from edge.errors import SlideError
from edge.fields.analyser import ClassifiedCell
from edge.fields.quality import MOST_STRAIN
from edge.images.encode import decode_mask
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.slides.naming import reads_as_stored
from edge.slides.records import (
    AuditAction,
    AuditEntry,
    BetterView,
    EarlierView,
    NewField,
    Review,
    Slide,
    SlideCounts,
    StoredCell,
    StoredField,
)
from edge.slides.tables.audit import add_entry
from edge.slides.tables.database import Database
from edge.slides.tables.inserts import insert_cell, insert_field, take_better_views
from edge.slides.tables.rows import (
    CELLS_WITH_CALLS,
    COUNTS,
    UNJUDGED,
    row_number,
    to_cell,
    to_entry,
    to_field,
    to_review,
    to_slide,
    to_view,
)
from edge.types import FieldOutcome, Mask

MAX_SLIDE_ID = 120
"""Longest slide id, in characters: a bar code or a line in a laboratory book."""


def utc_now() -> datetime:
    """The system's clock, in UTC."""
    return datetime.now(UTC)


class SlideStore:
    """All slides of one device, in one SQLite file.

    What a writing method has returned from is on the disk (write-ahead log, full synchronous writes): it
    survives SIGKILL and a power cut. What it raised from is not there at all. Methods may be called from any
    thread; several processes may share a file.

    Args:
        path: the file; made, or brought to the present version of its tables, when needed.
        read_only: never write: for a store on a full or read-only disk.
        clock: gives the time in UTC.

    Raises:
        StoreError: the file cannot be opened; the subclass says why.
    """

    def __init__(
        self, path: Path, *, read_only: bool = False, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.database = Database(path, read_only=read_only)
        self._clock = clock

    @property
    def path(self) -> Path:
        """The store's file."""
        return self.database.path

    def now(self) -> datetime:
        """The time by the store's clock, in UTC."""
        return self._clock()

    def create_slide(
        self,
        slide_id: str,
        *,
        operator: str,
        device: str,
        model_name: str,
        model_sha256: str,
        settings: Mapping[str, Any],
        notes: str = "",
    ) -> Slide:
        """Begin a slide.

        Raises:
            SlideError: the id is empty, too long, or taken, or does not read as it is stored.
            StoreError: it could not be stored.
        """
        slide_id = slide_id.strip()
        if not 1 <= len(slide_id) <= MAX_SLIDE_ID:
            raise SlideError(Code.SLIDE_ID_LENGTH, most=MAX_SLIDE_ID, length=len(slide_id))
        if not (reads_as_stored(slide_id) and reads_as_stored(operator)):
            raise SlideError(Code.SLIDE_ONE_LINE)
        created_at = self._clock()
        with self.database.writing(Message(Code.STORE_DOING_TAKE_SLIDE, slide=slide_id)) as connection:
            if connection.execute("SELECT 1 FROM slides WHERE slide_id = ?", (slide_id,)).fetchone():
                raise SlideError(Code.SLIDE_EXISTS, slide=slide_id, path=self.path)
            cursor = connection.execute(
                "INSERT INTO slides (slide_id, notes, operator, device, model_name, model_sha256, settings, "
                "created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    slide_id,
                    notes,
                    operator,
                    device,
                    model_name,
                    model_sha256,
                    json.dumps(dict(settings)),
                    created_at.isoformat(),
                ),
            )
            number = row_number(cursor.lastrowid)
            entry = AuditEntry(created_at, operator, AuditAction.SLIDE_CREATED, number, {})
            add_entry(connection, entry)
        return self.slide(slide_id)

    def record_camera(self, slide: Slide, record: Mapping[str, Any]) -> Slide:
        """Keep with a slide what its camera was told and has, and return the slide with it.

        Raises:
            StoreError: it was not stored.
        """
        settings = {**slide.settings, "camera": dict(record)}
        with self.database.writing(Message(Code.STORE_DOING_TAKE_SLIDE, slide=slide.slide_id)) as connection:
            connection.execute(
                "UPDATE slides SET settings = ? WHERE number = ?", (json.dumps(settings), slide.number)
            )
        return slide._replace(settings=settings)

    def add_field(
        self,
        slide: Slide,
        field: NewField,
        cells: Sequence[ClassifiedCell],
        crops: Sequence[bytes],
        *,
        better: Sequence[BetterView] = (),
        withdrawn: Sequence[int] = (),
        thumbnail: bytes | None = None,
        picture: bytes | None = None,
        file_sha256: str | None = None,
    ) -> StoredField:
        """Store an accepted field with its newly counted cells, all of it or nothing.

        Args:
            slide: the slide under the camera.
            field: where it lies and what its checks said.
            cells: the cells that no earlier field had counted.
            crops: a small JPEG of each of them and of a little around it.
            better: counted cells that this field shows better: its verdict stands, the former one is kept.
            withdrawn: ids of cells that this field shows to be no single cells.
            thumbnail: a small JPEG of the field, by which it is told from others.
            picture: the JPEG that shows what is around its cells (`edge.slides.surroundings`).
            file_sha256: of the file that the field came from, so that it is never taken again.

        Raises:
            StoreError: nothing of it was stored.
        """
        with self.database.writing(Message(Code.STORE_DOING_TAKE_FIELD, slide=slide.slide_id)) as connection:
            field_id, number = insert_field(connection, slide, field, thumbnail, picture)
            ids = tuple(
                insert_cell(connection, field_id, field, one, crop)
                for one, crop in zip(cells, crops, strict=True)
            )
            if better or withdrawn:
                take_better_views(connection, field_id, field, better, withdrawn)
                detail = {"field": number, "better": len(better), "withdrawn": len(withdrawn)}
                entry = AuditEntry(
                    field.taken_at, "plasmolite", AuditAction.CELLS_SEEN_BETTER, slide.number, detail
                )
                add_entry(connection, entry)
            if file_sha256 is not None:
                self._note_file(connection, slide, file_sha256, FieldOutcome.COUNTED)
        return StoredField(field_id, number, field, ids)

    def take_file(self, slide: Slide, file_sha256: str, outcome: str) -> None:
        """Note that a file of a watched folder is done with, though it gave no field (refused, unreadable).

        Raises:
            StoreError: it was not noted.
        """
        with self.database.writing(Message(Code.STORE_DOING_TAKE_FILE)) as connection:
            self._note_file(connection, slide, file_sha256, outcome)

    def _note_file(self, connection: sqlite3.Connection, slide: Slide, sha256: str, outcome: str) -> None:
        connection.execute(
            "INSERT OR IGNORE INTO files_taken (slide, sha256, outcome, taken_at) VALUES (?, ?, ?, ?)",
            (slide.number, sha256, outcome, self._clock().isoformat()),
        )

    def files_taken(self, slide: Slide) -> frozenset[str]:
        """SHA-256 of every file that was counted into a slide, or refused."""
        rows = self.database.rows("SELECT sha256 FROM files_taken WHERE slide = ?", (slide.number,))
        return frozenset(row["sha256"] for row in rows)

    def slides(self) -> list[Slide]:
        """All slides, the newest first."""
        return [to_slide(row) for row in self.database.rows("SELECT * FROM slides ORDER BY number DESC")]

    def slide(self, slide_id: str) -> Slide:
        """One slide by its id.

        Raises:
            SlideError: there is none of that id.
        """
        rows = self.database.rows("SELECT * FROM slides WHERE slide_id = ?", (slide_id.strip(),))
        if not rows:
            raise SlideError(Code.SLIDE_UNKNOWN, slide=slide_id, path=self.path)
        return to_slide(rows[0])

    def fields(self, slide: Slide) -> list[StoredField]:
        """The accepted fields of a slide in the order in which they were counted."""
        rows = self.database.rows("SELECT * FROM fields WHERE slide = ? ORDER BY number", (slide.number,))
        return [to_field(row) for row in rows]

    def cells(self, slide: Slide, *, duplicates: bool = False, unjudged: bool = False) -> list[StoredCell]:
        """The judged cells of a slide in the order in which they were counted.

        Args:
            slide: the slide.
            duplicates: whether to list also cells that turned out to have been counted before.
            unjudged: whether to list also cells that were never seen well enough to be judged.
        """
        only = "" if duplicates else " AND cells.duplicate_of IS NULL"
        only += "" if unjudged else f" AND strain <= {MOST_STRAIN}"
        rows = self.database.rows(
            f"{CELLS_WITH_CALLS} WHERE fields.slide = ?{only} ORDER BY cells.cell_id", (slide.number,)
        )
        return [to_cell(row) for row in rows]

    def cell(self, slide: Slide, cell_id: int) -> StoredCell:
        """One cell of a slide.

        Raises:
            SlideError: the slide has no such cell.
        """
        rows = self.database.rows(
            f"{CELLS_WITH_CALLS} WHERE fields.slide = ? AND cells.cell_id = ?", (slide.number, cell_id)
        )
        if not rows:
            raise SlideError(Code.SLIDE_NO_SUCH_CELL, slide=slide.slide_id, cell=cell_id)
        return to_cell(rows[0])

    def crop(self, cell: StoredCell) -> bytes:
        """The small JPEG of a cell."""
        rows = self.database.rows("SELECT crop FROM cells WHERE cell_id = ?", (cell.cell_id,))
        if not rows:
            raise SlideError(Code.SLIDE_CELL_DELETED, cell=cell.cell_id)
        return bytes(rows[0]["crop"])

    def outline(self, cell: StoredCell) -> Mask | None:
        """What of a cell's box is the cell: uint8 (h, w), 0 or 255; None of cells counted before version 5."""
        rows = self.database.rows("SELECT mask FROM outlines WHERE cell_id = ?", (cell.cell_id,))
        return decode_mask(bytes(rows[0]["mask"])) if rows else None

    def counts(self, slide: Slide) -> SlideCounts:
        """How many fields, cells and calls a slide has."""
        row = self.database.rows(COUNTS, (slide.number,))[0]
        fields = self.database.rows("SELECT count(*) AS n FROM fields WHERE slide = ?", (slide.number,))[0][
            "n"
        ]
        unjudged = self.database.rows(UNJUDGED, (slide.number,))[0]["n"]
        return SlideCounts(fields, row["cells"], row["parasitized"], row["reviewed"], row["final"], unjudged)

    def earlier_views(self, slide: Slide) -> list[EarlierView]:
        """What was said of cells of a slide before they were seen better, the oldest first."""
        rows = self.database.rows(
            "SELECT views.*, fields.number AS field_number FROM views JOIN fields USING (field_id) "
            "WHERE fields.slide = ? ORDER BY view_id",
            (slide.number,),
        )
        return [to_view(row) for row in rows]

    def thumbnails(self, slide: Slide, numbers: Sequence[int]) -> dict[int, bytes]:
        """The small JPEG of fields of a slide, by the field's number; fields without one are left out."""
        found = {}
        for number in numbers:
            rows = self.database.rows(
                "SELECT glimpse FROM fields WHERE slide = ? AND number = ?", (slide.number, number)
            )
            if rows and rows[0]["glimpse"] is not None:
                found[number] = bytes(rows[0]["glimpse"])
        return found

    def reviews(self, slide: Slide) -> list[Review]:
        """Every call that a person made on cells of a slide, withdrawn ones included, the oldest first."""
        rows = self.database.rows(
            "SELECT reviews.* FROM reviews JOIN cells USING (cell_id) JOIN fields USING (field_id) "
            "WHERE fields.slide = ? ORDER BY review_id",
            (slide.number,),
        )
        return [to_review(row) for row in rows]

    def audit(self, slide: Slide | None = None) -> list[AuditEntry]:
        """The audit trail of one slide, or of all, the oldest entry first."""
        if slide is None:
            rows = self.database.rows("SELECT * FROM audit ORDER BY entry_id")
        else:
            rows = self.database.rows(
                "SELECT * FROM audit WHERE slide = ? ORDER BY entry_id", (slide.number,)
            )
        return [to_entry(row) for row in rows]

    def delete_slide(self, slide: Slide, *, who: str) -> None:
        """Erase a slide with all its fields, cells, crops and reviews.

        The audit trail keeps who deleted slide number n and when; the id and the notes are overwritten.

        Raises:
            StoreError: it was not deleted.
        """
        counts = self.counts(slide)
        detail = {"fields": counts.fields, "cells": counts.cells, "reviewed": counts.reviewed}
        now = self._clock()
        with self.database.writing(Message(Code.STORE_DOING_DELETE, slide=slide.slide_id)) as connection:
            connection.execute("DELETE FROM slides WHERE number = ?", (slide.number,))
            entry = AuditEntry(now, who, AuditAction.SLIDE_DELETED, slide.number, detail)
            add_entry(connection, entry)
        self.database.forget_log()

    def faults(self) -> list[str]:
        """What SQLite's integrity checks complain of; empty when the file is sound."""
        return self.database.faults()

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
