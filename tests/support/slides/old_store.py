"""A slide store as an earlier version of its schema held it."""

import sqlite3
from pathlib import Path

from edge.slides.tables.schema import migrate


def write_old_store(path: Path, *, version: int) -> None:
    """Write a store of a slide "old" (7) with a field (3) and its parasitised cell (5)."""
    old = sqlite3.connect(path, isolation_level=None)
    migrate(old, path=str(path), up_to=version)
    old.execute(
        "INSERT INTO slides VALUES (7, 'old', 'n', 'Amina', 'd', 'm', ?, '{}', '2025-01-01T00:00:00+00:00')",
        ("cd" * 32,),
    )
    old.execute(
        "INSERT INTO fields (field_id, slide, number, island, x, y, width, height, cell_width, taken_at, source, "
        "checks, uncovered) VALUES (3, 7, 1, 1, 0, 0, 640, 480, 40, '2025-01-01T00:00:01+00:00', 's', '[]', '[]')"
    )
    old.execute(
        "INSERT INTO cells (cell_id, field_id, box_x, box_y, box_width, box_height, x, y, probability, label, "
        "doubtful, crop) VALUES (5, 3, 1, 2, 40, 41, 21, 22, 0.9, 'Parasitized', 0, x'ffd8')",
    )
    old.close()
