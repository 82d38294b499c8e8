"""What the store keeps and gives back: plain immutable values, no database in them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from edge.fields.analyser import ClassifiedCell
from edge.fields.quality import MOST_STRAIN, QualityReport
from edge.slides.placing import turned
from edge.types import Box, Label


class Slide(NamedTuple):
    """One glass slide that is or was counted.

    Of a person it holds nothing but what was typed into ``slide_id`` and ``notes``.
    """

    number: int
    """The store's own number of it: what the audit trail keeps when the slide is deleted."""
    slide_id: str
    notes: str
    operator: str
    device: str
    """The computer and the camera, in words."""
    model_name: str
    model_sha256: str
    """SHA-256 of the model file, hexadecimal: a slide is counted by one model only."""
    settings: Mapping[str, Any]
    """Threshold, rates, cells aimed for and so on, as they were when counting began."""
    created_at: datetime


class NewField(NamedTuple):
    """An accepted field on its way into the store."""

    island: int
    """Fields that were registered to each other share a region; positions compare only within one."""
    x: float
    """Left edge of the field on its region, in pixels of the field."""
    y: float
    width: int
    height: int
    cell_width: float
    """Usual width of a red cell in this field, in pixels."""
    taken_at: datetime
    source: str
    quality: QualityReport = QualityReport(())
    """The checks that it passed."""
    uncovered: tuple[Box, ...] = ()
    """Boxes of cells that the border cut: seen here, but to be counted in another field."""
    turn: float = 0.0
    """Degrees clockwise by which the camera was turned about the field's middle against the region's first field."""

    @property
    def judged(self) -> bool:
        """Whether its view is good enough to judge cells by."""
        return self.quality.strain <= MOST_STRAIN

    def on_slide(self, point: tuple[float, float]) -> tuple[float, float]:
        """From a point of the field to the place on its region, pixels."""
        x, y = turned(point, self.turn, (self.width, self.height))
        return self.x + x, self.y + y

    def holds(self, place: tuple[float, float], margin: float) -> bool:
        """Whether a place on its region is within it, so many pixels from its edge."""
        size = (self.width, self.height)
        x, y = turned((place[0] - self.x, place[1] - self.y), -self.turn, size)
        return margin <= x <= self.width - margin and margin <= y <= self.height - margin


class StoredField(NamedTuple):
    """An accepted field as the store holds it."""

    field_id: int
    number: int
    """Counted from 1 within its slide."""
    field: NewField
    cell_ids: tuple[int, ...] = ()
    """Of the cells stored with it, in their order; empty where the field was read from the store."""


class BetterView(NamedTuple):
    """A counted cell in a field that shows it better than the one it was judged in."""

    cell_id: int
    cell: ClassifiedCell
    crop: bytes
    """A small JPEG of it."""


class EarlierView(NamedTuple):
    """What was said of a cell before a better view of it came."""

    cell_id: int
    field_number: int
    box: Box
    probability: float
    label: Label
    doubtful: bool
    strain: float
    replaced_at: datetime


class Review(NamedTuple):
    """What a person said of one cell; the latest of them counts."""

    review_id: int
    cell_id: int
    call: Label | None
    """None withdraws the earlier call."""
    reviewer: str
    at: datetime
    note: str
    reading: int = 1
    """1 or 2 for the first or second reading, 3 for the decision between them."""
    species: str = ""
    """What the reader noted of the parasite, in their words; may be empty."""
    stage: str = ""


class StoredCell(NamedTuple):
    """A counted cell as the store holds it, with the last word that a person had on it."""

    cell_id: int
    field_number: int
    island: int
    box: Box
    x: float
    y: float
    probability: float
    label: Label
    doubtful: bool
    strain: float
    """How near the view that decided is to where a fifth of the parasites is lost; above 1 it is not judged."""
    duplicate: bool
    """Found later to be a cell that another field had counted, or no single cell: kept, but not counted."""
    call: Label | None
    """The person's standing call, ``None`` while nobody has judged the cell."""
    reviewer: str | None
    reviewed_at: datetime | None

    @property
    def judged(self) -> bool:
        """Whether it was ever seen well enough to be judged."""
        return self.strain <= MOST_STRAIN

    @property
    def final_label(self) -> Label:
        """The person's call where there is one, the machine's verdict elsewhere."""
        return self.call or self.label


class AuditAction(StrEnum):
    """What a line of the audit trail records; the values are stored, and stay as they are."""

    SLIDE_CREATED = "slide created"
    CELL_REVIEWED = "cell reviewed"
    REVIEW_WITHDRAWN = "review withdrawn"
    CELL_READ_AGAIN = "second reading"
    DISAGREEMENT_DECIDED = "disagreement decided"
    STRETCHES_JOINED = "stretches joined"
    CELLS_SEEN_BETTER = "cells seen better"
    SLIDE_DELETED = "slide deleted"


class AuditEntry(NamedTuple):
    """One line of the audit trail."""

    at: datetime
    who: str
    action: AuditAction
    slide_number: int
    detail: Mapping[str, Any]


class SlideCounts(NamedTuple):
    """How much of a slide is in the store."""

    fields: int
    cells: int
    """Red cells that were counted and judged, duplicates left out."""
    parasitized: int
    """By the machine."""
    reviewed: int
    """Cells on which a person's call stands."""
    parasitized_after_review: int
    """The person's calls for reviewed cells, the machine's verdicts for the others."""
    unjudged: int = 0
    """Cells that were counted and never seen well enough to be judged: in none of the other figures."""
