"""Verdicts drawn on pictures: a contact sheet of single cells, the outlines of a field's cells.

A verdict is told three ways, so that no one depends on seeing red from green: by colour (vermilion and blue
of Okabe and Ito's palette, which colour-blind people tell apart), by a symbol (a filled triangle, an open
circle, an open square, a cross), and by the outline (double, single, broken).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, assert_never

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.about import RESEARCH_USE_SHORT
from edge.types import Label, Rgb

Colour = tuple[int, int, int]

# Okabe and Ito, "Color Universal Design" (2008): vermilion, blue, and orange darkened to be read on paper.
PARASITIZED_COLOUR: Colour = (213, 94, 0)
UNINFECTED_COLOUR: Colour = (0, 114, 178)
INCONCLUSIVE_COLOUR: Colour = (161, 111, 0)
UNJUDGED_COLOUR: Colour = (110, 110, 110)

_PAPER: Colour = (250, 250, 248)
_INK: Colour = (34, 34, 34)
_FAINT: Colour = (105, 105, 105)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
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


class OutlinedCell(NamedTuple):
    """One cell of a field as it is drawn.

    Attributes:
        box: (x, y, w, h) in px of the field.
        label: its verdict, or None for a cell that was found but not judged.
        probability: of Parasitized, 0..1, or None.
        counted: False for cells cut by the border and the like, drawn broken.
        mask: uint8 0/255 in the box's size; without it an ellipse fills the box.
    """

    box: tuple[int, int, int, int]
    label: Label | None
    probability: float | None = None
    counted: bool = True
    mask: NDArray[np.uint8] | None = None


def colour_of(label: Label | None) -> Colour:
    """RGB in which a label is drawn, here and in every report."""
    match label:
        case Label.PARASITIZED:
            return PARASITIZED_COLOUR
        case Label.UNINFECTED:
            return UNINFECTED_COLOUR
        case Label.INCONCLUSIVE:
            return INCONCLUSIVE_COLOUR
        case None:
            return UNJUDGED_COLOUR
        case _:
            assert_never(label)


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
    sheet = np.full((height, width, 3), _PAPER, np.uint8)
    _write(sheet, title, (_MARGIN, 30), 0.7, _INK, bold=True)
    counts = _counts([item.label for item in items])
    _write(sheet, counts, (width - _MARGIN - _text_width(counts, 0.45), 30), 0.45, _INK)
    for number, item in enumerate(items):
        row, column = divmod(number, columns)
        _draw_tile(sheet, _MARGIN + column * _TILE_WIDTH, _HEADER + row * _TILE_HEIGHT, item)
    _draw_legend(sheet, _MARGIN, height - 15, any(item.label == Label.INCONCLUSIVE for item in items))
    _write(
        sheet,
        RESEARCH_USE_SHORT,
        (width - _MARGIN - _text_width(RESEARCH_USE_SHORT, 0.5), height - 13),
        0.5,
        _INK,
    )
    return sheet


def draw_field(rgb: Rgb, cells: Sequence[OutlinedCell], *, probabilities: bool = True) -> Rgb:
    """Outline the cells of a field by verdict, in its own size plus a footer.

    Parasitized cells get a thick double outline and a triangle, uninfected ones a thin outline, cells that
    are not counted or not judged a broken one.

    Args:
        rgb: the field, uint8 (h, w, 3); left as it is.
        cells: what to draw; later ones lie on top.
        probabilities: print P(Parasitized) beside parasitized cells.

    Returns:
        RGB uint8 (h + footer, w, 3).
    """
    width = rgb.shape[1]
    scale = max(width / 1280.0, 0.5)
    canvas = rgb.copy()
    for cell in sorted(cells, key=lambda one: one.label == Label.PARASITIZED):
        _outline(canvas, cell, scale)
    for cell in cells:
        if cell.label == Label.PARASITIZED:
            _flag(canvas, cell, scale, probabilities)
    bar = _footer_bar(width, [cell.label for cell in cells if cell.counted])
    return np.vstack([canvas, bar])


def _footer_bar(width: int, counted: Sequence[Label | None]) -> Rgb:
    """The strip under a field: the words that must not be missing, and the counts where they fit too."""
    scale = max(width / 1280.0, 0.8)  # below this letters cannot be read
    size, gap = 0.5 * scale, round(12 * scale)
    bar = np.full((round(36 * scale), width, 3), _PAPER, np.uint8)
    if _text_width(RESEARCH_USE_SHORT, size) + 2 * gap > width:
        size *= max(width - 2 * gap, 1) / _text_width(RESEARCH_USE_SHORT, size)
    left = width - gap - _text_width(RESEARCH_USE_SHORT, size)
    _write(bar, RESEARCH_USE_SHORT, (left, round(24 * scale)), size, _INK)
    words = _counts(counted)
    if gap + _text_width(words, size) + gap < left:
        _write(bar, words, (gap, round(24 * scale)), size, _INK)
    return bar


def _counts(labels: Sequence[Label | None]) -> str:
    parasitized, uninfected = labels.count(Label.PARASITIZED), labels.count(Label.UNINFECTED)
    words = f"{parasitized} parasitized, {uninfected} uninfected"
    inconclusive = labels.count(Label.INCONCLUSIVE)
    if inconclusive:
        words += f", {inconclusive} inconclusive"
    unjudged = len(labels) - parasitized - uninfected - inconclusive
    return f"{words}, {unjudged} not judged" if unjudged else words


def _draw_tile(sheet: Rgb, left: int, top: int, item: VerdictTile) -> None:
    colour = colour_of(item.label)
    x, y = left + (_TILE_WIDTH - _PICTURE_SIDE) // 2, top + 6
    _paste(sheet, item.rgb, x, y, _PICTURE_SIDE)
    corner = (x - 4, y - 4, _PICTURE_SIDE + 8, _PICTURE_SIDE + 8)
    if item.label == Label.PARASITIZED:
        _frame(sheet, corner, colour, 4)
    elif item.label == Label.UNINFECTED:
        _frame(sheet, corner, colour, 1)
    else:
        _broken_frame(sheet, corner, colour)
    baseline = y + _PICTURE_SIDE + 22
    _symbol(sheet, (x + 6, baseline - 5), 6, item.label)
    _write(
        sheet,
        item.label or "not judged",
        (x + 18, baseline),
        0.45,
        colour,
        bold=item.label == Label.PARASITIZED,
    )
    if item.probability is not None:
        figure = f"{item.probability:.3f}"
        place = (x + _PICTURE_SIDE - _text_width(figure, 0.45), baseline)
        _write(sheet, figure, place, 0.45, _INK)
    _write(sheet, _fit(item.name, _PICTURE_SIDE, 0.38), (x, baseline + 19), 0.38, _FAINT)


def _draw_legend(sheet: Rgb, left: int, baseline: int, inconclusive: bool) -> None:
    labels = [Label.PARASITIZED, Label.UNINFECTED, *([Label.INCONCLUSIVE] if inconclusive else []), None]
    for label in labels:
        words = label or "not judged"
        _symbol(sheet, (left + 6, baseline - 4), 6, label)
        _write(sheet, words, (left + 17, baseline), 0.4, colour_of(label))
        left += 34 + _text_width(words, 0.4)
    _write(sheet, "Figures: P(Parasitized)", (left, baseline), 0.4, _FAINT)


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


def _symbol(canvas: Rgb, centre: tuple[int, int], radius: int, label: Label | None) -> None:
    """Filled triangle: parasitized; open circle: uninfected; open square: inconclusive; cross: not judged."""
    x, y = centre
    colour = colour_of(label)
    if label == Label.PARASITIZED:
        corners = np.array([[x, y - radius], [x - radius, y + radius], [x + radius, y + radius]], np.int32)
        cv2.fillPoly(canvas, [corners], colour, cv2.LINE_AA)
    elif label == Label.UNINFECTED:
        cv2.circle(canvas, centre, radius - 1, colour, 2, cv2.LINE_AA)
    elif label == Label.INCONCLUSIVE:
        _frame(canvas, (x - radius + 1, y - radius + 1, 2 * radius - 1, 2 * radius - 1), colour, 2)
    else:
        reach = radius - 2
        cv2.line(canvas, (x - reach, y - reach), (x + reach, y + reach), colour, 2, cv2.LINE_AA)
        cv2.line(canvas, (x - reach, y + reach), (x + reach, y - reach), colour, 2, cv2.LINE_AA)


def _frame(canvas: Rgb, box: tuple[int, int, int, int], colour: Colour, thickness: int) -> None:
    x, y, w, h = box
    cv2.rectangle(canvas, (x, y), (x + w - 1, y + h - 1), colour, thickness)


def _broken_frame(canvas: Rgb, box: tuple[int, int, int, int], colour: Colour) -> None:
    x, y, w, h = box
    corners = [(x, y), (x + w - 1, y), (x + w - 1, y + h - 1), (x, y + h - 1)]
    path = [
        (x0 + (x1 - x0) * k // 24, y0 + (y1 - y0) * k // 24)
        for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True)
        for k in range(24)
    ]
    _dashes(canvas, np.array(path, np.int32), colour, 2, 2)


def _dashes(canvas: Rgb, points: NDArray[np.int32], colour: Colour, thickness: int, run: int) -> None:
    """Draw every other run of segments of a closed path."""
    for start in range(0, len(points), 2 * run):
        piece = points[start : start + run + 1]
        cv2.polylines(canvas, [piece], False, colour, thickness, cv2.LINE_AA)


def _contour(cell: OutlinedCell) -> NDArray[np.int32]:
    """The cell's outline, int32 (n, 2) in px of the field."""
    x, y, w, h = cell.box
    if cell.mask is not None:
        padded = cv2.copyMakeBorder(cell.mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        contours, _ = cv2.findContours(padded, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if contours:
            longest = max(contours, key=len)
            return np.asarray(longest.reshape(-1, 2) + np.array([x - 1, y - 1]), np.int32)
    turn = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    points = np.column_stack((x + w / 2 + w / 2 * np.cos(turn), y + h / 2 + h / 2 * np.sin(turn)))
    return np.rint(points).astype(np.int32)


def _outline(canvas: Rgb, cell: OutlinedCell, scale: float) -> None:
    points = _contour(cell)
    colour = colour_of(cell.label)
    thin, thick = max(round(1.6 * scale), 1), max(round(3 * scale), 2)
    if not cell.counted or cell.label is None:
        _dashes(canvas, points, colour, thin, max(round(6 * scale), 3))
    elif cell.label == Label.PARASITIZED:
        # A pale line under the coloured one makes it double, and visible on every stain.
        cv2.polylines(canvas, [points], True, (255, 255, 255), thick + max(round(4 * scale), 2), cv2.LINE_AA)
        cv2.polylines(canvas, [points], True, colour, thick, cv2.LINE_AA)
    else:
        cv2.polylines(canvas, [points], True, colour, thin, cv2.LINE_AA)


def _flag(canvas: Rgb, cell: OutlinedCell, scale: float, probabilities: bool) -> None:
    """A triangle and the probability on a pale plate at the cell's upper right corner, inside the picture."""
    x, y, w, h = cell.box
    scale = max(scale, 0.8)
    size, radius = 0.45 * scale, round(6 * scale)
    figure = f"{cell.probability:.2f}" if probabilities and cell.probability is not None else ""
    plate_w = 3 * radius + (_text_width(figure, size) + radius // 2 if figure else 0)
    plate_h = 3 * radius
    # Where a round cell's outline passes at half past one: 0.854 = (1 + sqrt(1/2)) / 2.
    left = int(np.clip(x + 0.854 * w, 0, max(canvas.shape[1] - plate_w, 0)))
    top = int(np.clip(y + 0.146 * h - plate_h, 0, max(canvas.shape[0] - plate_h, 0)))
    cv2.rectangle(canvas, (left, top), (left + plate_w, top + plate_h), _PAPER, -1)
    _symbol(canvas, (left + radius + radius // 2, top + plate_h // 2), radius, cell.label)
    if figure:
        _write(canvas, figure, (left + 3 * radius, top + plate_h // 2 + round(5 * scale)), size, _INK)


def _text_width(text: str, size: float) -> int:
    return int(cv2.getTextSize(text, _FONT, size, 1)[0][0])


def _fit(text: str, width: int, size: float) -> str:
    """Cut a text in its middle until it fits, and to the ASCII that OpenCV's font has."""
    text = text.encode("ascii", "replace").decode("ascii")
    if _text_width(text, size) <= width:
        return text
    keep = len(text)
    while keep > 2 and _text_width(f"{text[: keep // 2]}..{text[-(keep - keep // 2) :]}", size) > width:
        keep -= 1
    return f"{text[: keep // 2]}..{text[-(keep - keep // 2) :]}"


def _write(
    canvas: Rgb, text: str, baseline: tuple[int, int], size: float, colour: Colour, *, bold: bool = False
) -> None:
    # OpenCV 4 smears small letters when they are drawn bold, so only the title is.
    thickness = (2 if bold else 1) * max(round(size), 1)
    cv2.putText(canvas, text, baseline, _FONT, size, colour, thickness, cv2.LINE_AA)
