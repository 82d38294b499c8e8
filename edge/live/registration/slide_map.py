"""The map of a slide: which area has been counted, region by region.

A slide may be counted in regions that were not (yet) seen to touch; each has an origin of its own.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from edge.live.registration.point_patterns import (
    ANYWHERE,
    WITH_PICTURE,
    MatchCriteria,
    Shift,
    find_shifts,
)
from edge.live.registration.region import Region
from edge.live.states import Placement
from edge.types import Points


class Place(NamedTuple):
    """Where a field lies.

    Attributes:
        island: the number of its region of the slide.
        x: of the field's left edge there, pixels.
        y: of its top edge.
        how: how the place became known.
        turn: degrees clockwise by which the camera is turned about the field's middle against the region.
    """

    island: int
    x: float
    y: float
    how: Placement
    turn: float = 0.0


class SeenField(NamedTuple):
    """A stored field on the map: its number in the slide, its place, and its width and height in pixels."""

    number: int
    place: Place
    size: tuple[int, int]


class SlideMap:
    """All regions of a slide.

    Args:
        cell_width: usual width of a cell, pixels: of the first field, so that all are measured alike.
    """

    def __init__(self, cell_width: float) -> None:
        self.cell_width = cell_width
        self.regions: dict[int, Region] = {}
        self.fields: list[SeenField] = []

    def begin_region(self) -> int:
        """Start a region of its own and return its number."""
        number = max(self.regions, default=0) + 1
        self.regions[number] = Region(self.cell_width)
        return number

    def region(self, number: int) -> Region:
        """A region by its number, begun if need be."""
        return self.regions.setdefault(number, Region(self.cell_width))

    def locate(
        self,
        points: Points,
        size: tuple[int, int],
        expected: Place | None,
        *,
        sure: bool,
        agrees: Callable[[float, float], bool] | None = None,
        shows: Callable[[Place], bool] | None = None,
    ) -> Place | None:
        """Find where a field lies.

        Args:
            points: centres of its cells in the field, pixels, shape (n, 2).
            size: width and height of the field, pixels.
            expected: where it should lie by the pictures, or where the last field lay.
            sure: whether the pictures followed the stage to ``expected``.
            agrees: lays the field's picture at a place on the region of ``expected`` over that of the last
                field there, and tells whether they show the same.
            shows: lays the field's picture over those of stored fields at a place, and tells whether they show the
                same: asked wherever nothing but the cells speaks for a place.

        Returns:
            The place, or None when the field is nowhere on the map.
        """
        if expected is not None and expected.island in self.regions:
            region = self.regions[expected.island]
            near = (expected.x, expected.y)
            if sure:
                around = self._cells_around(region, near, size, self.cell_width)
                if shifts := self._shifts(around, points, size, near=near):
                    return Place(expected.island, shifts[0].x, shifts[0].y, Placement.EXPECTED)
                if len(around) < _TOO_FEW_TO_TELL or len(points) < _TOO_FEW_TO_TELL:
                    return expected._replace(how=Placement.FOLLOWED)
            around = self._cells_around(region, near, size, float(max(size)))
            for shift in self._shifts(around, points, size, ANYWHERE):
                place = Place(expected.island, shift.x, shift.y, Placement.RECOGNISED)
                if shows is None or shows(place):
                    return place
            # Where cells are few, those of a narrow overlap prove too little by themselves.
            for weak in self._shifts(around, points, size, WITH_PICTURE) if agrees is not None else ():
                if agrees is not None and agrees(weak.x, weak.y):
                    return Place(expected.island, weak.x, weak.y, Placement.RECOGNISED)
        return self.recognise(points, size, shows=shows)

    def recognise(
        self,
        points: Points,
        size: tuple[int, int],
        *,
        but_for: int | None = None,
        shows: Callable[[Place], bool] | None = None,
    ) -> Place | None:
        """Look for a field everywhere.

        Args:
            points: centres of its cells in the field, pixels.
            size: width and height of the field, pixels.
            but_for: the number of a region to leave out.
            shows: lays the field's picture over those of fields at a place, and tells whether they show the same.
        """
        found = [
            (shift.matches, Place(number, shift.x, shift.y, Placement.RECOGNISED))
            for number, region in self.regions.items()
            if number != but_for
            for shift in self._shifts(region.all_cells(), points, size, ANYWHERE)
        ]
        for _, place in sorted(found, key=lambda one: -one[0]):
            if shows is None or shows(place):
                return place
        return None

    def match_regions(
        self, number: int, met: Callable[[int, Shift], bool] | None = None
    ) -> tuple[int, Shift] | None:
        """Look for a whole region on the others: many narrow overlaps prove what no single field could.

        Args:
            number: the region.
            met: tells whether the pictures of the region and of another, laid over it so, show the same.

        Returns:
            Another region on which it is found, and what is to be added to positions on the first to have those
            on the second; None when it is found nowhere.
        """
        for other, region in self.regions.items():
            shift = None if other == number else self._overlay(self.regions[number], region)
            if shift is not None and (met is None or met(other, shift)):
                return other, shift
        return None

    def _shifts(
        self,
        map_points: Points,
        points: Points,
        size: tuple[int, int],
        criteria: MatchCriteria | None = None,
        near: tuple[float, float] | None = None,
    ) -> list[Shift]:
        return find_shifts(
            map_points,
            points,
            field_size=size,
            cell_width=self.cell_width,
            near=near,
            within=2 * self.cell_width,
            criteria=criteria,
        )

    def _overlay(self, own: Region, other: Region) -> Shift | None:
        """Lay all cells of one region over those of another."""
        cells, theirs = own.all_cells(), other.all_cells()
        if not len(cells):
            return None
        origin = cells.min(axis=0)
        width, height = np.ceil(np.ptp(cells, axis=0))

        def shared(x: float, y: float) -> int:
            """The fewer of the cells that each has on area which the other has covered too."""
            moved_by = np.array([x, y]) - origin
            return min(other.count_covered(cells + moved_by), own.count_covered(theirs - moved_by))

        found = find_shifts(
            theirs,
            cells - origin,
            field_size=(int(width), int(height)),
            cell_width=self.cell_width,
            shared=shared,
        )
        if not found:
            return None
        return found[0]._replace(x=found[0].x - origin[0], y=found[0].y - origin[1])

    @staticmethod
    def _cells_around(
        region: Region, at: tuple[float, float], size: tuple[int, int], margin: float
    ) -> Points:
        return region.cells_within(at[0] - margin, at[1] - margin, size[0] + 2 * margin, size[1] + 2 * margin)


_TOO_FEW_TO_TELL = 12
"""With fewer cells than this in common, cells cannot contradict what the pictures say."""
