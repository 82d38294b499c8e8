"""From rows of the database to the values that the store gives back."""

import json
import math
import sqlite3
from datetime import datetime
from typing import Any

from edge.camera.address import without_secrets
from edge.errors import StoreDamagedError
from edge.fields.quality import MOST_STRAIN, Check, CheckName, QualityReport
from edge.messages.codes import Code
from edge.slides.records import (
    AuditAction,
    AuditEntry,
    EarlierView,
    NewField,
    Review,
    Slide,
    StoredCell,
    StoredField,
)
from edge.types import Label

# The last word that a person had on each cell: the decision of a third reader where one stands, else the first
# reading's. A withdrawn call is a NULL. Crops are left in the file: those of a slide of ten thousand cells would
# fill 25 MB.
CELLS_WITH_CALLS = """
SELECT cells.cell_id, field_id, box_x, box_y, box_width, box_height, cells.x, cells.y, probability, label,
       doubtful, duplicate_of, strain, fields.number AS field_number, fields.island,
       last.call, last.reviewer, last.at AS reviewed_at
FROM cells JOIN fields USING (field_id)
LEFT JOIN reviews AS last ON last.review_id = coalesce(
    (SELECT decision.review_id FROM reviews AS decision WHERE decision.call IS NOT NULL AND decision.review_id =
        (SELECT max(review_id) FROM reviews WHERE reviews.cell_id = cells.cell_id AND reading = 3)),
    (SELECT max(review_id) FROM reviews WHERE reviews.cell_id = cells.cell_id AND reading = 1))
"""

COUNTS = f"""
SELECT count(*) AS cells,
       coalesce(sum(label = '{Label.PARASITIZED}'), 0) AS parasitized,
       coalesce(sum(call IS NOT NULL), 0) AS reviewed,
       coalesce(sum(coalesce(call, label) = '{Label.PARASITIZED}'), 0) AS final
FROM ({CELLS_WITH_CALLS} WHERE fields.slide = ? AND cells.duplicate_of IS NULL AND strain <= {MOST_STRAIN})
"""  # noqa: S608 - put together from constants alone

UNJUDGED = f"""
SELECT count(*) AS n FROM cells JOIN fields USING (field_id)
WHERE fields.slide = ? AND duplicate_of IS NULL AND strain > {MOST_STRAIN}
"""  # noqa: S608 - put together from constants alone


REVIEWED_BY_FIELD = f"""
SELECT slide, field_number, count(*) AS cells, sum(call = '{Label.PARASITIZED}') AS infected FROM (
    SELECT fields.slide, called.* FROM ({CELLS_WITH_CALLS} WHERE cells.duplicate_of IS NULL AND strain <= {MOST_STRAIN}
        AND cells.cell_id IN (SELECT cell_id FROM reviews)) AS called JOIN fields USING (field_id))
WHERE call IS NOT NULL GROUP BY slide, field_number
"""  # noqa: S608 - put together from constants alone


def row_number(last: int | None) -> int:
    """The number that SQLite gave the row just inserted."""
    if last is None:
        raise StoreDamagedError(Code.STORE_NO_ROW_NUMBER)
    return last


def to_slide(row: sqlite3.Row) -> Slide:
    """A row of ``slides``."""
    return Slide(
        number=row["number"],
        slide_id=row["slide_id"],
        notes=row["notes"],
        operator=row["operator"],
        # A store that may not be written to was not cleaned of passwords.
        device=without_secrets(row["device"]),
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
        source=without_secrets(row["source"]),
        quality=_to_quality(json.loads(row["checks"])),
        uncovered=tuple((x, y, width, height) for x, y, width, height in json.loads(row["uncovered"])),
        turn=row["turn"],
    )
    return StoredField(row["field_id"], row["number"], field)


def checks_json(quality: QualityReport) -> list[dict[str, Any]]:
    """The checks of a field as the store and the exports hold them: sentences are left out."""
    return [{"name": check.name.value, **check.to_json()} for check in quality.checks]


def _to_quality(stored: list[dict[str, Any]]) -> QualityReport:
    return QualityReport(tuple(_to_check(**check) for check in stored))


def _to_check(name: str, value: float, limit: list[float | None], *, passed: bool) -> Check:
    low, high = limit
    limits = (-math.inf if low is None else low, math.inf if high is None else high)
    return Check(CheckName(name), value, limits, passed, None)


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
        label=Label(row["label"]),
        doubtful=bool(row["doubtful"]),
        strain=row["strain"],
        duplicate=row["duplicate_of"] is not None,
        call=Label(row["call"]) if called else None,
        reviewer=row["reviewer"] if called else None,
        reviewed_at=datetime.fromisoformat(row["reviewed_at"]) if called else None,
    )


def to_view(row: sqlite3.Row) -> EarlierView:
    """A row of ``views`` with the number of its field."""
    return EarlierView(
        cell_id=row["cell_id"],
        field_number=row["field_number"],
        box=(row["box_x"], row["box_y"], row["box_width"], row["box_height"]),
        probability=row["probability"],
        label=Label(row["label"]),
        doubtful=bool(row["doubtful"]),
        strain=row["strain"],
        replaced_at=datetime.fromisoformat(row["replaced_at"]),
    )


def to_review(row: sqlite3.Row) -> Review:
    """A row of ``reviews``."""
    at = datetime.fromisoformat(row["at"])
    call = None if row["call"] is None else Label(row["call"])
    return Review(
        row["review_id"],
        row["cell_id"],
        call,
        row["reviewer"],
        at,
        row["note"],
        row["reading"],
        row["species"],
        row["stage"],
    )


def to_entry(row: sqlite3.Row) -> AuditEntry:
    """A row of ``audit``."""
    at = datetime.fromisoformat(row["at"])
    action = AuditAction(row["action"])
    return AuditEntry(at, row["who"], action, row["slide"], json.loads(row["detail"]))
