"""Registers frames on the slide map and counts each cell once.

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
from edge.fields.quality import MOST_STRAIN
from edge.live.best_view import CLEARLY_BETTER, compare, put_on_map
from edge.live.registration.locator import FieldLocator
from edge.live.registration.motion import Movement, Thumbnail, estimate_motion, take_thumbnail
from edge.live.registration.picture_check import pack_thumbnail
from edge.live.registration.rescaling import SlideScale
from edge.live.registration.slide_map import Place, SeenField, SlideMap
from edge.live.sources.frame import Frame
from edge.live.states import LiveState, Placement
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.slides.from_files import stored_crop
from edge.slides.records import BetterView, NewField, Slide
from edge.slides.store import SlideStore
from edge.slides.surroundings import stored_picture
from edge.types import Label

STILL = 0.1
"""A field that moved by less than this, in cell widths, shows nothing that the last one did not."""
LEAST_GAIN = 0.02
"""A field that covers less new area than this share of itself, and no new cell, is not stored."""
BLURRED = 0.35
"""Detail of a thumbnail, relative to the sharpest of the last frames, below which nobody looks for its cells: it saves
time. What a frame that passes is good for is decided by the checks of its field."""
MOST_COUNTED_STRAIN = 2.5
"""Most strain of a view (`QualityReport.strain`) in which cells are still found well enough to be counted. Above
`MOST_STRAIN` they wait for a better view to be judged in."""
CHANGED = 0.15
"""A stage that stands is looked at again when the detail of its frames differs by this share: somebody focused."""
_REMEMBERED = 60
"""Frames over which the sharpest is remembered: the lens may be refocused and the light changed."""


class Outcome(NamedTuple):
    """What became of a frame.

    Attributes:
        state: counted, not judged, nothing new, still, blurred, refused or unplaced.
        message: why; None where the state says all.
        place: where it is, if that is known.
        found: its cells; None where nobody looked.
        classified: the cells that it added to the count.
        better: counted cells that it showed better, judged again.
    """

    state: LiveState
    message: Message | None = None
    place: Place | None = None
    found: FoundField | None = None
    classified: tuple[ClassifiedCell, ...] = ()
    better: tuple[ClassifiedCell, ...] = ()

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
        self._locator = FieldLocator(store, slide)
        if self.map is not None:
            self._cell_width = self.map.cell_width
        fields = store.fields(slide)
        self._scale: SlideScale | None = None
        if fields and self._cell_width is not None:
            first = fields[0].field
            self._scale = SlideScale((first.width, first.height), self._cell_width, reader)
        self._settled = False
        self._strain = 0.0
        self._sharpness: list[float] = []
        self._shape: tuple[int, ...] = ()

    @property
    def map(self) -> SlideMap | None:
        """The map of the slide; None before its first field."""
        return self._locator.map

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
        rgb = frame.rgb if self._scale is None or frame.apart else self._scale.apply(frame.rgb)
        thumbnail = take_thumbnail(rgb)
        movement = (
            None
            if self._locator.last is None or frame.apart
            else estimate_motion(self._locator.last[0], thumbnail)
        )
        expected = self._locator.expected(movement)
        if self._settled and movement is not None and not frame.apart and self._is_still(movement, thumbnail):
            return Outcome(LiveState.STILL, place=self._locator.last[1] if self._locator.last else None)
        if not frame.apart and self._is_blurred(thumbnail):
            return Outcome(LiveState.BLURRED, Message(Code.LIVE_BLURRED), expected)
        # Pictures that somebody chose to take may be of any magnification: each is measured by itself.
        found = self._reader.find(rgb, None if frame.apart else self._cell_width)
        unfit = self._unfit(found, frame, expected)
        if unfit is not None:
            return unfit
        if self._cell_width is None or self._scale is None:
            self._cell_width = self._cell_width or found.cell_width
            self._scale = SlideScale(thumbnail.size, self._cell_width, self._reader)
        place = self._locator.locate(
            found, thumbnail, expected, movement, apart=frame.apart, cell_width=self._cell_width
        )
        if place is None:
            self._settled = False
            return Outcome(LiveState.UNPLACED, Message(Code.LIVE_UNPLACED), found=found)
        try:
            outcome = self._count(rgb, found, place, thumbnail, frame)
        except StoreError:
            self._locator.withdraw(place)
            raise
        self._locator.settle(thumbnail, place)
        self._settled = True
        self._strain = found.quality.strain
        if place.how == Placement.RECOGNISED or outcome.new_cells:
            self._locator.join(found, place, thumbnail)
        return outcome

    def _unfit(self, found: FoundField, frame: Frame, expected: Place | None) -> Outcome | None:
        """Why a field cannot be counted; None where it can, be it only until it is seen better."""
        # A picture that somebody took comes once: it is judged as it is, or not at all.
        content = found.quality if frame.apart else found.quality.of_content()
        refused, state = content.refused, LiveState.REFUSED
        if refused is None and not frame.apart and found.quality.strain > MOST_COUNTED_STRAIN:
            refused, state = found.quality.refused, LiveState.BLURRED
        if refused is None:
            return None
        self._settled = False
        if frame.sha256 is not None:
            self._store.take_file(self._slide, frame.sha256, f"refused: {refused}")
        return Outcome(state, refused, expected, found=found)

    def forget_position(self) -> None:
        """Look for the next frame everywhere: the source was away, and the stage may have been moved."""
        self._locator.forget()
        self._settled = False
        self._sharpness.clear()

    def _is_still(self, movement: Movement, thumbnail: Thumbnail) -> bool:
        """Whether the stage stands where it stood, and nothing better is to be seen there."""
        before = self._locator.last[0].sharpness if self._locator.last else 0.0
        changed = abs(thumbnail.sharpness - before) > CHANGED * before
        return (
            self._cell_width is not None
            and self._strain <= MOST_STRAIN
            and not (changed and self._strain > CLEARLY_BETTER)
            and max(abs(movement.x), abs(movement.y)) < STILL * self._cell_width
            and movement.correlation > 0.8
        )

    def _is_blurred(self, thumbnail: Thumbnail) -> bool:
        self._sharpness = [*self._sharpness[1 - _REMEMBERED :], thumbnail.sharpness]
        return thumbnail.sharpness < BLURRED * max(self._sharpness)

    def _count(
        self, rgb: NDArray[np.uint8], found: FoundField, place: Place, thumbnail: Thumbnail, frame: Frame
    ) -> Outcome:
        """Judge and store what is new in a field or better to be seen, then put it on the map."""
        size = thumbnail.size
        field = NewField(
            island=place.island,
            x=place.x,
            y=place.y,
            width=size[0],
            height=size[1],
            cell_width=found.cell_width if frame.apart else self._locator.known_map().cell_width,
            taken_at=self._now(),
            source=frame.name,
            quality=found.quality,
            uncovered=tuple(cell.box for cell in found.cells if cell.cut_by_border),
            turn=place.turn,
        )
        region = self._locator.known_map().region(place.island)
        seen = compare(region, field, found.cells)
        gain = 1 - region.share_covered(place.x, place.y, size, judged=True) if field.judged else 0.0
        if not seen.new and not seen.better and gain < LEAST_GAIN:
            if frame.sha256 is not None:
                self._store.take_file(self._slide, frame.sha256, "nothing new")
            return Outcome(LiveState.NOTHING_NEW, place=place, found=found)
        looked_at = [*seen.new, *(cell for _, cell in seen.better)]
        grainy = found.quality.grainy
        classified = self._reader.classify(rgb, looked_at, typical=field.judged, grainy=grainy)
        crops = [stored_crop(rgb, cell) for cell in looked_at]
        new = len(seen.new)
        better = [
            BetterView(before.cell_id, one, crop)
            for (before, _), one, crop in zip(seen.better, classified[new:], crops[new:], strict=True)
        ]
        stored = self._store.add_field(
            self._slide,
            field,
            classified[:new],
            crops[:new],
            better=better,
            withdrawn=[cell.cell_id for cell in seen.gone],
            thumbnail=pack_thumbnail(thumbnail),
            picture=stored_picture(rgb, field.cell_width) if looked_at else None,
            file_sha256=frame.sha256,
        )
        put_on_map(region, field, seen, stored.cell_ids)
        self._locator.known_map().fields.append(SeenField(stored.number, place, size))
        state = LiveState.COUNTED if field.judged else LiveState.NOT_JUDGED
        return Outcome(
            state,
            found.quality.refused,
            place=place,
            found=found,
            classified=tuple(classified[:new]) if field.judged else (),
            better=tuple(classified[new:]),
        )
