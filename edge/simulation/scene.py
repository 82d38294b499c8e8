"""What is on a drawn slide besides parasites: white cells, platelets, grains of stain; and painting it all.

Everything adds optical density to a window of the slide, so that a view is the same whichever way it is cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.simulation.cell import CellPlan, outline_box, paint_cell
from edge.simulation.stain import PIGMENT_DENSITY, Density, Stain, value_noise
from edge.types import Box, Mask


class BystanderKind(StrEnum):
    """What is on a slide beside its red cells."""

    WHITE = "white"
    PLATELET = "platelet"
    GRAIN = "grain"


# Widths against a red cell's 7.5 um: neutrophil 12 to 14 um, platelet 2 to 3 um.
WIDTH_OF = {BystanderKind.WHITE: 1.75, BystanderKind.PLATELET: 0.34, BystanderKind.GRAIN: 0.09}


class TrueCell(NamedTuple):
    """The truth about one red cell on a field or slide.

    Attributes:
        x: centre, px (sub-pixel) from the left of the field or slide.
        y: centre from its top.
        plan: what the cell looks like.
    """

    x: float
    y: float
    plan: CellPlan

    @property
    def infected(self) -> bool:
        """Whether it carries a parasite."""
        return self.plan.infected

    @property
    def stage(self) -> str | None:
        """The parasite's stage, or None."""
        return self.plan.stage

    @property
    def box(self) -> Box:
        """(x, y, w, h) of its outline in px; may reach over the border."""
        return outline_box(self.plan, self.x, self.y)

    def mask(self) -> Mask:
        """Its outline filled, uint8 0/255, in the size of ``box``."""
        x, y, w, h = self.box
        right, down = np.meshgrid(
            np.arange(x, x + w, dtype=np.float32) - np.float32(self.x),
            np.arange(y, y + h, dtype=np.float32) - np.float32(self.y),
        )
        inside = cv2.magnitude(right, down) < self.plan.edge(np.arctan2(down, right))
        return np.where(inside, np.uint8(255), np.uint8(0))


class Bystander(NamedTuple):
    """Something on the slide that is no red cell.

    Attributes:
        x: centre, px.
        y: centre, px.
        kind: what it is.
        width: px across.
        seed: decides how it looks.
    """

    x: float
    y: float
    kind: BystanderKind
    width: float
    seed: int

    @property
    def box(self) -> Box:
        """(x, y, w, h) of the square that holds it, px."""
        half = self.width / 2
        return round(self.x - half), round(self.y - half), round(self.width), round(self.width)


def paint_scene(
    window: Box, cells: Iterable[TrueCell], bystanders: Iterable[Bystander], stain: Stain, seed: int
) -> Density:
    """Paint all that reaches into a window of the slide.

    Args:
        window: (x, y, w, h) in the slide's px.
        cells: red cells; those out of reach cost nothing.
        bystanders: whatever else.
        stain: the smear's dyes.
        seed: of the film of plasma that is under all of it.

    Returns:
        Optical density, float32 (h, w, 3).
    """
    left, top = window[:2]
    film = value_noise(window, 24, seed) + value_noise(window, 5, seed + 1)
    density = np.repeat((0.006 + 0.006 * film)[..., None], 3, axis=2).astype(np.float32)
    for cell in cells:
        if _reaches(cell.x, cell.y, cell.plan.reach, window):
            column, row = round(cell.x), round(cell.y)
            painted = paint_cell(cell.plan, stain, cell.x - column, cell.y - row)
            _lay(density, painted.density, column - left, row - top)
    for thing in bystanders:
        if _reaches(thing.x, thing.y, int(thing.width) + 3, window):
            _lay(density, _paint_bystander(thing, stain), round(thing.x) - left, round(thing.y) - top)
    return density


def _reaches(x: float, y: float, reach: int, window: Box) -> bool:
    left, top, width, height = window
    return left - reach <= x <= left + width + reach and top - reach <= y <= top + height + reach


def _lay(density: Density, patch: Density, column: int, row: int) -> None:
    """Add a patch of odd side to the density with its middle at (column, row), clipped to it."""
    reach = patch.shape[0] // 2
    x0, y0 = max(column - reach, 0), max(row - reach, 0)
    x1, y1 = min(column + reach + 1, density.shape[1]), min(row + reach + 1, density.shape[0])
    if x0 < x1 and y0 < y1:
        px, py = x0 - column + reach, y0 - row + reach
        density[y0:y1, x0:x1] += patch[py : py + y1 - y0, px : px + x1 - x0]


def _paint_bystander(thing: Bystander, stain: Stain) -> Density:
    rng = np.random.default_rng(thing.seed)
    reach = int(thing.width * 0.75) + 3
    x, y = _coordinates(reach)
    scale = np.float32(2.0 / thing.width)
    x, y = x * scale, y * scale
    if thing.kind == BystanderKind.WHITE:
        return _paint_white_cell(x, y, stain, rng)
    if thing.kind == BystanderKind.PLATELET:
        return _paint_platelet(x, y, stain, rng)
    body = _blob((x, y), (0.0, 0.0), 0.7, 0.25, rng)
    return np.asarray((body * rng.uniform(0.25, 0.7))[..., None] * PIGMENT_DENSITY, np.float32)


@lru_cache(maxsize=16)
def _coordinates(reach: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    line = np.arange(-reach, reach + 1, dtype=np.float32)
    x, y = np.meshgrid(line, line)
    return x, y


def _blob(
    grid: tuple[NDArray[np.float32], NDArray[np.float32]],
    centre: tuple[float, float],
    radius: float,
    rough: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """A soft blob with an uneven outline, 0..1."""
    x, y = grid
    right, down = x - np.float32(centre[0]), y - np.float32(centre[1])
    around = np.arctan2(down, right)
    edge = np.full_like(x, radius)
    for order in range(2, 7):
        edge += radius * rng.normal(0, rough / order) * np.cos(order * around + rng.uniform(0, 2 * np.pi))
    pixel = float(x[0, 1] - x[0, 0])
    return np.clip(0.5 + (edge - np.hypot(right, down)) / max(2 * pixel, 0.06), 0.0, 1.0).astype(np.float32)


def _clouds(shape: tuple[int, ...], grain: int, rng: np.random.Generator) -> NDArray[np.float32]:
    coarse = rng.random((grain, grain), np.float32)
    return np.clip(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC), 0.0, 1.0)


def _paint_white_cell(
    x: NDArray[np.float32], y: NDArray[np.float32], stain: Stain, rng: np.random.Generator
) -> Density:
    """A neutrophil: pale granular cytoplasm, two to five dark lobes joined in a bent chain."""
    body = _blob((x, y), (0.0, 0.0), 0.95, 0.05, rng)
    lobes = np.zeros_like(x)
    number, bend = int(rng.integers(2, 6)), rng.uniform(0.7, 1.3)
    start = rng.uniform(0, 2 * np.pi)
    for k in range(number):
        angle = start + bend * k
        reach = 0.45 if number > 2 else 0.3
        size = rng.uniform(0.26, 0.36)
        centre = (reach * np.cos(angle), reach * np.sin(angle))
        np.maximum(lobes, _blob((x, y), centre, size, 0.2, rng), out=lobes)
    texture = 0.75 + 0.5 * _clouds(x.shape, 22, rng)
    density = (0.5 * body * texture)[..., None] * stain.haemoglobin
    density = density + (lobes * texture)[..., None] * (0.75 * stain.chromatin + stain.cytoplasm)
    return np.asarray(density, np.float32)


def _paint_platelet(
    x: NDArray[np.float32], y: NDArray[np.float32], stain: Stain, rng: np.random.Generator
) -> Density:
    """A platelet: a small ragged violet disc, darker granules in its middle."""
    body = _blob((x, y), (0.0, 0.0), 0.85, 0.35, rng)
    granules = _blob((x, y), (0.0, 0.0), 0.5, 0.4, rng) * _clouds(x.shape, 7, rng)
    density = (body * rng.uniform(0.5, 0.8))[..., None] * (stain.haemoglobin + 0.6 * stain.cytoplasm)
    density = density + (granules * 0.6)[..., None] * stain.chromatin
    return np.asarray(density, np.float32)
