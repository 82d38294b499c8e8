"""How a field and its cells get into the tables; each within a transaction that the store began."""

import json
import sqlite3
from collections.abc import Sequence

from edge.fields.analyser import ClassifiedCell
from edge.images.encode import encode_mask
from edge.slides.records import BetterView, NewField, Slide
from edge.slides.tables.rows import checks_json, row_number


def insert_field(
    connection: sqlite3.Connection,
    slide: Slide,
    field: NewField,
    thumbnail: bytes | None,
    picture: bytes | None,
) -> tuple[int, int]:
    """Insert a field and return its id and its number within the slide."""
    number: int = connection.execute(
        "SELECT coalesce(max(number), 0) + 1 FROM fields WHERE slide = ?", (slide.number,)
    ).fetchone()[0]
    cursor = connection.execute(
        "INSERT INTO fields (slide, number, island, x, y, width, height, cell_width, taken_at, source, checks, "
        "uncovered, turn, glimpse) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            slide.number,
            number,
            field.island,
            field.x,
            field.y,
            field.width,
            field.height,
            field.cell_width,
            field.taken_at.isoformat(),
            field.source,
            json.dumps(checks_json(field.quality)),
            json.dumps(field.uncovered),
            field.turn,
            thumbnail,
        ),
    )
    field_id = row_number(cursor.lastrowid)
    if picture is not None:
        connection.execute("INSERT INTO pictures (field_id, jpeg) VALUES (?, ?)", (field_id, picture))
    return field_id, number


def insert_cell(
    connection: sqlite3.Connection, field_id: int, field: NewField, one: ClassifiedCell, crop: bytes
) -> int:
    """Insert a newly counted cell of a field and return its id."""
    cursor = connection.execute(
        "INSERT INTO cells (field_id, box_x, box_y, box_width, box_height, x, y, probability, label, doubtful, "
        "crop, strain) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            field_id,
            *one.cell.box,
            *field.on_slide(one.cell.centre),
            one.probability,
            one.label,
            one.doubtful,
            crop,
            field.quality.strain,
        ),
    )
    cell_id = row_number(cursor.lastrowid)
    _keep_outline(connection, cell_id, one)
    return cell_id


def _keep_outline(connection: sqlite3.Connection, cell_id: int, one: ClassifiedCell) -> None:
    """Keep what of its box is the cell."""
    connection.execute(
        "INSERT OR REPLACE INTO outlines (cell_id, mask) VALUES (?, ?)", (cell_id, encode_mask(one.cell.mask))
    )


def take_better_views(
    connection: sqlite3.Connection,
    field_id: int,
    field: NewField,
    better: Sequence[BetterView],
    withdrawn: Sequence[int],
) -> None:
    """Let a field's verdicts stand for cells that it shows better, and keep the former ones.

    Where a cell is on the slide stays as it was first seen: what is counted is recognised by it.
    """
    for one in better:
        connection.execute(
            "INSERT INTO views (cell_id, field_id, box_x, box_y, box_width, box_height, probability, label, "
            "doubtful, strain, replaced_at) SELECT cell_id, field_id, box_x, box_y, box_width, box_height, "
            "probability, label, doubtful, strain, ? FROM cells WHERE cell_id = ?",
            (field.taken_at.isoformat(), one.cell_id),
        )
        connection.execute(
            "UPDATE cells SET field_id = ?, box_x = ?, box_y = ?, box_width = ?, box_height = ?, "
            "probability = ?, label = ?, doubtful = ?, crop = ?, strain = ? WHERE cell_id = ?",
            (
                field_id,
                *one.cell.cell.box,
                one.cell.probability,
                one.cell.label,
                one.cell.doubtful,
                one.crop,
                field.quality.strain,
                one.cell_id,
            ),
        )
        _keep_outline(connection, one.cell_id, one.cell)
    # That a cell is a duplicate of itself says that it is none.
    connection.executemany(
        "UPDATE cells SET duplicate_of = cell_id WHERE cell_id = ?", [(one,) for one in withdrawn]
    )
