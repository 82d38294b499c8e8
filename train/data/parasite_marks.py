"""Which cell a marked parasite is in.

A parasite is in the cell whose own outline holds most of it, and not in every cell whose box does: where cells touch,
the box of one reaches over its neighbour. Of the cells that held a parasite's centre in their box at MP-IDB, one in
eight has none in its outline (55 of 460).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Box

INFECTED, UNINFECTED, LEFT_OUT = 1, 0, -1
LEAST_BLOB, DOUBTFUL_PIXELS = 100, 30
"""Pixels of a blob that is a parasite, and of the mask in a cell that is no uninfected one any more."""
LEAST_INSIDE = 0.3
"""Share of a parasite that must lie within a cell's outline: parasites lie on the rim, too, and marks are wide."""


class MarkableCell(Protocol):
    """A cell that was found in a field, whatever else is known of it."""

    @property
    def box(self) -> Box:
        """x, y, width, height in the field, px."""
        ...

    @property
    def mask(self) -> NDArray[np.uint8]:
        """Of its box, uint8 (height, width); above 0 on the cell."""
        ...

    @property
    def counted(self) -> bool:
        """Whether it is one whole red cell."""
        ...


Labeller = Callable[[Sequence[MarkableCell]], list[int]]
"""From found cells to a label for each: `INFECTED`, `UNINFECTED`, or `LEFT_OUT` where it is in doubt."""


class _Parasite(NamedTuple):
    """Its box in the field, px, and its pixels there, bool (height, width)."""

    box: Box
    pixels: NDArray[np.bool_]


def by_mask(mask: NDArray[np.bool_]) -> Labeller:
    """Label by a mask of parasites, bool (h, w): a blob a parasite. In doubt: other cells with part of a blob."""
    _, blobs, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    parasites = []
    for number, (x, y, w, h, area) in enumerate(stats.tolist()):
        if number and area >= LEAST_BLOB:
            parasites.append(_Parasite((x, y, w, h), blobs[y : y + h, x : x + w] == number))

    def label(cells: Sequence[MarkableCell]) -> list[int]:
        return _label(cells, parasites, [int(_cut(mask, cell.box).sum()) > DOUBTFUL_PIXELS for cell in cells])

    return label


def by_boxes(boxes: Sequence[Box], unreal: NDArray[np.bool_]) -> Labeller:
    """Label by a box a parasite. In doubt: other cells that hold pixels which are not real, bool (h, w)."""
    parasites = [_Parasite(box, np.ones((box[3], box[2]), np.bool_)) for box in boxes if min(box[2:]) > 0]

    def label(cells: Sequence[MarkableCell]) -> list[int]:
        return _label(cells, parasites, [bool(_cut(unreal, cell.box).any()) for cell in cells])

    return label


def _label(
    cells: Sequence[MarkableCell], parasites: Sequence[_Parasite], doubtful: Sequence[bool]
) -> list[int]:
    labels = [LEFT_OUT if doubt else UNINFECTED for doubt in doubtful]
    infected = set()
    for parasite in parasites:
        inside = [_share_inside(parasite, cell) for cell in cells]
        for number, cell in enumerate(cells):
            if inside[number] or _holds_centre(cell.box, parasite.box):
                labels[number] = LEFT_OUT
        if max(inside, default=0.0) >= LEAST_INSIDE:
            infected.add(int(np.argmax(inside)))
    return [INFECTED if number in infected else label for number, label in enumerate(labels)]


def _share_inside(parasite: _Parasite, cell: MarkableCell) -> float:
    """Share of a parasite's pixels that lie on a cell, 0..1."""
    (x, y, w, h), (left, top, width, height) = parasite.box, cell.box
    x0, y0, x1, y1 = max(x, left), max(y, top), min(x + w, left + width), min(y + h, top + height)
    if x0 >= x1 or y0 >= y1:
        return 0.0
    pixels = parasite.pixels[y0 - y : y1 - y, x0 - x : x1 - x]
    on_cell = cell.mask[y0 - top : y1 - top, x0 - left : x1 - left] > 0
    return np.count_nonzero(pixels & on_cell) / np.count_nonzero(parasite.pixels)


def _holds_centre(box: Box, other: Box) -> bool:
    x, y = other[0] + other[2] / 2, other[1] + other[3] / 2
    return box[0] <= x < box[0] + box[2] and box[1] <= y < box[1] + box[3]


def _cut(mask: NDArray[np.bool_], box: Box) -> NDArray[np.bool_]:
    x, y, width, height = box
    return mask[y : y + height, x : x + width]
