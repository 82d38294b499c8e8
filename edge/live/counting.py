"""Each cell once: which frames are accepted into a slide, and which of their cells are new.

The middle of the live count: frames in, outcomes out, with no thread, camera or clock of its own. A field
becomes part of the map only after the store has acknowledged it, so that map and store never disagree.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.errors import StoreError
from edge.fields.analyser import ClassifiedCell, FieldReader, FoundField
from edge.live.registration.joining import join_if_met, map_of
from edge.live.registration.motion import Glimpse, Movement, agree, follow, take_glimpse
from edge.live.registration.rescaling import SlideScale
from edge.live.registration.slide_map import Place, SlideMap
from edge.live.sources.frame import Frame
from edge.live.states import LiveState, Placement
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.slides.from_files import stored_crop
from edge.slides.records import NewField, Slide
from edge.slides.store import SlideStore
from edge.types import Label, Points

STILL = 0.1
"""A field that moved by less than this, in cell widths, shows nothing that the last one did not."""
LEAST_GAIN = 0.02
"""A field that covers less new area than this share of itself, and no new cell, is not stored."""
BLURRED = 0.35
"""Sharpness, relative to the sharpest of the last frames, below which a frame counts as blurred. Measured
on a slide of cells 38 pixels wide: from field to field 0.77 to 1, a Gaussian of 0.8 pixels 0.34, a stage that
moves by 5 pixels during the exposure 0.30, by 9 pixels 0.18."""
GROWN = 1.25
"""Each time that a stretch has so many times the cells that it had then, all of it is looked for on the others:
often enough to join neighbours soon, seldom enough to cost next to nothing."""
_REMEMBERED = 60
"""Frames over which the sharpest is remembered: the lens may be refocused and the light changed."""


class Outcome(NamedTuple):
    """What became of a frame.

    Attributes:
        state: counted, nothing new, still, blurred, refused or unplaced.
        message: why; None where the state says all.
        place: where it is, if that is known.
        found: its cells; None where nobody looked.
        classified: the cells that it added to the count.
    """

    state: LiveState
    message: Message | None = None
    place: Place | None = None
    found: FoundField | None = None
    classified: tuple[ClassifiedCell, ...] = ()

    @property
    def new_cells(self) -> int:
        """How many cells it added to the count."""
        return len(self.classified)

    @property
    def new_parasitized(self) -> int:
        """How many of these are called parasitised."""
        return sum(cell.label == Label.PARASITIZED for cell in self.classified)


class SlideCounter:
    """Counts the cells of one slide, frame by frame.

    Args:
        store: where accepted fields go.
        slide: the slide, new or resumed: what the store holds of it is on the map from the start.
        reader: finds and classifies cells.
        cell_width: usual width of a red cell in pixels; by default found in the first field.
        now: the time of day, in UTC.

    Raises:
        StoreError: the store cannot be read.
    """

    def __init__(
        self,
        store: SlideStore,
        slide: Slide,
        reader: FieldReader,
        *,
        cell_width: float | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._store = store
        self._slide = slide
        self._reader = reader
        self._now = now or store.now
        self._cell_width = cell_width
        self.map: SlideMap | None = map_of(store, slide)
        if self.map is not None:
            self._cell_width = self.map.cell_width
        fields = store.fields(slide)
        self._scale: SlideScale | None = None
        if fields and self._cell_width is not None:
            first = fields[0].field
            self._scale = SlideScale((first.width, first.height), self._cell_width, reader)
        # Where the stage is believed to be: the last frame whose place is known, and the movement since.
        self._last: tuple[Glimpse, Place] | None = None
        self._settled = False
        self._stranger: Points | None = None
        self._sharpness: list[float] = []
        self._shape: tuple[int, ...] = ()
        # By stretch, the cells it had when all of it was last looked for on the others.
        self._sought: dict[int, int] = {}

    def consider(self, frame: Frame) -> Outcome:
        """Take one frame.

        Args:
            frame: the newest of the source.

        Returns:
            What became of it.

        Raises:
            StoreError: the field could not be stored, and was not counted; the next frame may be.
        """
        if frame.rgb.shape != self._shape:
            # Sharpness compares frames of one resolution only.
            self._shape = frame.rgb.shape
            self._sharpness.clear()
        rgb = frame.rgb if self._scale is None else self._scale.apply(frame.rgb)
        glimpse = take_glimpse(rgb)
        movement = None if self._last is None or frame.apart else follow(self._last[0], glimpse)
        expected = self._expected(movement)
        if self._settled and movement is not None and not frame.apart and self._is_still(movement):
            return Outcome(LiveState.STILL, place=self._last[1] if self._last else None)
        if not frame.apart and self._is_blurred(glimpse):
            return Outcome(LiveState.BLURRED, Message(Code.LIVE_BLURRED), expected)
        found = self._reader.find(rgb, self._cell_width)
        refused = found.quality.refused
        if refused is not None:
            if frame.sha256 is not None:
                self._store.take_file(self._slide, frame.sha256, f"refused: {refused}")
            return Outcome(LiveState.REFUSED, refused, expected, found=found)
        place = self._locate(found, glimpse, expected, movement, frame.apart)
        if place is None:
            self._settled = False
            return Outcome(LiveState.UNPLACED, Message(Code.LIVE_UNPLACED), found=found)
        try:
            outcome = self._count(rgb, found, place, frame)
        except StoreError:
            self._withdraw(place)
            raise
        self._last, self._settled, self._stranger = (glimpse, place), True, None
        if place.how == Placement.RECOGNISED or outcome.new_cells:
            self._join(found, place, (rgb.shape[1], rgb.shape[0]))
        return outcome

    def forget_position(self) -> None:
        """Look for the next frame everywhere: the source was away, and the stage may have been moved."""
        self._last, self._settled, self._stranger = None, False, None
        self._sharpness.clear()

    def _withdraw(self, place: Place) -> None:
        """Forget a stretch that was begun for a field which the store then could not take."""
        if place.how == Placement.FIRST and self.map is not None:
            del self.map.islands[place.island]
            if not self.map.islands:
                self.map = None

    def _expected(self, movement: Movement | None) -> Place | None:
        if self._last is None:
            return None
        place = self._last[1]
        if movement is None:
            return place
        return place._replace(x=place.x + movement.x, y=place.y + movement.y)

    def _is_still(self, movement: Movement) -> bool:
        return (
            self._cell_width is not None
            and max(abs(movement.x), abs(movement.y)) < STILL * self._cell_width
            and movement.correlation > 0.8
        )

    def _is_blurred(self, glimpse: Glimpse) -> bool:
        self._sharpness = [*self._sharpness[1 - _REMEMBERED :], glimpse.sharpness]
        return glimpse.sharpness < BLURRED * max(self._sharpness)

    def _locate(
        self,
        found: FoundField,
        glimpse: Glimpse,
        expected: Place | None,
        movement: Movement | None,
        apart: bool,
    ) -> Place | None:
        """Find the field on the map, or begin a map or a stretch of its own for it."""
        points = _centres(found)
        size = glimpse.size
        if self.map is None:
            self._cell_width = self._cell_width or found.cell_width
            self._scale = SlideScale(size, self._cell_width, self._reader)
            self.map = SlideMap(self._cell_width)
            return Place(self.map.begin_island(), 0.0, 0.0, Placement.FIRST)

        def agrees(x: float, y: float) -> bool:
            if self._last is None:
                return False
            before, there = self._last
            return agree(before, glimpse, x - there.x, y - there.y)

        place = self.map.locate(points, size, expected, sure=movement is not None, agrees=agrees)
        if place is not None:
            return place
        if apart or self._met_before(points, size):
            return Place(self.map.begin_island(), 0.0, 0.0, Placement.FIRST)
        return None

    def _met_before(self, points: Points, size: tuple[int, int]) -> bool:
        """Whether a field that lies nowhere on the map was seen in two frames running.

        One frame may be unknown for being bad; two that show the same cells are a place of the slide.
        """
        before, self._stranger = self._stranger, points
        if before is None or self.map is None:
            return False
        there = SlideMap(self.map.cell_width)
        there.island(there.begin_island()).add_cells((float(x), float(y)) for x, y in before)
        return there.recognise(points, size) is not None

    def _count(self, rgb: NDArray[np.uint8], found: FoundField, place: Place, frame: Frame) -> Outcome:
        """Judge and store what is new in a field, then put it on the map."""
        slide_map = self.map
        if slide_map is None:
            raise RuntimeError("a field was placed on no map")
        size = (rgb.shape[1], rgb.shape[0])
        new = [cell for cell in found.cells if cell.counted and slide_map.is_new(place, *cell.centre)]
        island = slide_map.island(place.island)
        if not new and 1 - island.share_covered(place.x, place.y, size) < LEAST_GAIN:
            if frame.sha256 is not None:
                self._store.take_file(self._slide, frame.sha256, "nothing new")
            return Outcome(LiveState.NOTHING_NEW, place=place, found=found)
        classified = self._reader.classify(rgb, new)
        crops = [stored_crop(rgb, cell) for cell in new]
        uncovered = tuple(cell.box for cell in found.cells if cell.cut_by_border)
        field = NewField(
            island=place.island,
            x=place.x,
            y=place.y,
            width=size[0],
            height=size[1],
            cell_width=slide_map.cell_width,
            taken_at=self._now(),
            source=frame.name,
            quality=found.quality,
            uncovered=uncovered,
        )
        self._store.add_field(self._slide, field, classified, crops, file_sha256=frame.sha256)
        island.cover(place.x, place.y, size, uncovered)
        island.add_cells((place.x + cell.centre[0], place.y + cell.centre[1]) for cell in new)
        return Outcome(LiveState.COUNTED, place=place, found=found, classified=tuple(classified))

    def _join(self, found: FoundField, place: Place, size: tuple[int, int]) -> None:
        """Where this field is also found on another stretch, the two are one: count their cells once."""
        if self.map is None or len(self.map.islands) < 2:
            return
        cells = self.map.island(place.island).cells
        whole = cells >= GROWN * self._sought.get(place.island, 0)
        if whole:
            self._sought[place.island] = cells
        joined = join_if_met(
            self._store, self._slide, self.map, place, points=_centres(found), size=size, whole=whole
        )
        if joined is not None:
            self.map, there = joined
            if self._last is not None:
                self._last = (self._last[0], there)


def _centres(found: FoundField) -> Points:
    """Centres of the whole red cells of a field: what its place is told by."""
    return np.array([cell.centre for cell in found.cells if cell.counted], np.float64).reshape(-1, 2)
