"""Fields whose cells people marked, by a point (Chula RBC-12, MIT) or by a box (TXL-PBC, MIT).

Every fourth field of each set is held out of training: settings are chosen and figures told on those.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.segmentation.outlines import CellKind

# The kinds of TXL-PBC's labels, by their number.
_TXL_KINDS = {0: CellKind.WHITE, 1: CellKind.RED, 2: CellKind.FRAGMENT}
HELD_OUT = 4


class Mark(NamedTuple):
    """A marked cell.

    Attributes:
        x: centre, px from the field's left.
        y: centre, px from its top.
        w: width, px; 0 where only a point was marked.
        h: height, px; likewise.
        kind: what it is; a platelet is a fragment.
    """

    x: float
    y: float
    w: float = 0.0
    h: float = 0.0
    kind: CellKind = CellKind.RED


class AnnotatedField(NamedTuple):
    """A field and its marks.

    Attributes:
        name: set and picture.
        rgb: uint8 (h, w, 3).
        marks: of all its cells.
        held_out: whether training must not see it.
    """

    name: str
    rgb: NDArray[np.uint8]
    marks: tuple[Mark, ...]
    held_out: bool


def read_chula(folder: Path) -> list[AnnotatedField]:
    """Read the Chula RBC-12 fields: `points.csv` (image, x, y, type) and `images/`."""
    points: dict[str, list[Mark]] = defaultdict(list)
    with (folder / "points.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            points[row["image"]].append(Mark(float(row["x"]), float(row["y"])))
    return [
        AnnotatedField(
            f"chula {name}", _read(folder / "images" / name), tuple(points[name]), is_held_out(index)
        )
        for index, name in enumerate(sorted(points))
    ]


def read_txl(folder: Path) -> list[AnnotatedField]:
    """Read the TXL-PBC fields: `labels/*.txt` (kind x y w h, in shares of the picture) and `images/*.jpg`."""
    fields: list[AnnotatedField] = []
    for index, path in enumerate(sorted((folder / "labels").glob("*.txt"))):
        rgb = _read(folder / "images" / f"{path.stem}.jpg")
        height, width = rgb.shape[:2]
        marks: list[Mark] = []
        for line in path.read_text().splitlines():
            if line.strip():
                kind, x, y, w, h = (float(value) for value in line.split()[:5])
                marks.append(Mark(x * width, y * height, w * width, h * height, _TXL_KINDS[int(kind)]))
        fields.append(AnnotatedField(f"txl {path.stem}", rgb, tuple(marks), is_held_out(index)))
    return fields


def is_held_out(index: int) -> bool:
    """Whether training must not see the field of this place in its set, its names sorted."""
    return index % HELD_OUT == HELD_OUT - 1


def _read(path: Path) -> NDArray[np.uint8]:
    bgr = cv2.imread(str(path))
    if bgr is None:
        raise FileNotFoundError(f"The picture {path} is missing or cannot be read.")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
