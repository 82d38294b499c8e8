"""Where things lie on a drawn slide: a function of seed and place that needs to know the neighbourhood only.

Red cells lie as a Matern hard-core process of type II (Matern 1960): of the candidates strewn at random, one
stays when no candidate of lower mark is within the least distance. White cells come first and red ones keep
clear of them; platelets and grains take what room is left.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.simulation.cell import sample_cell
from edge.simulation.field import LARGEST_CELL, SMALLEST_CELL
from edge.simulation.scene import WIDTH_OF, Bystander, BystanderKind, TrueCell
from edge.types import Box

# What is in one block of the slide.
Content = tuple[tuple[TrueCell, ...], tuple[Bystander, ...]]
# Candidates strewn within the least distance of a place, on average: 95 % of the densest that this process
# can get, 1 - exp(-3).
_CANDIDATES = 3.0
_RED, _WHITE, _SMALL = 0, 1, 2  # streams of chance of one block
# Blocks whose contents are remembered: some 5 cells each, a few kilobytes.
_MOST_BLOCKS = 4096


class SlideSettings(NamedTuple):
    """What is on a slide.

    Attributes:
        width: px.
        height: px.
        cell_width: mean width of a red cell, 25..250 px.
        parasitaemia: chance of each red cell to be infected, 0..1.
        spacing: least distance of two cells' centres in cell widths, 0.6 (overlapping) .. 3; at 1 about
            100 cells of 60 px lie in 1280x960, and now and then two touch.
        white_cells: white cells per thousand red ones.
        platelets: platelets per hundred red cells that find room.
        cache_megabytes: most memory that drawn tiles may take.
    """

    width: int = 5120
    height: int = 5120
    cell_width: float = 60.0
    parasitaemia: float = 0.02
    spacing: float = 1.0
    white_cells: float = 1.5
    platelets: float = 6.0
    cache_megabytes: int = 64

    def faults(self) -> list[str]:
        """All that is wrong with these settings, each as a sentence; empty when they can be drawn."""
        limits = (
            ("width", self.width, 64, 10_000_000),
            ("height", self.height, 64, 10_000_000),
            ("cell_width", self.cell_width, SMALLEST_CELL, LARGEST_CELL),
            ("parasitaemia", self.parasitaemia, 0, 1),
            ("spacing", self.spacing, 0.6, 3),
            ("white_cells", self.white_cells, 0, 50),
            ("platelets", self.platelets, 0, 100),
            ("cache_megabytes", self.cache_megabytes, 1, 4096),
        )
        return [
            f"{name} is {value}, but must lie between {least} and {most}."
            for name, value, least, most in limits
            if not least <= value <= most
        ]


class MaternPlacement:
    """Decides what lies where on a slide; safe to ask from many threads.

    Args:
        seed: decides everything.
        settings: what is on the slide.
        pallor: mean pallor of its red cells, 0..1.
    """

    def __init__(self, seed: int, settings: SlideSettings, pallor: float):
        self.seed = seed
        self.settings = settings
        self.pallor = pallor
        # Wide enough that only the eight blocks around decide what stays in one.
        self._block = 4.0 * settings.cell_width
        self._lock = Lock()
        self._contents: OrderedDict[tuple[int, int], Content] = OrderedDict()

    def contents(self, window: Box, around: int = 0) -> list[Content]:
        """What is in the blocks under a window (x, y, w, h), and in ``around`` more on each side."""
        return [self._block_content(block) for block in self._blocks(window, around)]

    def _blocks(self, window: Box, around: int) -> list[tuple[int, int]]:
        """Blocks under a window, and ``around`` more on each side."""
        x, y, width, height = window
        columns = range(int(x // self._block) - around, int((x + width) // self._block) + around + 1)
        rows = range(int(y // self._block) - around, int((y + height) // self._block) + around + 1)
        return [(column, row) for row in rows for column in columns]

    def _block_content(self, block: tuple[int, int]) -> Content:
        with self._lock:
            content = self._contents.get(block)
            if content is not None:
                self._contents.move_to_end(block)
                return content
        content = self._place(block)
        with self._lock:
            self._contents[block] = content
            while len(self._contents) > _MOST_BLOCKS:
                self._contents.popitem(last=False)
        return content

    def _place(self, block: tuple[int, int]) -> Content:
        """Decide what is in a block: white cells first, red cells clear of them, then the small things."""
        width, height = self.settings.width, self.settings.height
        if (block[0] + 1) * self._block <= 0 or (block[1] + 1) * self._block <= 0:
            return (), ()
        if block[0] * self._block >= width or block[1] * self._block >= height:
            return (), ()
        near = [(block[0] + dx, block[1] + dy) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        whites = np.concatenate([self._whites(other) for other in near])
        candidates = np.concatenate([self._candidates(other) for other in near])
        own = self._candidates(block)
        cell_width = self.settings.cell_width
        apart = np.hypot(own[:, None, 0] - candidates[None, :, 0], own[:, None, 1] - candidates[None, :, 1])
        beaten = (apart < self.settings.spacing * cell_width) & (own[:, None, 2] > candidates[None, :, 2])
        clear = _distance(own, whites) >= (WIDTH_OF[BystanderKind.WHITE] * 1.15 + 1.15) / 2 * cell_width
        inside = (own[:, 0] >= 0) & (own[:, 1] >= 0) & (own[:, 0] < width) & (own[:, 1] < height)
        cells = tuple(self._cell(row) for row in own[~beaten.any(axis=1) & clear & inside])
        # Whatever is small keeps clear of every candidate, lest it lie on a cell of a neighbouring block.
        return cells, self._bystanders(block, candidates, whites)

    def _candidates(self, block: tuple[int, int]) -> NDArray[np.float64]:
        """Candidates for red cells of a block: rows of x, y, mark, chance of infection, seed."""
        rng = self._rng(block, _RED)
        least = self.settings.spacing * self.settings.cell_width
        number = int(rng.poisson(_CANDIDATES * self._block**2 / (np.pi * least**2)))
        rows = rng.random((number, 5))
        rows[:, 0] = (rows[:, 0] + block[0]) * self._block
        rows[:, 1] = (rows[:, 1] + block[1]) * self._block
        rows[:, 4] = np.floor(rows[:, 4] * 2**31)
        return rows

    def _whites(self, block: tuple[int, int]) -> NDArray[np.float64]:
        """White cells of a block: rows of x, y, seed."""
        rng = self._rng(block, _WHITE)
        number = int(rng.poisson(self.settings.white_cells / 1000 * self._cells_of_a_block()))
        rows = rng.random((number, 3))
        rows[:, 0] = (rows[:, 0] + block[0]) * self._block
        rows[:, 1] = (rows[:, 1] + block[1]) * self._block
        rows[:, 2] = np.floor(rows[:, 2] * 2**31)
        return rows

    def _cells_of_a_block(self) -> float:
        """Expected number of red cells: Matern's ``(1 - exp(-n)) / (pi r^2)`` times the area."""
        least = self.settings.spacing * self.settings.cell_width
        return float((1 - np.exp(-_CANDIDATES)) / (np.pi * least**2) * self._block**2)

    def _cell(self, row: NDArray[np.float64]) -> TrueCell:
        rng = np.random.default_rng([self.seed, int(row[4])])
        infected = bool(row[3] < self.settings.parasitaemia)
        plan = sample_cell(rng, self.settings.cell_width / 2, infected, pallor=self.pallor)
        return TrueCell(float(row[0]), float(row[1]), plan)

    def _bystanders(
        self, block: tuple[int, int], candidates: NDArray[np.float64], whites: NDArray[np.float64]
    ) -> tuple[Bystander, ...]:
        rng = self._rng(block, _SMALL)
        cell_width = self.settings.cell_width
        things = [
            Bystander(
                float(x), float(y), BystanderKind.WHITE, cell_width * WIDTH_OF[BystanderKind.WHITE], int(seed)
            )
            for x, y, seed in self._whites(block)
        ]
        for kind, per_cell in (
            (BystanderKind.PLATELET, self.settings.platelets / 100),
            (BystanderKind.GRAIN, 0.04),
        ):
            # Where cells lie dense few places are free: try more often than platelets are wanted.
            places = (
                rng.random((int(rng.poisson(4 * per_cell * self._cells_of_a_block())), 2)) + block
            ) * self._block
            width = cell_width * WIDTH_OF[kind]
            free = (_distance(places, candidates) > 0.62 * cell_width + width / 2) & (
                _distance(places, whites) > (WIDTH_OF[BystanderKind.WHITE] * 0.6) * cell_width + width / 2
            )
            things += [
                Bystander(float(x), float(y), kind, width, int(rng.integers(2**31))) for x, y in places[free]
            ]
        return tuple(things)

    def _rng(self, block: tuple[int, int], stream: int) -> np.random.Generator:
        # Seeds must not be negative; blocks beyond the left and top edge are.
        return np.random.default_rng([self.seed, stream, block[0] + 2**31, block[1] + 2**31])


def _distance(places: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of each place to the nearest of others, infinite where there is none."""
    if len(others) == 0:
        return np.full(len(places), np.inf)
    apart = np.hypot(places[:, None, 0] - others[None, :, 0], places[:, None, 1] - others[None, :, 1])
    return np.asarray(apart.min(axis=1))
