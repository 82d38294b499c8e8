"""Simulated fields with known cells, put together from cut-outs and drawn cells by the physics of absorption.

Where cells overlap their optical densities add; then come defocus, shading, noise and JPEG. Each scene has
one look (stain, cell size, crenation, crowding), drawn over a range wider than laboratories differ.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.segmentation.network import CELL_WIDTH, STRIDE
from train.finder.appearance import Appearance, draw_appearance
from train.finder.artefacts import add_specks
from train.finder.camera import photograph
from train.finder.cutouts import Cutout
from train.finder.scene_cells import SceneCell, cut_cell, drawn_cell, painted_cell, painted_white_cell

SIDE = 160
MARGIN = 32
# Values of a target: cell, centre, offset in x and y, weight, white.
TARGETS = 6
# Share of the scenes with white cells, and how far from one red cells keep, in their width.
WITH_WHITE, CLEAR = 0.3, 1.1


class Scene(NamedTuple):
    """A simulated piece of a field.

    Attributes:
        picture: uint8 (SIDE, SIDE, 3), as `network_picture` makes it.
        target: float16 (SIDE / STRIDE, SIDE / STRIDE, 6): cell, centre, offset x, offset y (in cells of
            typical width, towards the centre), weight of the pixel, white cell.
    """

    picture: NDArray[np.uint8]
    target: NDArray[np.float16]


class LaidCell(NamedTuple):
    """Where a cell is in a scene, margin included: its centre and width, px, and whether it is a white one."""

    x: float
    y: float
    width: float
    white: bool


class Canvas(NamedTuple):
    """A scene in the making, margin included.

    Attributes:
        density: float32 (side, side, 3), what is absorbed.
        labels: int32 (side, side), index of the cell at the pixel, -1 on glass.
        nearness: float32 (side, side), distance to that cell's centre in its radii.
        cells: what was laid.
    """

    density: NDArray[np.float32]
    labels: NDArray[np.int32]
    nearness: NDArray[np.float32]
    cells: list[LaidCell]


class SceneMaker:
    """Makes scenes from a stock of cut-outs.

    Args:
        cutouts: the stock; cells of one source stay together in most scenes.
    """

    def __init__(self, cutouts: list[Cutout]) -> None:
        self._by_source: dict[str, list[Cutout]] = defaultdict(list)
        for cutout in cutouts:
            if not cutout.white:
                self._by_source[cutout.source].append(cutout)
        self._white = [c for c in cutouts if c.white]
        self._sources = sorted(s for s, cells in self._by_source.items() if len(cells) >= 4)

    def make(self, rng: np.random.Generator) -> Scene:
        """Make one scene."""
        appearance = draw_appearance(rng)
        side = SIDE + 2 * MARGIN
        canvas = Canvas(
            np.zeros((side, side, 3), np.float32),
            np.full((side, side), -1, np.int32),
            np.full((side, side), 9.0, np.float32),
            [],
        )
        stock = self._by_source[self._sources[rng.integers(len(self._sources))]]
        whites = rng.uniform(0, side, (int(rng.integers(1, 3)) if rng.random() < WITH_WHITE else 0, 2))
        for x, y in _places(appearance, side, rng):
            if whites.size and np.hypot(*(whites - (x, y)).T).min() < CLEAR * appearance.width:
                continue
            _lay(self._red_cell(stock, appearance, rng), (x, y), canvas, rng)
        for x, y in whites:
            _lay(self._white_cell(appearance, rng), (float(x), float(y)), canvas, rng)
        density = canvas.density * appearance.colour
        add_specks(density, appearance, rng)
        return _crop(photograph(density, appearance, rng), canvas.labels, canvas.cells)

    def _red_cell(self, stock: list[Cutout], appearance: Appearance, rng: np.random.Generator) -> SceneCell:
        """Half of the drawn ones are the simulator's, half drawn more wildly."""
        if rng.random() >= appearance.drawn:
            return cut_cell(stock[rng.integers(len(stock))], appearance, rng)
        return painted_cell(appearance, rng) if rng.random() < 0.5 else drawn_cell(appearance, rng)

    def _white_cell(self, appearance: Appearance, rng: np.random.Generator) -> SceneCell:
        """Three of four are cut out, where there are any."""
        if not self._white or rng.random() < 0.25:
            return painted_white_cell(appearance, rng)
        return cut_cell(self._white[rng.integers(len(self._white))], appearance, rng)


def _places(appearance: Appearance, side: int, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Centres of the cells: scattered, in clumps and in stacks."""
    wanted = int(appearance.crowding * side * side / (appearance.width**2))
    places = np.full((max(wanted, 1), 2), np.inf, np.float32)
    count, least = 0, appearance.width * appearance.overlap
    for _ in range(wanted * 6):
        if count >= wanted:
            break
        if count and rng.random() < appearance.clumping:
            angle = rng.uniform(0, 2 * np.pi)
            reach = least * rng.uniform(1.0, 1.25)
            place = places[rng.integers(count)] + reach * np.array([np.cos(angle), np.sin(angle)])
        else:
            place = rng.uniform(0, side, 2)
        if place.min() < 0 or place.max() >= side:
            continue
        if count and ((places[:count] - place) ** 2).sum(axis=1).min() < least**2:
            continue
        places[count] = place
        count += 1
    return [(float(x), float(y)) for x, y in places[:count]]


def _lay(cell: SceneCell, place: tuple[float, float], canvas: Canvas, rng: np.random.Generator) -> None:
    """Add a cell to the scene; where cells overlap, a pixel belongs to the cell whose centre is nearer."""
    patch, alpha, white = cell
    density, labels, nearness, cells = canvas
    side = labels.shape[0]
    mask = alpha > 0.5
    if mask.sum() < 20:
        return
    if rng.random() < 0.15:
        # Cells do not all lie in one focal plane.
        blur = rng.uniform(0.5, 2.5)
        patch = cv2.GaussianBlur(patch, (0, 0), blur)
    left, top = round(place[0] - patch.shape[1] / 2), round(place[1] - patch.shape[0] / 2)
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(side, left + patch.shape[1]), min(side, top + patch.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    window = (slice(y0, y1), slice(x0, x1))
    part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    rows, columns = np.nonzero(mask)
    cx, cy = left + float(columns.mean()), top + float(rows.mean())
    size = float(np.sqrt(4 * mask.sum() / np.pi))
    # Mostly the densities add; a thick cell on top hides part of what is below.
    hide = rng.choice([0.0, rng.uniform(0.2, 0.8)], p=[0.6, 0.4])
    density[window] = density[window] * (1 - hide * alpha[part][..., None]) + patch[part]
    yy, xx = np.mgrid[y0:y1, x0:x1]
    near = (np.hypot(xx - cx, yy - cy) / (0.5 * size)).astype(np.float32)
    mine = mask[part] & (near < nearness[window])
    labels[window][mine] = len(cells)
    nearness[window][mine] = near[mine]
    cells.append(LaidCell(cx, cy, size, white))


def _crop(picture: NDArray[np.uint8], labels: NDArray[np.int32], cells: list[LaidCell]) -> Scene:
    """Cut the margin off and write the targets at the network's stride."""
    inner = slice(MARGIN, MARGIN + SIDE)
    picture, labels = picture[inner, inner], labels[inner, inner]
    half = SIDE // STRIDE
    covered = (labels >= 0).astype(np.float32).reshape(half, STRIDE, half, STRIDE).mean(axis=(1, 3))
    sampled = labels[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE]
    target = np.zeros((half, half, TARGETS), np.float32)
    target[..., 0] = covered
    target[..., 4] = 1
    yy, xx = (np.mgrid[:half, :half].astype(np.float32) + 0.5) * STRIDE
    counts = np.bincount(sampled[sampled >= 0].ravel(), minlength=len(cells)) * STRIDE**2
    for index, cell in enumerate(cells):
        mine = sampled == index
        if counts[index] < 0.12 * np.pi / 4 * cell.width**2:
            # Nearly all of it is hidden or cut off: neither a cell nor none.
            target[..., 4][mine] = 0
            continue
        mark_cell(target, mine, cell._replace(x=cell.x - MARGIN, y=cell.y - MARGIN), (xx, yy))
    return Scene(np.ascontiguousarray(picture), target.astype(np.float16))


def mark_cell(
    target: NDArray[np.float32],
    mine: NDArray[np.bool_],
    cell: LaidCell,
    places: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> None:
    """Write one cell's centre, offsets and kind into a target.

    Args:
        target: float32 (h, w, 6), changed.
        mine: bool (h, w), the cell's pixels.
        cell: where it lies, px of the picture.
        places: x and y of each of the target's pixels in the picture, float32 (h, w).
    """
    xx, yy = places
    target[..., 2][mine] = (cell.x - xx[mine]) / CELL_WIDTH
    target[..., 3][mine] = (cell.y - yy[mine]) / CELL_WIDTH
    target[..., 5][mine] = cell.white
    bump = np.exp(-((xx - cell.x) ** 2 + (yy - cell.y) ** 2) / (2 * (0.1 * cell.width) ** 2))
    target[..., 1] = np.maximum(target[..., 1], bump)
