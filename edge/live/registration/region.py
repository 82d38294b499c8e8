"""One region of a slide: which area of it has been counted, and where every counted cell is.

Two rules count a cell once: nothing is counted in area that an accepted field has covered, and nothing is counted
within half a cell of a cell that was.
"""

from collections.abc import Iterable, Sequence
from math import hypot
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.fields.quality import MOST_STRAIN
from edge.slides.placing import inset, turned_box
from edge.types import Box, Points

SAME_CELL = 0.5
"""Centres nearer than this, in cell widths, are the same cell's: two cells cannot lie that close."""
EDGE = 0.5
"""Along its edge, this many cell widths of a field are not covered: cells centred there are cut."""
_GRAIN = 0.25
"""Side of the smallest area that is covered or not, in cell widths."""
_SEEN, _JUDGED = 1, 2
"""What a grain of the coverage is: counted by a field too poor to judge by, or by one that was judged."""
_TILE = 64
"""Grains a side of a tile of the coverage."""


class MapCell(NamedTuple):
    """A counted cell on the map.

    Attributes:
        x: of its centre on the region, pixels.
        y: likewise.
        cell_id: its number in the store.
        strain: of the view that it was judged in; above `MOST_STRAIN` it waits for a better one.
    """

    x: float
    y: float
    cell_id: int = 0
    strain: float = 0.0

    @property
    def judged(self) -> bool:
        """Whether it was seen well enough to be judged."""
        return self.strain <= MOST_STRAIN


class Region:
    """One connected region of a slide.

    Args:
        cell_width: usual width of a cell, pixels.
    """

    def __init__(self, cell_width: float) -> None:
        self.cell_width = cell_width
        self._buckets: dict[tuple[int, int], list[MapCell]] = {}
        self._covered: dict[tuple[int, int], NDArray[np.uint8]] = {}
        self.cells = 0

    def add_cells(self, cells: Iterable[MapCell]) -> None:
        """Note counted cells."""
        for cell in cells:
            self._buckets.setdefault(self._bucket(cell.x, cell.y), []).append(cell)
            self.cells += 1

    def replace(self, before: MapCell, after: MapCell | None) -> None:
        """Put a cell that was seen better, at the same place, in place of itself; with None, take it off."""
        bucket = self._buckets[self._bucket(before.x, before.y)]
        at = bucket.index(before)
        if after is None:
            del bucket[at]
            self.cells -= 1
        else:
            bucket[at] = after

    def map_cells(self, x: float, y: float, width: float, height: float) -> list[MapCell]:
        """The counted cells in a window; buckets that touch it are given whole."""
        left, top = self._bucket(x, y)
        right, bottom = self._bucket(x + width, y + height)
        return [
            cell
            for column in range(left, right + 1)
            for row in range(top, bottom + 1)
            for cell in self._buckets.get((column, row), ())
        ]

    def cells_within(self, x: float, y: float, width: float, height: float) -> Points:
        """Centres of the counted cells in a window, shape (n, 2); buckets that touch it are given whole."""
        return _points(self.map_cells(x, y, width, height))

    def all_cells(self) -> Points:
        """Centres of all counted cells, shape (n, 2)."""
        return _points(cell for bucket in self._buckets.values() for cell in bucket)

    def cover(
        self,
        x: float,
        y: float,
        size: tuple[int, int],
        uncovered: Sequence[Box],
        *,
        turn: float = 0.0,
        judged: bool = True,
    ) -> None:
        """Note that a field was counted.

        Args:
            x: left edge of the field on the region, pixels.
            y: top edge.
            size: width and height of the field, pixels.
            uncovered: boxes in the field whose cells were not counted, for the border cut them.
            turn: of the field against the region, degrees: what is inside however it is turned is covered.
            judged: whether its cells could be judged; else a field that can be is counted over it.
        """
        grain = _GRAIN * self.cell_width
        across, down = inset(turn, size)
        margin_x, margin_y = EDGE * self.cell_width + across, EDGE * self.cell_width + down
        columns = np.arange(round((x + margin_x) / grain), round((x + size[0] - margin_x) / grain))
        rows = np.arange(round((y + margin_y) / grain), round((y + size[1] - margin_y) / grain))
        if not len(columns) or not len(rows):
            return
        area = np.full((len(rows), len(columns)), _JUDGED if judged else _SEEN, np.uint8)
        for left, top, width, height in (turned_box(box, turn, size) for box in uncovered):
            low_x, low_y = round((x + left) / grain) - columns[0], round((y + top) / grain) - rows[0]
            high_x = round((x + left + width) / grain) - columns[0]
            high_y = round((y + top + height) / grain) - rows[0]
            area[max(0, low_y) : max(0, high_y + 1), max(0, low_x) : max(0, high_x + 1)] = 0
        for tile_x in range(columns[0] // _TILE, columns[-1] // _TILE + 1):
            for tile_y in range(rows[0] // _TILE, rows[-1] // _TILE + 1):
                tile = self._covered.setdefault((tile_x, tile_y), np.zeros((_TILE, _TILE), np.uint8))
                of_columns = (columns >= tile_x * _TILE) & (columns < (tile_x + 1) * _TILE)
                of_rows = (rows >= tile_y * _TILE) & (rows < (tile_y + 1) * _TILE)
                part = np.ix_(rows[of_rows] - tile_y * _TILE, columns[of_columns] - tile_x * _TILE)
                tile[part] = np.maximum(tile[part], area[np.ix_(of_rows, of_columns)])

    def is_covered(self, x: float, y: float, *, judged: bool = False) -> bool:
        """Whether an accepted field has counted this point of the region, or one whose cells were judged."""
        grain = _GRAIN * self.cell_width
        column, row = int(np.floor(x / grain)), int(np.floor(y / grain))
        tile = self._covered.get((column // _TILE, row // _TILE))
        return tile is not None and bool(tile[row % _TILE, column % _TILE] >= (_JUDGED if judged else _SEEN))

    def count_covered(self, points: Points, *, judged: bool = False) -> int:
        """How many points of the region, shape (n, 2), accepted fields have counted."""
        return sum(self.is_covered(float(x), float(y), judged=judged) for x, y in points)

    def share_covered(self, x: float, y: float, size: tuple[int, int], *, judged: bool = False) -> float:
        """Share of a field's inner area that accepted fields have covered, by a grid of 24 x 24 points."""
        margin = 1.5 * EDGE * self.cell_width
        across = np.linspace(x + margin, x + size[0] - margin, 24)
        down = np.linspace(y + margin, y + size[1] - margin, 24)
        grid = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
        return self.count_covered(grid, judged=judged) / len(grid)

    def cell_at(self, x: float, y: float) -> MapCell | None:
        """The counted cell nearest to a point, within half a cell of it."""
        reach = SAME_CELL * self.cell_width
        near = self.map_cells(x - reach, y - reach, 2 * reach, 2 * reach)
        nearest = min(near, key=lambda cell: hypot(cell.x - x, cell.y - y), default=None)
        return nearest if nearest and hypot(nearest.x - x, nearest.y - y) < reach else None

    def _bucket(self, x: float, y: float) -> tuple[int, int]:
        side = 4 * self.cell_width
        return int(np.floor(x / side)), int(np.floor(y / side))


def _points(cells: Iterable[MapCell]) -> Points:
    return np.array([(cell.x, cell.y) for cell in cells], np.float64).reshape(-1, 2)
