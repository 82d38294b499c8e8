"""A contact sheet: pictures of single cells with their verdicts."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from edge.about import RESEARCH_USE_SHORT
from edge.drawing.marks import (
    FAINT,
    INK,
    PAPER,
    Colour,
    colour_of,
    count_words,
    draw_dashes,
    draw_frame,
    draw_symbol,
    text_width,
    write,
)
from edge.types import Box, Label, Rgb

_PICTURE_SIDE = 144
_TILE_WIDTH, _TILE_HEIGHT = 176, 216
_MARGIN, _HEADER, _FOOTER = 16, 44, 40
# Legend and footer need the width of four tiles to stand side by side.
_LEAST_COLUMNS = 4


class VerdictTile(NamedTuple):
    """One picture on the contact sheet.

    Attributes:
        rgb: uint8 (h, w, 3), any size.
        name: what is printed under it, cut to fit.
        label: its verdict, or None when it could not be judged.
        probability: of Parasitized, 0..1, or None.
    """

    rgb: Rgb
    name: str
    label: Label | None
    probability: float | None


def draw_verdicts(items: Sequence[VerdictTile], *, columns: int = 6, title: str = "Plasmolite") -> Rgb:
    """Draw the contact sheet: each picture with its label and P(Parasitized), in the order given.

    Args:
        items: pictures and verdicts.
        columns: tiles in a row, at least 1.
        title: printed at the top left; the counts are printed at the right of it.

    Returns:
        RGB uint8; 176 px a column wide, 216 px a row high, besides margins, title and footer, and
        never narrower than four columns.

    Raises:
        ValueError: ``columns`` is below 1.
    """
    if columns < 1:
        raise ValueError(f"A contact sheet needs at least one column, and {columns} were asked for.")
    columns = min(columns, max(len(items), 1))
    rows = max(-(-len(items) // columns), 1)
    width = 2 * _MARGIN + max(columns, _LEAST_COLUMNS) * _TILE_WIDTH
    height = _HEADER + rows * _TILE_HEIGHT + _FOOTER
    sheet = np.full((height, width, 3), PAPER, np.uint8)
    write(sheet, title, (_MARGIN, 30), 0.7, INK, bold=True)
    counts = count_words([item.label for item in items])
    write(sheet, counts, (width - _MARGIN - text_width(counts, 0.45), 30), 0.45, INK)
    for number, item in enumerate(items):
        row, column = divmod(number, columns)
        _draw_tile(sheet, _MARGIN + column * _TILE_WIDTH, _HEADER + row * _TILE_HEIGHT, item)
    _draw_legend(sheet, _MARGIN, height - 15, any(item.label == Label.INCONCLUSIVE for item in items))
    write(
        sheet,
        RESEARCH_USE_SHORT,
        (width - _MARGIN - text_width(RESEARCH_USE_SHORT, 0.5), height - 13),
        0.5,
        INK,
    )
    return sheet


def _draw_tile(sheet: Rgb, left: int, top: int, item: VerdictTile) -> None:
    colour = colour_of(item.label)
    x, y = left + (_TILE_WIDTH - _PICTURE_SIDE) // 2, top + 6
    _paste(sheet, item.rgb, x, y, _PICTURE_SIDE)
    corner = (x - 4, y - 4, _PICTURE_SIDE + 8, _PICTURE_SIDE + 8)
    if item.label == Label.PARASITIZED:
        draw_frame(sheet, corner, colour, 4)
    elif item.label == Label.UNINFECTED:
        draw_frame(sheet, corner, colour, 1)
    else:
        _broken_frame(sheet, corner, colour)
    baseline = y + _PICTURE_SIDE + 22
    draw_symbol(sheet, (x + 6, baseline - 5), 6, item.label)
    write(
        sheet,
        item.label or "not judged",
        (x + 18, baseline),
        0.45,
        colour,
        bold=item.label == Label.PARASITIZED,
    )
    if item.probability is not None:
        figure = f"{item.probability:.3f}"
        place = (x + _PICTURE_SIDE - text_width(figure, 0.45), baseline)
        write(sheet, figure, place, 0.45, INK)
    write(sheet, _fit(item.name, _PICTURE_SIDE, 0.38), (x, baseline + 19), 0.38, FAINT)


def _draw_legend(sheet: Rgb, left: int, baseline: int, inconclusive: bool) -> None:
    labels = [Label.PARASITIZED, Label.UNINFECTED, *([Label.INCONCLUSIVE] if inconclusive else []), None]
    for label in labels:
        words = label or "not judged"
        draw_symbol(sheet, (left + 6, baseline - 4), 6, label)
        write(sheet, words, (left + 17, baseline), 0.4, colour_of(label))
        left += 34 + text_width(words, 0.4)
    write(sheet, "Figures: P(Parasitized)", (left, baseline), 0.4, FAINT)


def _paste(sheet: Rgb, rgb: Rgb, x: int, y: int, side: int) -> None:
    """Scale a picture into a black square with its proportions kept."""
    height, width = rgb.shape[:2]
    scale = side / max(height, width, 1)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    square = np.zeros((side, side, 3), np.uint8)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    square[top : top + size[1], left : left + size[0]] = cv2.resize(rgb, size, interpolation=method)
    sheet[y : y + side, x : x + side] = square


def _broken_frame(canvas: Rgb, box: Box, colour: Colour) -> None:
    x, y, w, h = box
    corners = [(x, y), (x + w - 1, y), (x + w - 1, y + h - 1), (x, y + h - 1)]
    path = [
        (x0 + (x1 - x0) * k // 24, y0 + (y1 - y0) * k // 24)
        for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True)
        for k in range(24)
    ]
    draw_dashes(canvas, np.array(path, np.int32), colour, 2, 2)


def _fit(text: str, width: int, size: float) -> str:
    """Cut a text in its middle until it fits, and to the ASCII that OpenCV's font has."""
    text = text.encode("ascii", "replace").decode("ascii")
    if text_width(text, size) <= width:
        return text
    keep = len(text)
    while keep > 2 and text_width(f"{text[: keep // 2]}..{text[-(keep - keep // 2) :]}", size) > width:
        keep -= 1
    return f"{text[: keep // 2]}..{text[-(keep - keep // 2) :]}"
