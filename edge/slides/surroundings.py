"""What is around a cell in its field: a reviewer tells stain, neighbours and focus by it, which a cut-out hides.

The store keeps each field as one JPEG, made so small that a cell is as wide in it as in its own small picture. Every
cell of a field then has its surroundings, the called ones and those that the machine passed alike, so that a reader who
is blind to the machine learns nothing from whether they are there. Measured on fields of four laboratories, quality 80:
29 to 88 kB a field, a fifth to a half of what the small pictures of its cells take.
"""

import cv2
import numpy as np

from edge.images.encode import encode_jpeg
from edge.images.files import read_image
from edge.segmentation.finder import ImagePyramid
from edge.slides.records import Slide, StoredCell
from edge.slides.store import SlideStore
from edge.types import Rgb

CELL_WIDTH = 64.0
"""Width of a red cell in a stored field at most, px: that of a stored crop of 96 px without its margins."""
LONGEST_SIDE = 1600
"""Of a stored field, px: a field with many small cells is kept smaller."""
REACH = 5
"""Side of what is shown around a cell, in longer sides of its box: the cell is a fifth of the picture."""
_FIELD_QUALITY, _VIEW_QUALITY = 80, 90
_LEAST_SIDE = 320
_GLASS = (225, 225, 225)
"""Beyond the field's border, RGB."""


def stored_picture(rgb: Rgb, cell_width: float) -> bytes:
    """Make the JPEG that is stored of a field.

    Args:
        rgb: the field, uint8 (h, w, 3).
        cell_width: width of a red cell in it, px.
    """
    height, width = rgb.shape[:2]
    scale = min(CELL_WIDTH / cell_width, LONGEST_SIDE / max(height, width), 1.0)
    # Each field is kept while the next frame waits: the mean over areas would take ten times as long.
    small = ImagePyramid(rgb).at((max(1, round(width * scale)), max(1, round(height * scale))))
    return encode_jpeg(small, _FIELD_QUALITY)


def field_picture(store: SlideStore, slide: Slide, number: int) -> tuple[bytes, int] | None:
    """The JPEG of a field by its number, with the width of the field that it was made of, px; None without one."""
    rows = store.database.rows(
        "SELECT jpeg, width FROM pictures JOIN fields USING (field_id) WHERE slide = ? AND number = ?",
        (slide.number, number),
    )
    return (bytes(rows[0]["jpeg"]), int(rows[0]["width"])) if rows else None


def pictured_fields(store: SlideStore, slide: Slide) -> frozenset[int]:
    """The numbers of the fields of a slide whose pictures are kept."""
    rows = store.database.rows(
        "SELECT number FROM pictures JOIN fields USING (field_id) WHERE slide = ?", (slide.number,)
    )
    return frozenset(row["number"] for row in rows)


def surroundings(store: SlideStore, slide: Slide, cell: StoredCell) -> bytes | None:
    """Cut a cell with its neighbours out of the stored field, as a square JPEG with the cell in its middle.

    Returns:
        A picture whose side is `REACH` longer sides of the cell's box; grey where the field ends. None of fields that
        were counted before the store kept their pictures.

    Raises:
        StoreError: the store cannot be read.
        ImageError: the picture is damaged.
    """
    kept = field_picture(store, slide, cell.field_number)
    if kept is None:
        return None
    data, width = kept
    field = read_image(data)
    scale = field.shape[1] / width
    x, y, w, h = (value * scale for value in cell.box)
    side = max(1, round(REACH * max(w, h)))
    left, top = round(x + w / 2 - side / 2), round(y + h / 2 - side / 2)
    view = np.full((side, side, 3), _GLASS, np.uint8)
    inside = field[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)]
    down, right = max(0, -top), max(0, -left)
    view[down : down + inside.shape[0], right : right + inside.shape[1]] = inside
    if side < _LEAST_SIDE:
        view = np.asarray(
            cv2.resize(view, (_LEAST_SIDE, _LEAST_SIDE), interpolation=cv2.INTER_CUBIC), np.uint8
        )
    return encode_jpeg(view, _VIEW_QUALITY)
