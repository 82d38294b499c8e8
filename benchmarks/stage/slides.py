"""Slides of known truth for a virtual camera: a mosaic of annotated fields, and a drawn one."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.images.files import read_image
from edge.simulation.placement import SlideSettings
from edge.simulation.slide import SimulatedSlide
from edge.types import Rgb
from train.data.field_annotations import WHITE_LABEL, annotated_boxes, annotated_mask

FIELD = (1600, 1200)
"""Width and height of a BBBC041 field, px; the few of another size are left out."""
GLASS = 205.0
"""Level to which the glass of every field is brought, so that a mosaic is one slide."""
SCALE = 0.7
"""Of BBBC041's fields: their cells are then 73 px wide."""
DRAWN = SlideSettings(width=2240, height=2520, cell_width=75.0, parasitaemia=0.05)


class TrueSlide(NamedTuple):
    """A slide and its red cells.

    Attributes:
        rgb: uint8 (h, w, 3).
        boxes: x, y, width, height of its whole red cells, px, (n, 4).
        infected: which of them are, bool (n,).
    """

    rgb: Rgb
    boxes: NDArray[np.float64]
    infected: NDArray[np.bool_]

    @property
    def centres(self) -> NDArray[np.float64]:
        """Middles of the boxes, (n, 2)."""
        return np.asarray(self.boxes[:, :2] + self.boxes[:, 2:] / 2, np.float64)


def mosaic(folder: Path, count: int) -> TrueSlide:
    """Lay the BBBC041 fields with most infected cells side by side, the glass of all of one colour.

    A cell that the border of a field cuts has no box there: what is counted along the seams is in no box.

    Args:
        folder: of BBBC041, with `images`, `masks` and `boxes.csv`.
        count: fields.
    """
    boxes = annotated_boxes(folder)
    order = sorted(boxes, key=lambda name: (-sum(box.infected for box in boxes[name]), name))
    across = max(1, round((count * 0.75) ** 0.5))
    tiles: list[Rgb] = []
    cells: list[tuple[float, float, float, float]] = []
    infected: list[bool] = []
    for name in order:
        rgb = read_image(folder / "images" / name)
        if len(tiles) == count // across * across or rgb.shape[1::-1] != FIELD:
            continue
        glass = np.median(rgb[annotated_mask(folder, name) == 0], axis=0)
        left, top = len(tiles) % across * FIELD[0], len(tiles) // across * FIELD[1]
        tiles.append(np.clip(rgb * (GLASS / np.maximum(glass, 1)), 0, 255).astype(np.uint8))
        for box in boxes[name]:
            if box.label != WHITE_LABEL:
                x, y, w, h = box.box
                cells.append((x + left, y + top, w, h))
                infected.append(box.infected)
    rows = [np.hstack(tiles[at : at + across]) for at in range(0, len(tiles), across)]
    whole = cv2.resize(np.vstack(rows), None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_AREA)
    return TrueSlide(np.asarray(whole, np.uint8), SCALE * np.array(cells, np.float64), np.array(infected))


def drawn_slide(seed: int) -> TrueSlide:
    """Draw a slide of the simulator's with 5 % of its cells infected."""
    slide = SimulatedSlide(seed, DRAWN)
    cells = slide.cells_within(0, 0, *slide.size, whole=True)
    return TrueSlide(
        slide.view(0, 0, *slide.size),
        np.array([cell.box for cell in cells], np.float64).reshape(-1, 4),
        np.array([cell.infected for cell in cells], bool),
    )
