"""From rows of the database to the values that the store gives back."""

import json
import sqlite3
from datetime import datetime

from edge.errors import StoreDamagedError
from edge.slides.records import AuditEntry, NewField, Review, Slide, StoredCell, StoredField

# The last word that a person had on each cell; a withdrawn call is a NULL. Crops are left in the file: those
# of a slide of ten thousand cells would fill 25 MB.
CELLS_WITH_CALLS = """
SELECT cells.cell_id, field_id, box_x, box_y, box_width, box_height, cells.x, cells.y, probability, label,
       doubtful, duplicate_of, fields.number AS field_number, fields.island,
       last.call, last.reviewer, last.at AS reviewed_at
FROM cells JOIN fields USING (field_id)
LEFT JOIN reviews AS last ON last.review_id =
    (SELECT max(review_id) FROM reviews WHERE reviews.cell_id = cells.cell_id)
"""

COUNTS = f"""
SELECT count(*) AS cells,
       coalesce(sum(label = 'Parasitized'), 0) AS parasitized,
       coalesce(sum(call IS NOT NULL), 0) AS reviewed,
       coalesce(sum(coalesce(call, label) = 'Parasitized'), 0) AS final
FROM ({CELLS_WITH_CALLS} WHERE fields.slide = ? AND cells.duplicate_of IS NULL)
"""  # noqa: S608 - put together from constants alone


def row_number(last: int | None) -> int:
    """The number that SQLite gave the row just inserted."""
    if last is None:
        raise StoreDamagedError("The slide store gave no number to a row that it took.")
    return last


def to_slide(row: sqlite3.Row) -> Slide:
    """A row of ``slides``."""
    return Slide(
        number=row["number"],
        slide_id=row["slide_id"],
        notes=row["notes"],
        operator=row["operator"],
        device=row["device"],
        model_name=row["model_name"],
        model_sha256=row["model_sha256"],
        settings=json.loads(row["settings"]),
        created_at=datetime.fromisoformat(row["created_at"]),
    )


def to_field(row: sqlite3.Row) -> StoredField:
    """A row of ``fields``."""
    field = NewField(
        island=row["island"],
        x=row["x"],
        y=row["y"],
        width=row["width"],
        height=row["height"],
        cell_width=row["cell_width"],
        taken_at=datetime.fromisoformat(row["taken_at"]),
        source=row["source"],
        checks=tuple(json.loads(row["checks"])),
        uncovered=tuple((x, y, width, height) for x, y, width, height in json.loads(row["uncovered"])),
    )
    return StoredField(row["field_id"], row["number"], field)


def to_cell(row: sqlite3.Row) -> StoredCell:
    """A row of ``CELLS_WITH_CALLS``."""
    called = row["call"] is not None
    return StoredCell(
        cell_id=row["cell_id"],
        field_number=row["field_number"],
        island=row["island"],
        box=(row["box_x"], row["box_y"], row["box_width"], row["box_height"]),
        x=row["x"],
        y=row["y"],
        probability=row["probability"],
        label=row["label"],
        doubtful=bool(row["doubtful"]),
        duplicate=row["duplicate_of"] is not None,
        call=row["call"],
        reviewer=row["reviewer"] if called else None,
        reviewed_at=datetime.fromisoformat(row["reviewed_at"]) if called else None,
    )


def to_review(row: sqlite3.Row) -> Review:
    """A row of ``reviews``."""
    at = datetime.fromisoformat(row["at"])
    return Review(row["review_id"], row["cell_id"], row["call"], row["reviewer"], at, row["note"])


def to_entry(row: sqlite3.Row) -> AuditEntry:
    """A row of ``audit``."""
    at = datetime.fromisoformat(row["at"])
    return AuditEntry(at, row["who"], row["action"], row["slide"], json.loads(row["detail"]))
