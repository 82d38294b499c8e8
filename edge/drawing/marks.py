"""How a verdict is drawn: colours, symbols and letters that every picture shares.

A verdict is shown three ways, so that no one depends on seeing red from green: by colour (vermilion and blue
of Okabe and Ito's palette, which colour-blind people tell apart), by a symbol (a filled triangle, an open
circle, an open square, a cross), and by the outline (double, single, broken).
"""

from collections.abc import Sequence
from typing import assert_never

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Box, Label, Rgb

Colour = tuple[int, int, int]

# Okabe and Ito, "Color Universal Design" (2008): vermilion, blue, and orange darkened to be read on paper.
PARASITIZED_COLOUR: Colour = (213, 94, 0)
UNINFECTED_COLOUR: Colour = (0, 114, 178)
INCONCLUSIVE_COLOUR: Colour = (161, 111, 0)
UNJUDGED_COLOUR: Colour = (110, 110, 110)

PAPER: Colour = (250, 250, 248)
INK: Colour = (34, 34, 34)
FAINT: Colour = (105, 105, 105)
FONT = cv2.FONT_HERSHEY_SIMPLEX


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


def draw_symbol(canvas: Rgb, centre: tuple[int, int], radius: int, label: Label | None) -> None:
    """Filled triangle: parasitized; open circle: uninfected; open square: inconclusive; cross: not judged."""
    x, y = centre
    colour = colour_of(label)
    if label == Label.PARASITIZED:
        corners = np.array([[x, y - radius], [x - radius, y + radius], [x + radius, y + radius]], np.int32)
        cv2.fillPoly(canvas, [corners], colour, cv2.LINE_AA)
    elif label == Label.UNINFECTED:
        cv2.circle(canvas, centre, radius - 1, colour, 2, cv2.LINE_AA)
    elif label == Label.INCONCLUSIVE:
        draw_frame(canvas, (x - radius + 1, y - radius + 1, 2 * radius - 1, 2 * radius - 1), colour, 2)
    else:
        reach = radius - 2
        cv2.line(canvas, (x - reach, y - reach), (x + reach, y + reach), colour, 2, cv2.LINE_AA)
        cv2.line(canvas, (x - reach, y + reach), (x + reach, y - reach), colour, 2, cv2.LINE_AA)


def draw_frame(canvas: Rgb, box: Box, colour: Colour, thickness: int) -> None:
    """Draw a rectangle."""
    x, y, w, h = box
    cv2.rectangle(canvas, (x, y), (x + w - 1, y + h - 1), colour, thickness)


def draw_dashes(canvas: Rgb, points: NDArray[np.int32], colour: Colour, thickness: int, run: int) -> None:
    """Draw every other run of segments of a closed path."""
    for start in range(0, len(points), 2 * run):
        piece = points[start : start + run + 1]
        cv2.polylines(canvas, [piece], False, colour, thickness, cv2.LINE_AA)


def text_width(text: str, size: float) -> int:
    """Width of a line that `write` draws, px."""
    return int(cv2.getTextSize(text, FONT, size, 1)[0][0])


def write(
    canvas: Rgb,
    text: str,
    baseline: tuple[int, int],
    size: float,
    colour: Colour = INK,
    *,
    bold: bool = False,
) -> None:
    """Write a line of ASCII; `size` 1 gives capitals of 22 px."""
    # OpenCV 4 smears small letters when they are drawn bold, so only the title is.
    thickness = (2 if bold else 1) * max(round(size), 1)
    cv2.putText(canvas, text, baseline, FONT, size, colour, thickness, cv2.LINE_AA)


def count_words(labels: Sequence[Label | None]) -> str:
    """Count labels in words."""
    parasitized, uninfected = labels.count(Label.PARASITIZED), labels.count(Label.UNINFECTED)
    words = f"{parasitized} parasitized, {uninfected} uninfected"
    inconclusive = labels.count(Label.INCONCLUSIVE)
    if inconclusive:
        words += f", {inconclusive} inconclusive"
    unjudged = len(labels) - parasitized - uninfected - inconclusive
    return f"{words}, {unjudged} not judged" if unjudged else words
