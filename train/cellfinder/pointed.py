"""Real fields whose cells are marked by one point each (Chula RBC-12, MIT), as training pieces.

The stained mask, found classically, is shared out among the points; where mask and points disagree (a point
on no stain, stain without a point, a cell much too small or large) the pixels have no say in training. Small
stain without a point is a platelet or dirt: not a cell.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.background import estimate_background, lit_area, optical_density
from edge.cellnetwork import STRIDE, network_picture
from edge.foreground import estimate_cell_width, find_stain
from train.cellfinder.scenes import SIDE, TYPICAL_WIDTH, Scene

# Stain without a point below this share of a cell's area is taken for dirt.
DIRT_SHARE = 0.2


def pointed_pieces(folder: Path, pieces_each: int, rng: np.random.Generator) -> list[Scene]:
    """Cut pieces from every field.

    Args:
        folder: with `points.csv` (image, x, y, type) and `images/`.
        pieces_each: pieces a field, each at its own random scale and place.
        rng: draws them.
    """
    points: dict[str, list[tuple[int, int]]] = defaultdict(list)
    with (folder / "points.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            points[row["image"]].append((int(row["x"]), int(row["y"])))
    pieces: list[Scene] = []
    for name in sorted(points):
        bgr = cv2.imread(str(folder / "images" / name))
        if bgr is None:
            continue
        rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        pieces += _pieces_of(rgb, np.array(points[name], np.float32), pieces_each, rng)
    return pieces


def _pieces_of(
    rgb: NDArray[np.uint8], points: NDArray[np.float32], count: int, rng: np.random.Generator
) -> list[Scene]:
    lit = lit_area(rgb)
    background = estimate_background(rgb, lit)
    density = optical_density(rgb, background)
    first = estimate_cell_width(find_stain(density, lit, 36).mask)
    stain = find_stain(density, lit, first)
    cell_width = estimate_cell_width(stain.mask)
    pieces: list[Scene] = []
    for _ in range(count):
        scale = TYPICAL_WIDTH / cell_width * float(np.exp(rng.normal(0, 0.15)))
        size = (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))
        if min(size) < SIDE:
            continue
        work = cv2.resize(density, size, interpolation=cv2.INTER_LINEAR)
        mask = cv2.resize(stain.mask, size, interpolation=cv2.INTER_LINEAR)
        target = _target(mask, points * scale, cell_width * scale)
        picture = network_picture(work, stain.typical * float(np.exp(rng.normal(0, 0.2))))
        top, left = (STRIDE * int(rng.integers(0, (n - SIDE) // STRIDE + 1)) for n in (size[1], size[0]))
        half = SIDE // STRIDE
        part = (slice(top // STRIDE, top // STRIDE + half), slice(left // STRIDE, left // STRIDE + half))
        pieces.append(
            Scene(
                np.ascontiguousarray(picture[top : top + SIDE, left : left + SIDE]),
                target[part].astype(np.float16),
            )
        )
    return pieces


def _target(mask: NDArray[np.uint8], points: NDArray[np.float32], cell_width: float) -> NDArray[np.float32]:
    """Targets of a whole field at the network's stride; see `scenes.Scene`."""
    height, width = mask.shape[0] // STRIDE, mask.shape[1] // STRIDE
    small = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    seeds = np.ones((height, width), np.uint8)
    places = np.clip((points / STRIDE).astype(int), 0, [width - 1, height - 1])
    seeds[places[:, 1], places[:, 0]] = 0
    away, nearest = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    stained = small > 0.5
    _, components = cv2.connectedComponents(stained.astype(np.uint8), connectivity=4)
    pointed = np.zeros(int(components.max()) + 1, bool)
    pointed[components[places[:, 1], places[:, 0]]] = True
    pointed[0] = False
    target = np.zeros((height, width, 5), np.float32)
    target[..., 0] = small
    target[..., 4] = 1
    stray = ~pointed[components] & stained
    dirt = stray & (
        np.bincount(components.ravel())[components] < DIRT_SHARE * np.pi / 4 * (cell_width / STRIDE) ** 2
    )
    target[..., 0][dirt] = 0
    target[..., 4][stray & ~dirt] = 0
    reach = cell_width / STRIDE
    target[..., 4][stained & (away > 0.9 * reach)] = 0
    yy, xx = (np.mgrid[:height, :width].astype(np.float32) + 0.5) * STRIDE
    usual = np.pi / 4 * reach**2
    for x, y in places:
        mine = stained & (nearest == nearest[y, x]) & (components == components[y, x])
        area = float(mine.sum())
        rows, columns = np.nonzero(mine)
        cut = area > 0 and (
            rows.min() == 0 or columns.min() == 0 or rows.max() == height - 1 or columns.max() == width - 1
        )
        if not stained[y, x] or area > 2 * usual or (area < 0.35 * usual and not cut):
            near = (xx / STRIDE - x) ** 2 + (yy / STRIDE - y) ** 2 < (0.65 * reach) ** 2
            target[..., 4][near | mine] = 0
            continue
        cx, cy = (columns.mean() + 0.5) * STRIDE, (rows.mean() + 0.5) * STRIDE
        target[..., 2][mine] = (cx - xx[mine]) / TYPICAL_WIDTH
        target[..., 3][mine] = (cy - yy[mine]) / TYPICAL_WIDTH
        spread = 0.1 * cell_width
        bump = np.exp(-((xx - cx) ** 2 + (yy - cy) ** 2) / (2 * spread**2))
        target[..., 1] = np.maximum(target[..., 1], bump)
    return target
