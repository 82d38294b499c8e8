"""What people marked on the fields: boxes, points and masks, and which detection is which mark."""

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cells.tables import named_rows, numbers_of
from edge.messages.train_codes import TrainCode
from train.data.dataset import DataError

Box = tuple[float, float, float, float]
# Annotators draw boxes to the border's last pixels or nearly so.
BORDER = 2
RED_LABEL, WHITE_LABEL = "red blood cell", "leukocyte"
INFECTED_LABELS = frozenset({"ring", "trophozoite", "schizont", "gametocyte"})
"""Labels of boxes that mean *parasitised*: the stages that BBBC041 tells apart."""


class LabelledBox(NamedTuple):
    """A marked cell: x, y, width, height in px, and BBBC041's label."""

    box: Box
    label: str

    @property
    def infected(self) -> bool:
        """Whether a parasite of any stage is in it."""
        return self.label in INFECTED_LABELS


def annotated_boxes(folder: Path) -> dict[str, list[LabelledBox]]:
    """Boxes by picture, from `boxes.csv` (image, label, x, y, w, h).

    Raises:
        TableError: it cannot be read.
    """
    path = folder / "boxes.csv"
    boxes: dict[str, list[LabelledBox]] = defaultdict(list)
    for row in named_rows(path, ("image", "label", *"xywh")):
        x, y, w, h = numbers_of(path, row, "xywh")
        boxes[row["image"]].append(LabelledBox((x, y, w, h), row["label"]))
    return dict(boxes)


def annotated_points(folder: Path) -> dict[str, list[tuple[int, int]]]:
    """Points by picture, from `points.csv` (image, x, y).

    Raises:
        TableError: it cannot be read.
    """
    path = folder / "points.csv"
    points: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in named_rows(path, ("image", "x", "y")):
        x, y = map(int, numbers_of(path, row, "xy"))
        points[row["image"]].append((x, y))
    return dict(points)


def annotated_mask(folder: Path, name: str) -> NDArray[np.uint8]:
    """The mask of all cells of a picture, uint8 0/255 (h, w).

    Raises:
        DataError: it cannot be read.
    """
    path = folder / "masks" / f"{Path(name).stem}.png"
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise DataError(TrainCode.NO_MASK, path=path)
    return np.asarray(mask, np.uint8)


def is_whole(box: Box, width: int, height: int) -> bool:
    """Whether the border of a picture of this size does not cut a cell."""
    x, y, w, h = box
    return x > BORDER and y > BORDER and x + w < width - BORDER and y + h < height - BORDER


def match_boxes(annotated: list[Box], found: list[Box]) -> list[tuple[int, int]]:
    """Match one to one, nearest centres first, where each centre is in the other's box.

    Args:
        annotated: x, y, width, height, px.
        found: likewise.

    Returns:
        Pairs of indices into both lists.
    """
    if not annotated or not found:
        return []
    a, b = np.asarray(annotated, float), np.asarray(found, float)
    a_centre, b_centre = a[:, :2] + a[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2

    def inside(points: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
        away = points[:, None] - boxes[None, :, :2]
        return np.all((away >= 0) & (away <= boxes[None, :, 2:]), axis=2)

    distance = np.linalg.norm(a_centre[:, None] - b_centre[None], axis=2)
    return _pairs(np.where(inside(a_centre, b) & inside(b_centre, a).T, distance, np.inf))


def match_by_overlap(annotated: list[Box], found: list[Box], least: float = 0.5) -> list[tuple[int, int]]:
    """Match one to one, the largest intersection over union first, none below `least`.

    Args:
        annotated: x, y, width, height, px.
        found: likewise.
        least: smallest intersection over union, (0, 1].
    """
    if not annotated or not found:
        return []
    a, b = np.asarray(annotated, float)[:, None], np.asarray(found, float)[None]
    low = np.maximum(a[..., :2], b[..., :2])
    high = np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:])
    both = np.prod(np.maximum(high - low, 0), axis=2)
    share = both / (np.prod(a[..., 2:], axis=2) + np.prod(b[..., 2:], axis=2) - both)
    return _pairs(np.where(share >= least, 1 - share, np.inf))


def _pairs(cost: NDArray[np.float64]) -> list[tuple[int, int]]:
    """The cheapest pair first, each row and column once, infinite costs never."""
    cost = cost.copy()
    pairs: list[tuple[int, int]] = []
    for index in np.argsort(cost, axis=None):
        row, column = divmod(int(index), cost.shape[1])
        if np.isfinite(cost[row, column]):
            pairs.append((row, column))
            cost[row], cost[:, column] = np.inf, np.inf
    return pairs
