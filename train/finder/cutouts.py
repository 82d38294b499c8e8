"""Single cells cut from pictures whose licence allows training, as optical density: the bricks of scenes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.segmentation.background import estimate_background, lit_area, optical_density
from edge.segmentation.outlines import CellKind
from train.finder.annotations import AnnotatedField, Mark
from train.finder.shape_segmentation import find_cells_by_shape

# Cut-outs are stored this wide: as wide as the widest cell of a scene.
CUTOUT_WIDTH = 48
# A cut-out from a field must be this convex to be believed to be one cell.
ONE_CELL = 0.93


class Cutout(NamedTuple):
    """One cell.

    Attributes:
        density: float32 (h, w, 3), optical density over its own median, 1 is typical; 0 outside the cell.
        alpha: float32 (h, w), 1 on the cell.
        source: pictures of one source look alike and are mixed within a scene.
        white: a white cell.
    """

    density: NDArray[np.float32]
    alpha: NDArray[np.float32]
    source: str
    white: bool


def cutouts_of(fields: Iterable[AnnotatedField]) -> list[Cutout]:
    """Cut the lone red cells and the whole white cells out of marked fields.

    Args:
        fields: what training may see.
    """
    found: list[Cutout] = []
    for field in fields:
        found += _lone_cells(field)
        for mark in field.marks:
            if mark.kind == CellKind.WHITE:
                found += _white_cell(field, mark)
    return found


def _white_cell(field: AnnotatedField, mark: Mark) -> list[Cutout]:
    """The ellipse in a white cell's box, if the whole box is in the picture."""
    x, y, w, h = mark[:4]
    left, top, right, bottom = round(x - w / 2), round(y - h / 2), round(x + w / 2), round(y + h / 2)
    if left < 2 or top < 2 or right > field.rgb.shape[1] - 2 or bottom > field.rgb.shape[0] - 2:
        return []
    density = optical_density(field.rgb, estimate_background(field.rgb))[top:bottom, left:right]
    alpha = np.zeros(density.shape[:2], np.float32)
    cv2.ellipse(alpha, ((w / 2, h / 2), (w * 0.98, h * 0.98), 0), 1.0, cv2.FILLED)
    cutout = _normalised(density, alpha, field.name, white=True)
    return [] if cutout is None else [cutout]


def _lone_cells(field: AnnotatedField) -> list[Cutout]:
    """Regions that hold exactly one mark, of a red cell, and have the shape of one cell."""
    rgb = field.rgb
    density = optical_density(rgb, estimate_background(rgb, lit_area(rgb)))
    found: list[Cutout] = []
    for box, mask in find_cells_by_shape(rgb):
        x, y, w, h = box
        if x <= 1 or y <= 1 or x + w >= rgb.shape[1] - 1 or y + h >= rgb.shape[0] - 1:
            continue
        inside = [
            mark.kind
            for mark in field.marks
            if x <= mark.x < x + w and y <= mark.y < y + h and mask[int(mark.y) - y, int(mark.x) - x]
        ]
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        outline = max(contours, key=cv2.contourArea)
        convexity = cv2.contourArea(outline) / max(cv2.contourArea(cv2.convexHull(outline)), 1)
        if inside != [CellKind.RED] or convexity < ONE_CELL or min(w, h) < 12:
            continue
        cutout = _normalised(
            density[y : y + h, x : x + w], (mask > 0).astype(np.float32), field.name, white=False
        )
        if cutout is not None:
            found.append(cutout)
    return found


def _normalised(
    density: NDArray[np.float32], alpha: NDArray[np.float32], source: str, *, white: bool
) -> Cutout | None:
    """Scale to CUTOUT_WIDTH and to a mean density of one."""
    scale = CUTOUT_WIDTH / max(alpha.shape)
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    density = cv2.resize(
        np.ascontiguousarray(density) * alpha[..., None], None, fx=scale, fy=scale, interpolation=mode
    )
    alpha = cv2.resize(alpha, None, fx=scale, fy=scale, interpolation=mode)
    inside = alpha > 0.5
    if inside.sum() < 100:
        return None
    mean = float(np.median(density.mean(axis=2)[inside]))
    if mean < 0.02:
        return None
    density = np.clip(density / mean, 0, 6)
    return Cutout(density.astype(np.float32), alpha.astype(np.float32), source, white)
