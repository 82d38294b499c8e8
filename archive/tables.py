"""The columns of the dataset: a row a field and a row a cell, as pandas, DuckDB and R read them."""

from collections.abc import Sequence

import pyarrow as pa

from archive.judging import FieldRow
from edge.fields.quality import CheckName

DUPLICATE = "duplicate"
"""Outcome of a picture whose very bytes were judged at another address: it is counted there and not here."""

CHECK_COLUMNS = {str(check): f"check_{check.name.lower()}" for check in CheckName}
"""Column of each quality check's value."""

_WORD = pa.dictionary(pa.int32(), pa.string())

FIELD_SCHEMA = pa.schema(
    [
        ("slide", pa.string()),
        ("source", pa.string()),
        ("stamp", pa.string()),
        ("sha256", pa.string()),
        ("bytes", pa.int64()),
        ("outcome", pa.string()),
        ("reason", pa.string()),
        ("reason_code", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("cell_width", pa.float64()),
        ("cell_count", pa.int32()),
        ("parasitized_count", pa.int32()),
        ("white_cell_count", pa.int32()),
        ("model_sha256", pa.string()),
        *((column, pa.float64()) for column in CHECK_COLUMNS.values()),
    ]
)
CELL_SCHEMA = pa.schema(
    [
        ("slide", pa.string()),
        ("sha256", pa.string()),
        ("x", pa.int32()),
        ("y", pa.int32()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("probability", pa.float64()),
        ("label", _WORD),
        ("counted", pa.bool_()),
        ("doubtful", pa.bool_()),
        ("model_sha256", _WORD),
    ]
)
"""``sha256`` is the field's."""


def field_table(rows: Sequence[tuple[FieldRow, bool]], model_sha256: str) -> pa.Table:
    """Make the table of some fields.

    Args:
        rows: each field, and whether it is a duplicate.
        model_sha256: of the network that judged them.
    """
    records = []
    for row, duplicate in rows:
        address = row.address
        records.append(
            {
                "slide": address.slide,
                "source": address.source,
                "stamp": address.stamp,
                "sha256": row.sha256,
                "bytes": row.size,
                "outcome": DUPLICATE if duplicate else str(row.outcome),
                "reason": None if row.reason is None else str(row.reason),
                "reason_code": None if row.reason is None else str(row.reason.code),
                "width": row.width,
                "height": row.height,
                "cell_width": row.cell_width,
                "cell_count": 0 if duplicate else row.counted,
                "parasitized_count": 0 if duplicate else row.parasitized,
                "white_cell_count": 0 if duplicate else row.white_cells,
                "model_sha256": model_sha256,
                **{CHECK_COLUMNS[name]: value for name, value in row.checks.items()},
            }
        )
    return pa.Table.from_pylist(records, FIELD_SCHEMA)


def cell_table(rows: Sequence[FieldRow], model_sha256: str) -> pa.Table:
    """Make the table of the cells of some fields."""
    flat = [(row.address.slide, row.sha256, *cell) for row in rows for cell in row.cells]
    columns = list(zip(*flat, strict=True)) or [()] * 10
    slide, sha256, x, y, width, height, probability, label, counted, doubtful = columns
    model = [model_sha256] * len(flat)
    values = (slide, sha256, x, y, width, height, probability, label, counted, doubtful, model)
    arrays = [pa.array(value, field.type) for value, field in zip(values, CELL_SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=CELL_SCHEMA)
