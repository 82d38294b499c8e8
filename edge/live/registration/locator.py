"""Where the fields of a slide lie: the map, the last place, and the movement since."""

from functools import partial

import numpy as np

from edge.fields.analyser import FoundField
from edge.live.registration.joining import join_if_met, map_of
from edge.live.registration.motion import Movement, Thumbnail, overlaps_agree
from edge.live.registration.picture_check import shows_the_same, turn_thumbnail, unpack_thumbnail
from edge.live.registration.region import MapCell
from edge.live.registration.slide_map import Place, SlideMap
from edge.live.registration.turning import NOTICED, TURNS, turn_between, turn_points
from edge.live.states import Placement
from edge.slides.records import Slide
from edge.slides.store import SlideStore
from edge.types import Points

GROWN = 1.25
"""Each time that a region has so many times the cells that it had then, all of it is looked for on the others:
often enough to join neighbours soon, seldom enough to cost next to nothing."""
ALIKE = 0.2
"""Pictures that somebody chose to take are looked for on the map where their cells are as wide, to this share."""
MOST_TURN = 20.0
"""Largest turn of the camera, degrees, that is followed."""


class FieldLocator:
    """Finds the fields of one slide on its map.

    Args:
        store: holds the slide.
        slide: the slide, new or resumed: what the store holds of it is on the map from the start.

    Raises:
        StoreError: the store cannot be read.
    """

    def __init__(self, store: SlideStore, slide: Slide) -> None:
        self._store = store
        self._slide = slide
        self.map: SlideMap | None = map_of(store, slide)
        # Where the stage is believed to be: the last frame whose place is known.
        self.last: tuple[Thumbnail, Place] | None = None
        # Where it was when the source went away, or the slide was last counted: a first guess of where it is, no more.
        self._left_at = self._last_stored()
        self._unplaced: Points | None = None
        # By region, the cells it had when all of it was last looked for on the others.
        self._sought: dict[int, int] = {}

    def _last_stored(self) -> tuple[Thumbnail, Place] | None:
        """The last field of the record, where its thumbnail was kept."""
        if self.map is None or not self.map.fields:
            return None
        last = self.map.fields[-1]
        kept = self._store.thumbnails(self._slide, [last.number])
        return (unpack_thumbnail(kept[last.number], last.size), last.place) if last.number in kept else None

    def expected(self, movement: Movement | None) -> Place | None:
        """Where a frame lies that moved so since the last; None where that is unknown."""
        if self.last is None:
            return None
        place = self.last[1]
        if movement is None:
            return place
        return place._replace(x=place.x + movement.x, y=place.y + movement.y)

    def locate(
        self,
        found: FoundField,
        thumbnail: Thumbnail,
        expected: Place | None,
        movement: Movement | None,
        *,
        apart: bool,
        cell_width: float,
    ) -> Place | None:
        """Find a field on the map, or begin a map or a region of its own for it.

        Args:
            found: the field.
            thumbnail: its picture.
            expected: where it should lie.
            movement: since the last frame, where the pictures tell it.
            apart: whether it is a picture of its own, and no frame of a moving stage.
            cell_width: usual width of a cell, pixels: of the map, where none is begun yet.

        Returns:
            Its place; None where it is on no part of the map.
        """
        size = thumbnail.size
        if self.map is None:
            self.map = SlideMap(cell_width)
            return Place(self.map.begin_region(), 0.0, 0.0, Placement.FIRST)
        if expected is None and self._left_at is not None and not apart:
            expected = self._left_at[1]
        turn = expected.turn if expected is not None else 0.0
        alike = not apart or abs(found.cell_width / self.map.cell_width - 1) < ALIKE
        place = self._place_at(turn, found, thumbnail, expected, movement) if alike else None
        if place is None and expected is not None and not apart:
            turns = (turn + by for by in TURNS if abs(turn + by) <= MOST_TURN)
            tried = (self._place_at(one, found, thumbnail, expected, None) for one in turns)
            place = next((one for one in tried if one is not None), None)
        if place is not None:
            return self._turned_right(place, found, thumbnail)
        if apart or self._met_before(_centres(found), size):
            return Place(self.map.begin_region(), 0.0, 0.0, Placement.FIRST)
        return None

    def settle(self, thumbnail: Thumbnail, place: Place) -> None:
        """Note where the stage is."""
        self.last, self._left_at, self._unplaced = (thumbnail, place), None, None

    def forget(self) -> None:
        """Look for the next field everywhere, first about where the stage was: it may have been moved."""
        self.last, self._left_at, self._unplaced = None, self.last or self._left_at, None

    def withdraw(self, place: Place) -> None:
        """Forget a region that was begun for a field which the store then could not take."""
        if place.how == Placement.FIRST and self.map is not None:
            del self.map.regions[place.island]
            if not self.map.regions:
                self.map = None

    def join(self, found: FoundField, place: Place, thumbnail: Thumbnail) -> None:
        """Where this field is also found on another region, the two are one: count their cells once."""
        if self.map is None or len(self.map.regions) < 2:
            return
        cells = self.map.region(place.island).cells
        whole = cells >= GROWN * self._sought.get(place.island, 0)
        if whole:
            self._sought[place.island] = cells
        points = turn_points(_centres(found), place.turn, thumbnail.size)
        joined = join_if_met(
            self._store, self._slide, self.map, place, points=points, thumbnail=thumbnail, whole=whole
        )
        if joined is not None:
            self.map, there = joined
            if self.last is not None:
                self.last = (self.last[0], there)

    def _place_at(
        self,
        turn: float,
        found: FoundField,
        thumbnail: Thumbnail,
        expected: Place | None,
        movement: Movement | None,
    ) -> Place | None:
        """Find the field on the map, its camera being turned by so many degrees."""
        slide_map = self.known_map()

        def agrees(x: float, y: float) -> bool:
            seen = self.last or self._left_at
            if seen is None:
                return False
            before, there = seen
            return overlaps_agree(
                turn_thumbnail(before, there.turn), turn_thumbnail(thumbnail, turn), x - there.x, y - there.y
            )

        def shows(place: Place) -> bool:
            return self._shows(thumbnail, place._replace(turn=turn))

        place = slide_map.locate(
            turn_points(_centres(found), turn, thumbnail.size),
            thumbnail.size,
            expected,
            sure=movement is not None,
            agrees=agrees,
            shows=shows,
        )
        return None if place is None else place._replace(turn=turn)

    def _turned_right(self, place: Place, found: FoundField, thumbnail: Thumbnail) -> Place:
        """The place with the camera's turn corrected by the cells that the field has in common with the map."""
        slide_map = self.known_map()
        width, height = thumbnail.size
        around = slide_map.region(place.island).cells_within(place.x, place.y, width, height)
        points = turn_points(_centres(found), place.turn, thumbnail.size)
        by = turn_between(around, points, (place.x, place.y), slide_map.cell_width)
        if abs(by) < NOTICED or abs(place.turn + by) > MOST_TURN:
            return place
        better = self._place_at(place.turn + by, found, thumbnail, place, Movement(0.0, 0.0, 1.0))
        return place if better is None else better._replace(how=place.how)

    def _shows(self, thumbnail: Thumbnail, place: Place) -> bool:
        """Whether stored fields that the field would overlap at a place show the same there."""
        return shows_the_same(
            thumbnail, place, self.known_map().fields, partial(self._store.thumbnails, self._slide)
        )

    def known_map(self) -> SlideMap:
        """The map, once a field was placed."""
        if self.map is None:
            raise RuntimeError("a field was placed on no map")
        return self.map

    def _met_before(self, points: Points, size: tuple[int, int]) -> bool:
        """Whether a field that lies nowhere on the map was seen in two frames running.

        One frame may be unknown for being bad; two that show the same cells are a place of the slide.
        """
        before, self._unplaced = self._unplaced, points
        if before is None or self.map is None:
            return False
        there = SlideMap(self.map.cell_width)
        there.region(there.begin_region()).add_cells(MapCell(float(x), float(y)) for x, y in before)
        return there.recognise(points, size) is not None


def _centres(found: FoundField) -> Points:
    """Centres of the whole red cells of a field: what its place is recognised by."""
    return np.array([cell.centre for cell in found.cells if cell.counted], np.float64).reshape(-1, 2)
