"""What a live session does with each frame: counts a slide, or judges the cell under the cross-hair."""

import math
from collections import deque
from typing import Any, NamedTuple, Protocol

from edge.camera.settings import CameraRecord
from edge.drawing.field_overlay import DrawnCell
from edge.fields.analyser import SMALLEST_FIELD, FieldReader, FoundField, red_cells
from edge.fields.quality import CheckName, QualityReport
from edge.live.counting import Outcome, SlideCounter
from edge.live.sources.frame import Frame
from edge.live.states import LiveState, Mode
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.parasitaemia.estimate import Rates, estimate
from edge.parasitaemia.red_cells import RedCells
from edge.segmentation.outlines import FoundCell
from edge.slides.joining import counted_twice_at_most
from edge.slides.listing import open_cells
from edge.slides.records import Slide
from edge.slides.store import SlideStore
from edge.types import Rgb

_NOTES_SHOWN = 5
_TURN_TOLD = 1.0
"""The camera's turn is told again when it changed by so many degrees."""
_MIDDLE_PARTS = (2, 4, 8)
"""The middle half, quarter and eighth of a frame: one cell alone stands out in one of them."""


class TaskResult(NamedTuple):
    """What became of a frame.

    Attributes:
        state: what became of it.
        message: why; None where the state says all.
        outlines: what to draw on the frame.
        judged: cells that the network judged in it.
    """

    state: LiveState
    message: Message | None = None
    outlines: tuple[DrawnCell, ...] = ()
    judged: int = 0


class Task(Protocol):
    """One of the two uses of a live camera.

    Attributes:
        mode: what it does with frames.
    """

    mode: Mode

    def consider(self, frame: Frame) -> TaskResult:
        """Take one frame; called from one thread only.

        Raises:
            PlasmoliteError: it could not be taken; the session says so and goes on with the next.
        """
        ...

    def source_opened(self, camera: CameraRecord | None) -> None:
        """The source is open, for the first time or again.

        Args:
            camera: what a camera was told and has; None for other sources.

        Raises:
            StoreError: the slide's record of its camera could not be stored.
        """
        ...

    def source_returned(self) -> None:
        """The source was lost and is back: nothing is known of where the stage stands."""
        ...

    def facts(self) -> dict[str, Any]:
        """What was found so far, as JSON values: a new object each time."""
        ...

    def notes(self) -> tuple[Message, ...]:
        """What the person at the microscope should know for a while, such as a file that could not be read."""
        ...


class SlideTask:
    """Counts a slide.

    Args:
        counter: registers frames and counts each cell once.
        store: holds the slide.
        slide: the slide.
        rates: error rates at the counter's threshold.
        blood: red cells per µL.
        cells_wanted: how many cells the count aims for.
    """

    mode = Mode.SLIDE

    def __init__(
        self,
        counter: SlideCounter,
        store: SlideStore,
        slide: Slide,
        *,
        rates: Rates,
        blood: RedCells,
        cells_wanted: int,
    ) -> None:
        self.slide = slide
        self._counter = counter
        self._store = store
        self._rates = rates
        self._blood = blood
        self._cells_wanted = cells_wanted
        self._states: dict[LiveState, int] = {}
        self._notes: deque[Message] = deque(maxlen=_NOTES_SHOWN)
        self._given_up: Message | None = None
        self._shape: tuple[int, ...] | None = None
        self._turn = 0.0
        self._facts = self._count()

    def consider(self, frame: Frame) -> TaskResult:
        """Count what is new in a frame."""
        self._name_resolution(frame)
        outcome = self._counter.consider(frame)
        self._states[outcome.state] = self._states.get(outcome.state, 0) + 1
        self._name_turn(outcome)
        self._name_noise(outcome)
        if outcome.state in {LiveState.COUNTED, LiveState.NOT_JUDGED}:
            self._facts = self._count()
            self._facts["last_field"] = {
                "new_cells": outcome.new_cells,
                "new_parasitized": outcome.new_parasitized,
                "judged_again": len(outcome.better),
                "how_placed": outcome.place.how if outcome.place else None,
            }
        return TaskResult(
            outcome.state,
            outcome.message,
            _drawn(outcome),
            judged=outcome.new_cells + len(outcome.better),
        )

    def source_opened(self, camera: CameraRecord | None) -> None:
        """Keep what the camera has with the slide, and warn of what it did not take or has changed."""
        if camera is None:
            return
        warnings = camera.disobeyed()
        if "camera" in self.slide.settings:
            warnings += camera.differences(CameraRecord.from_json(self.slide.settings["camera"]))
        elif not self._store.counts(self.slide).fields:  # nobody knows how earlier fields were taken
            self.slide = self._store.record_camera(self.slide, camera.to_json())
        for warning in warnings:
            if warning not in self._notes:
                self.note(warning)

    def _name_turn(self, outcome: Outcome) -> None:
        """Say so when the camera has turned against the slide by a degree more than was last told."""
        turn = outcome.place.turn if outcome.place else self._turn
        if abs(turn - self._turn) >= _TURN_TOLD:
            self._turn = turn
            self.note(Message(Code.LIVE_TURNED, degrees=abs(turn)))

    def _name_noise(self, outcome: Outcome) -> None:
        """Say once what noise costs, when a field is counted that shows much of it."""
        told = Message(Code.LIVE_NOISY)
        if outcome.new_cells and outcome.found and outcome.found.quality.costly and told not in self._notes:
            self.note(told)

    def source_returned(self) -> None:
        """Look for the next field everywhere."""
        self._counter.forget_position()

    def _name_resolution(self, frame: Frame) -> None:
        """Say so when a camera's pictures change their size; pictures of a folder may differ as they like."""
        before, shape = self._shape, frame.rgb.shape
        self._shape = None if frame.apart else shape
        if before is not None and not frame.apart and shape != before:
            self.note(
                Message(
                    Code.LIVE_RESIZED,
                    width_before=before[1],
                    height_before=before[0],
                    width=shape[1],
                    height=shape[0],
                )
            )

    def note(self, message: Message) -> None:
        """Keep a message for the warnings: a file that could not be read. Safe from any thread."""
        self._notes.append(message)
        if message.code is Code.LIVE_FILE_GIVEN_UP:
            self._given_up = message

    def notes(self) -> tuple[Message, ...]:
        """The last messages that were kept, what could not be read, and what the count as a whole is known for."""
        notes = list(self._notes)
        if self._given_up is not None and self._given_up not in notes:
            notes.insert(0, self._given_up)
        facts = self._facts
        if facts["unjudged"]:
            notes.append(Message(Code.LIVE_NOT_JUDGED, cells=facts["unjudged"]))
        if facts["near_threshold"]:
            notes.append(Message(Code.LIVE_NEAR_THRESHOLD, cells=facts["near_threshold"]))
        if facts["reached"]:
            notes.append(Message(Code.LIVE_REACHED_GOES_ON, wanted=self._cells_wanted))
        return tuple(notes)

    def facts(self) -> dict[str, Any]:
        """Counts, progress and estimate."""
        return {**self._facts, "frames_by_state": dict(self._states), "notes": list(map(str, self._notes))}

    def _count(self) -> dict[str, Any]:
        counts = self._store.counts(self.slide)
        regions = [region.cells for region in self._counter.map.regions.values()] if self._counter.map else []
        reading = estimate(counts.parasitized, counts.cells, self._rates, self._blood)
        return {
            "slide": {"id": self.slide.slide_id, "number": self.slide.number},
            "fields": counts.fields,
            "cells": counts.cells,
            "cells_wanted": self._cells_wanted,
            "reached": counts.cells >= self._cells_wanted,
            "parasitized": counts.parasitized,
            "unjudged": counts.unjudged,
            "near_threshold": open_cells(self._store, self.slide).near,
            "stretches": len(regions),
            "counted_twice_at_most": counted_twice_at_most(regions),
            "estimate": reading.to_json(),
        }


def _drawn(outcome: Outcome) -> tuple[DrawnCell, ...]:
    """The red cells of a frame: those that it added to the count or judged again with their verdicts."""
    if outcome.found is None:
        return ()
    classified = {one.cell.label: one for one in (*outcome.classified, *outcome.better)}
    red = red_cells(outcome.found.cells)
    return tuple(classified.get(cell.label, cell) for cell in red)


class CellTask:
    """Classifies the cell under the cross-hair, in the middle of the frame, again and again.

    Args:
        reader: finds and classifies cells.
    """

    mode = Mode.CELL

    def __init__(self, reader: FieldReader) -> None:
        self._reader = reader
        self._facts: dict[str, Any] = {"cell": None}
        self._warnings: tuple[Message, ...] = ()

    def consider(self, frame: Frame) -> TaskResult:
        """Classify the cell in the middle of a frame."""
        self._facts = {"cell": None}
        found = self._find(frame.rgb)
        refused = found.quality.for_single_cell().refused
        if refused is not None:
            return TaskResult(LiveState.REFUSED, refused)
        cell = _in_the_middle(found)
        if cell is None:
            return TaskResult(LiveState.NO_CELL, Message(Code.LIVE_NO_CELL))
        (classified,) = self._reader.classify(frame.rgb, [cell])
        self._facts = {
            "cell": {
                "box": list(cell.box),
                "label": classified.label,
                "probability": round(classified.probability, 6),
                "doubtful": classified.doubtful,
            }
        }
        return TaskResult(LiveState.JUDGED, outlines=(classified,), judged=1)

    def _find(self, rgb: Rgb) -> FoundField:
        """Find the cells of a frame; where they cover too little of it to stand out, those of its middle."""
        height, width = rgb.shape[:2]
        found = self._reader.find(rgb)
        for part in _MIDDLE_PARTS:
            left, top = (width - width // part) // 2, (height - height // part) // 2
            middle = rgb[top : height - top, left : width - left]
            if not _nothing_stands_out(found.quality) or min(middle.shape[:2]) < SMALLEST_FIELD:
                break
            found = self._reader.find(middle)
            cells = tuple(cell.moved(left, top) for cell in found.cells)
            found = found._replace(width=width, height=height, cells=cells)
        return found

    def source_opened(self, camera: CameraRecord | None) -> None:
        """Warn of what the camera did not take."""
        self._warnings = tuple(camera.disobeyed()) if camera is not None else ()

    def source_returned(self) -> None:
        """Each frame is looked at by itself: nothing to forget."""

    def facts(self) -> dict[str, Any]:
        """The verdict on the cell under the cross-hair, None while there is none."""
        return dict(self._facts)

    def notes(self) -> tuple[Message, ...]:
        """What the camera did not take: else each frame says all by itself."""
        return self._warnings


def _nothing_stands_out(quality: QualityReport) -> bool:
    """Whether too little of a picture is stained to tell cells from glass."""
    contrast = (check for check in quality.checks if check.name == CheckName.STAIN_CONTRAST)
    return any(check.value < check.limit[0] for check in contrast)


def _in_the_middle(found: FoundField) -> FoundCell | None:
    """The whole red cell nearest to the middle of those whose boxes hold it."""
    x, y = found.width / 2, found.height / 2
    under = [
        cell
        for cell in found.cells
        if cell.counted
        and cell.box[0] <= x <= cell.box[0] + cell.box[2]
        and cell.box[1] <= y <= cell.box[1] + cell.box[3]
    ]
    return min(under, key=lambda one: math.dist(one.centre, (x, y)), default=None)
