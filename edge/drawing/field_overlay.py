"""A field with the outlines of its cells."""

from collections.abc import Sequence

import cv2
import numpy as np

from edge.about import RESEARCH_USE_SHORT
from edge.drawing.marks import INK, PAPER, colour_of, count_words, draw_dashes, draw_symbol, text_width, write
from edge.fields.analyser import ClassifiedCell
from edge.images.encode import shrink
from edge.segmentation.outlines import FoundCell
from edge.types import Label, Rgb

DrawnCell = FoundCell | ClassifiedCell
"""A cell with its verdict, or one that was found and not classified."""


def draw_field(rgb: Rgb, cells: Sequence[DrawnCell], *, width: int | None = None) -> Rgb:
    """Outline the cells of a field by verdict, with a footer below.

    Parasitised cells get a thick double outline, a triangle and P(Parasitized), uninfected ones a thin outline, cells
    that are not counted or not classified a broken one.

    Args:
        rgb: the field, uint8 (h, w, 3); left as it is.
        cells: what to draw; later ones are on top.
        width: of the drawing at most, px; by default that of the field.

    Returns:
        RGB uint8 (h + footer, w, 3).
    """
    canvas = shrink(rgb, 1.0 if width is None else width / rgb.shape[1]).copy()
    zoom, pen = canvas.shape[1] / rgb.shape[1], max(canvas.shape[1] / 1280.0, 0.5)
    classified = [cell for cell in cells if isinstance(cell, ClassifiedCell)]
    infected = [cell for cell in classified if cell.label == Label.PARASITIZED]
    for cell in sorted(cells, key=lambda one: _label(one) == Label.PARASITIZED):
        _outline(canvas, cell, zoom, pen)
    for cell in infected:
        _flag(canvas, cell, zoom, pen)
    counted = [cell.label for cell in classified if cell.counted]
    return np.vstack([canvas, _footer_bar(canvas.shape[1], counted)])


def _label(cell: DrawnCell) -> Label | None:
    return cell.label if isinstance(cell, ClassifiedCell) else None


def _outline(canvas: Rgb, cell: DrawnCell, zoom: float, pen: float) -> None:
    found = cell.cell if isinstance(cell, ClassifiedCell) else cell
    points = np.rint(found.contour() * zoom).astype(np.int32)
    label = _label(cell)
    colour = colour_of(label)
    thin, thick = max(round(1.6 * pen), 1), max(round(3 * pen), 2)
    if label is None or not found.counted:
        draw_dashes(canvas, points, colour, thin, max(round(6 * pen), 3))
    elif label == Label.PARASITIZED:
        # A pale line under the coloured one makes it double, and visible on every stain.
        cv2.polylines(canvas, [points], True, (255, 255, 255), thick + max(round(4 * pen), 2), cv2.LINE_AA)
        cv2.polylines(canvas, [points], True, colour, thick, cv2.LINE_AA)
    else:
        cv2.polylines(canvas, [points], True, colour, thin, cv2.LINE_AA)


def _footer_bar(width: int, counted: Sequence[Label | None]) -> Rgb:
    """The strip under a field: the words that must not be missing, and the counts where they fit too."""
    scale = max(width / 1280.0, 0.8)  # below this letters cannot be read
    size, gap = 0.5 * scale, round(12 * scale)
    bar = np.full((round(36 * scale), width, 3), PAPER, np.uint8)
    if text_width(RESEARCH_USE_SHORT, size) + 2 * gap > width:
        size *= max(width - 2 * gap, 1) / text_width(RESEARCH_USE_SHORT, size)
    left = width - gap - text_width(RESEARCH_USE_SHORT, size)
    write(bar, RESEARCH_USE_SHORT, (left, round(24 * scale)), size, INK)
    words = count_words(counted)
    if gap + text_width(words, size) + gap < left:
        write(bar, words, (gap, round(24 * scale)), size, INK)
    return bar


def _flag(canvas: Rgb, cell: ClassifiedCell, zoom: float, pen: float) -> None:
    """A triangle and the probability on a pale plate at the cell's upper right corner, inside the picture."""
    x, y, w, h = (zoom * value for value in cell.cell.box)
    pen = max(pen, 0.8)
    size, radius = 0.45 * pen, round(6 * pen)
    figure = f"{cell.probability:.2f}"
    plate_w = 3 * radius + text_width(figure, size) + radius // 2
    plate_h = 3 * radius
    # Where a round cell's outline passes at half past one: 0.854 = (1 + sqrt(1/2)) / 2.
    left = int(np.clip(x + 0.854 * w, 0, max(canvas.shape[1] - plate_w, 0)))
    top = int(np.clip(y + 0.146 * h - plate_h, 0, max(canvas.shape[0] - plate_h, 0)))
    cv2.rectangle(canvas, (left, top), (left + plate_w, top + plate_h), PAPER, -1)
    draw_symbol(canvas, (left + radius + radius // 2, top + plate_h // 2), radius, cell.label)
    write(canvas, figure, (left + 3 * radius, top + plate_h // 2 + round(5 * pen)), size, INK)
