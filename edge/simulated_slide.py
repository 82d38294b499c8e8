"""A whole drawn slide to move a virtual camera over; it stands in for a microscope with a stage.

Everything on it is a function of the seed and the place, so that nothing is stored but a bounded cache of
tiles: a slide of a hundred thousand pixels a side costs no more than a small one. Red cells lie as a Matern
hard-core process of type II (Matern 1960): of the candidates strewn at random, one stays when no candidate of
lower mark lies within the least distance. This needs to know the neighbourhood only.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.simulated_cell import Box, sample_cell
from edge.simulated_field import LARGEST_CELL, SMALLEST_CELL
from edge.simulated_scene import GRAIN, PLATELET, WHITE, WIDTH_OF, Bystander, TrueCell, paint_scene
from edge.simulated_stain import Picture, develop, expose
from edge.simulator import Smear, sample_smear

TILE = 256
# Candidates strewn within the least distance of a place, on average: 95 % of the densest that this process
# can get, 1 - exp(-3).
_CANDIDATES = 3.0
_RED, _OTHER = 0, 1  # streams of chance of one block


class SlideSettings(NamedTuple):
    """What lies on a slide.

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


class SimulatedSlide:
    """A slide that is drawn where one looks. Views may be taken from many threads; pickles stay small.

    Args:
        seed: decides all that is not given.
        settings: what lies on the slide.
        smear: stain and lens; drawn when None. Its cell width gives way to the settings'.

    Raises:
        ValueError: settings out of range; the message names each.
    """

    def __init__(self, seed: int = 0, settings: SlideSettings | None = None, smear: Smear | None = None):
        self.seed = seed
        self.settings = settings or SlideSettings()
        faults = self.settings.faults()
        if faults:
            raise ValueError(" ".join(faults))
        drawn = smear or sample_smear(np.random.default_rng([seed, 0x51]), self.settings.cell_width)
        self.smear = drawn._replace(cell_width=self.settings.cell_width)
        # Wide enough that only the eight blocks around decide what stays in one.
        self._block = 4.0 * self.settings.cell_width
        self._empty_caches()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in px."""
        return self.settings.width, self.settings.height

    def view(
        self,
        x: int,
        y: int,
        width: int = 1280,
        height: int = 960,
        *,
        focus: float = 0.0,
        noise: int | None = None,
    ) -> Picture:
        """What a camera sees whose upper left pixel lies at (x, y) of the slide.

        The same place has the same pixels in every view of one focus without noise. Beyond the edge of the
        slide there is bare glass.

        Args:
            x: px from the slide's left; any sign.
            y: px from its top.
            width: px, at least 1.
            height: px, at least 1.
            focus: distance from focus, as the sigma of the blur in px; its sign does not matter.
            noise: number of the frame, which decides its sensor noise; None leaves it out.

        Returns:
            RGB uint8 (height, width, 3), the caller's own.

        Raises:
            ValueError: width or height is below 1.
        """
        if width < 1 or height < 1:
            raise ValueError(f"A view needs at least one pixel, and {width} x {height} were asked for.")
        # OpenCV's kernel for 8 bits reaches three sigmas.
        margin = int(np.ceil(3 * abs(focus))) + 1 if focus else 0
        picture = self._gather((x - margin, y - margin, width + 2 * margin, height + 2 * margin))
        if margin:
            picture = cv2.GaussianBlur(picture, (0, 0), abs(focus))[margin:-margin, margin:-margin].copy()
        if noise is not None:
            picture = cv2.add(picture, self._sensor_noise(width, height, noise), dtype=cv2.CV_8U)
        return np.asarray(picture, np.uint8)

    def cells_within(
        self, x: int, y: int, width: int, height: int, *, whole: bool = False
    ) -> tuple[TrueCell, ...]:
        """The truth about a window: its red cells, in no special order.

        Args:
            x: px from the slide's left.
            y: px from its top.
            width: px.
            height: px.
            whole: only cells that lie wholly within; otherwise all whose centre does (x <= cx < x + width),
                so that windows laid side by side name each cell once.
        """
        found = []
        reach = 0 if whole else 1
        for block in self._blocks((x, y, width, height), reach):
            for cell in self._block_content(block)[0]:
                if whole:
                    left, top, w, h = cell.box
                    fits = left >= x and top >= y and left + w <= x + width and top + h <= y + height
                else:
                    fits = x <= cell.x < x + width and y <= cell.y < y + height
                if fits:
                    found.append(cell)
        return tuple(found)

    def all_cells(self) -> tuple[TrueCell, ...]:
        """Every red cell of the slide; its true parasitaemia is the infected among them."""
        return self.cells_within(0, 0, *self.size)

    def __getstate__(self) -> dict[str, Any]:
        return {"seed": self.seed, "settings": self.settings, "smear": self.smear}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def _empty_caches(self) -> None:
        self._lock = Lock()
        self._tiles: OrderedDict[tuple[int, int], Picture] = OrderedDict()
        self._contents: OrderedDict[tuple[int, int], _Content] = OrderedDict()
        self._grain: NDArray[np.int16] | None = None

    def _gather(self, window: Box) -> Picture:
        """Join the tiles under a window."""
        left, top, width, height = window
        picture = np.empty((height, width, 3), np.uint8)
        for row in range(top // TILE, (top + height - 1) // TILE + 1):
            for column in range(left // TILE, (left + width - 1) // TILE + 1):
                tile = self._tile(column, row)
                x0, y0 = max(column * TILE, left), max(row * TILE, top)
                x1, y1 = min((column + 1) * TILE, left + width), min((row + 1) * TILE, top + height)
                part = tile[y0 - row * TILE : y1 - row * TILE, x0 - column * TILE : x1 - column * TILE]
                picture[y0 - top : y1 - top, x0 - left : x1 - left] = part
        return picture

    def _tile(self, column: int, row: int) -> Picture:
        with self._lock:
            tile = self._tiles.get((column, row))
            if tile is not None:
                self._tiles.move_to_end((column, row))
                return tile
        # Drawn outside the lock: two threads may draw the same tile, and get the same pixels.
        tile = self._draw_tile(column, row)
        most = max(self.settings.cache_megabytes * 1_000_000 // tile.nbytes, 1)
        with self._lock:
            self._tiles[column, row] = tile
            while len(self._tiles) > most:
                self._tiles.popitem(last=False)
        return tile

    def _draw_tile(self, column: int, row: int) -> Picture:
        margin = int(np.ceil(4 * self.smear.blur)) + 1  # OpenCV's kernel for floats reaches four sigmas
        window = (column * TILE - margin, row * TILE - margin, TILE + 2 * margin, TILE + 2 * margin)
        contents = [self._block_content(block) for block in self._blocks(window, 1)]
        density = paint_scene(
            window,
            (cell for content in contents for cell in content[0]),
            (thing for content in contents for thing in content[1]),
            self.smear.stain,
            self.seed,
        )
        light = develop(density, self.smear.stain, self.smear.blur)
        return expose(light[margin:-margin, margin:-margin])

    def _blocks(self, window: Box, around: int) -> list[tuple[int, int]]:
        """Blocks under a window, and ``around`` more on each side."""
        x, y, width, height = window
        columns = range(int(x // self._block) - around, int((x + width) // self._block) + around + 1)
        rows = range(int(y // self._block) - around, int((y + height) // self._block) + around + 1)
        return [(column, row) for row in rows for column in columns]

    def _block_content(self, block: tuple[int, int]) -> _Content:
        with self._lock:
            content = self._contents.get(block)
            if content is not None:
                self._contents.move_to_end(block)
                return content
        content = self._strew(block)
        with self._lock:
            self._contents[block] = content
            while len(self._contents) > _MOST_BLOCKS:
                self._contents.popitem(last=False)
        return content

    def _strew(self, block: tuple[int, int]) -> _Content:
        """Decide what lies in a block: white cells first, red cells clear of them, then the small things."""
        width, height = self.size
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
        clear = _distance(own, whites) >= (WIDTH_OF[WHITE] * 1.15 + 1.15) / 2 * cell_width
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
        rng = self._rng(block, _OTHER)
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
        plan = sample_cell(rng, self.settings.cell_width / 2, infected, pallor=self.smear.pallor)
        return TrueCell(float(row[0]), float(row[1]), plan)

    def _bystanders(
        self, block: tuple[int, int], candidates: NDArray[np.float64], whites: NDArray[np.float64]
    ) -> tuple[Bystander, ...]:
        rng = self._rng(block, _OTHER + 1)
        cell_width = self.settings.cell_width
        things = [
            Bystander(float(x), float(y), WHITE, cell_width * WIDTH_OF[WHITE], int(seed))
            for x, y, seed in self._whites(block)
        ]
        for kind, per_cell in ((PLATELET, self.settings.platelets / 100), (GRAIN, 0.04)):
            # Where cells lie dense few places are free: try more often than platelets are wanted.
            places = (
                rng.random((int(rng.poisson(4 * per_cell * self._cells_of_a_block())), 2)) + block
            ) * self._block
            width = cell_width * WIDTH_OF[kind]
            free = (_distance(places, candidates) > 0.62 * cell_width + width / 2) & (
                _distance(places, whites) > (WIDTH_OF[WHITE] * 0.6) * cell_width + width / 2
            )
            things += [
                Bystander(float(x), float(y), kind, width, int(rng.integers(2**31))) for x, y in places[free]
            ]
        return tuple(things)

    def _rng(self, block: tuple[int, int], stream: int) -> np.random.Generator:
        # Seeds must not be negative; blocks beyond the left and top edge are.
        return np.random.default_rng([self.seed, stream, block[0] + 2**31, block[1] + 2**31])

    def _sensor_noise(self, width: int, height: int, frame: int) -> NDArray[np.int16]:
        """Noise for one frame: a window of one large field of noise, another window for every frame."""
        with self._lock:
            if self._grain is None or self._grain.shape[0] < height + 64 or self._grain.shape[1] < width + 64:
                rng = np.random.default_rng([self.seed, width, height])
                shape = (height + 64, width + 64)
                grey = rng.standard_normal((*shape, 1), np.float32)
                colour = rng.standard_normal((*shape, 3), np.float32)
                grain = np.float32(self.smear.noise) * (np.float32(0.8) * grey + np.float32(0.6) * colour)
                self._grain = np.rint(grain).astype(np.int16)
            grain_field = self._grain
        dx, dy = np.random.default_rng([self.seed, frame]).integers(0, 64, 2)
        return grain_field[dy : dy + height, dx : dx + width]


_Content = tuple[tuple[TrueCell, ...], tuple[Bystander, ...]]
# Blocks whose contents are remembered: some 15 cells each, a few kilobytes.
_MOST_BLOCKS = 4096


def _distance(places: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of each place to the nearest of others, infinite where there is none."""
    if len(others) == 0:
        return np.full(len(places), np.inf)
    apart = np.hypot(places[:, None, 0] - others[None, :, 0], places[:, None, 1] - others[None, :, 1])
    return np.asarray(apart.min(axis=1))
