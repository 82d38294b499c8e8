"""A whole drawn slide to move a virtual camera over; it stands in for a microscope with a stage.

Everything on it is a function of the seed and the place, so that nothing is stored but a bounded cache of
tiles: a slide of a hundred thousand pixels a side costs no more than a small one.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.simulation.placement import MaternPlacement, SlideSettings
from edge.simulation.scene import TrueCell, paint_scene
from edge.simulation.single_cell import Smear, sample_smear
from edge.simulation.stain import develop, expose
from edge.types import Box, Rgb

TILE = 256


class SimulatedSlide:
    """A slide that is drawn where one looks. Views may be taken from many threads; pickles stay small.

    Args:
        seed: decides all that is not given.
        settings: what is on the slide.
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
        self._placement = MaternPlacement(seed, self.settings, self.smear.pallor)
        self._lock = Lock()
        self._tiles: OrderedDict[tuple[int, int], Rgb] = OrderedDict()
        self._grain: NDArray[np.int16] | None = None

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
        motion: tuple[float, float] = (0.0, 0.0),
        noise: int | None = None,
    ) -> Rgb:
        """What a camera sees whose upper left pixel is at (x, y) of the slide.

        The same place has the same pixels in every view of one focus without noise. Beyond the edge of the
        slide there is bare glass.

        Args:
            x: px from the slide's left; any sign.
            y: px from its top.
            width: px, at least 1.
            height: px, at least 1.
            focus: distance from focus, as the sigma of the blur in px; its sign does not matter.
            motion: how far the stage moves while the frame is exposed, px right and down.
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
        margin += int(np.ceil(max(abs(motion[0]), abs(motion[1])) / 2)) + 1 if any(motion) else 0
        picture = self._gather((x - margin, y - margin, width + 2 * margin, height + 2 * margin))
        if focus:
            picture = cv2.GaussianBlur(picture, (0, 0), abs(focus))
        if any(motion):
            picture = cv2.filter2D(picture, -1, _streak(*motion))
        if margin:
            picture = picture[margin:-margin, margin:-margin].copy()
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
        for cells, _ in self._placement.contents((x, y, width, height)):
            for cell in cells:
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

    def _gather(self, window: Box) -> Rgb:
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

    def _tile(self, column: int, row: int) -> Rgb:
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

    def _draw_tile(self, column: int, row: int) -> Rgb:
        margin = int(np.ceil(4 * self.smear.blur)) + 1  # OpenCV's kernel for floats reaches four sigmas
        window = (column * TILE - margin, row * TILE - margin, TILE + 2 * margin, TILE + 2 * margin)
        contents = self._placement.contents(window, around=1)
        density = paint_scene(
            window,
            (cell for cells, _ in contents for cell in cells),
            (thing for _, things in contents for thing in things),
            self.smear.stain,
            self.seed,
        )
        light = develop(density, self.smear.stain, self.smear.blur)
        return expose(light[margin:-margin, margin:-margin])

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


def _streak(dx: float, dy: float) -> NDArray[np.float32]:
    """Kernel of a straight movement by (dx, dy) px during the exposure, centred, of sum 1."""
    reach = int(np.ceil(max(abs(dx), abs(dy)) / 2))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for share in np.linspace(-0.5, 0.5, 4 * reach + 1):
        kernel[reach + round(share * dy), reach + round(share * dx)] += 1.0
    return kernel / kernel.sum()
