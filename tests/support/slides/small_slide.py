"""A small slide for the tests of the store: a fixed clock, made-up fields and cells, no picture needed."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from edge.fields.analyser import ClassifiedCell
from edge.fields.quality import Check, CheckName, QualityReport
from edge.segmentation.outlines import CellKind, FoundCell
from edge.slides.records import NewField, Slide
from edge.slides.review import judge
from edge.slides.store import SlideStore
from edge.types import Label

RATES = {
    "true_positives": 950,
    "infected": 1000,
    "true_negatives": 9980,
    "uninfected": 10000,
    "source": "made-up cells",
}
START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


class SteppingClock:
    """A clock that moves on one second each time it is read."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        """The next second."""
        self.at += timedelta(seconds=1)
        return self.at


def open_store(folder: Path) -> SlideStore:
    return SlideStore(folder / "slides.sqlite", clock=SteppingClock())


def begin(store: SlideStore, slide_id: str = "S-1", notes: str = "") -> Slide:
    return store.create_slide(
        slide_id,
        operator="Amina",
        device="a test bench",
        model_name="made-up",
        model_sha256="ab" * 32,
        settings={"rates": RATES, "threshold": 0.5},
        notes=notes,
    )


def field_at(x: float = 0.0, y: float = 0.0, island: int = 1) -> NewField:
    return NewField(
        island=island,
        x=x,
        y=y,
        width=640,
        height=480,
        cell_width=40.0,
        taken_at=START,
        source="test",
        quality=QualityReport(
            (
                Check(CheckName.WHOLE_CELLS, 12.0, (5.0, math.inf), True, None),
                Check(CheckName.BLUR, 0.0213, (0.0, 0.05), True, None),
            )
        ),
        uncovered=((0, 0, 20, 40),),
    )


def cells_of(
    *probabilities: float, x: float = 100.0, doubt: tuple[float, float] = (0.3, 0.7)
) -> list[ClassifiedCell]:
    """Cells in a row, by their probabilities; those between the two ends of `doubt` are doubtful."""
    mask = np.full((40, 40), 255, np.uint8)
    return [
        ClassifiedCell(
            FoundCell(
                box=(int(x) + 50 * n, 100, 40, 40),
                centre=(x + 50.0 * n + 20, 120.0),
                mask=mask,
                kind=CellKind.RED,
                cut_by_border=False,
                clump=False,
                label=n + 1,
            ),
            probability,
            Label.PARASITIZED if probability >= 0.5 else Label.UNINFECTED,
            doubt[0] < probability < doubt[1],
        )
        for n, probability in enumerate(probabilities)
    ]


def with_crops(cells: list[ClassifiedCell]) -> tuple[list[ClassifiedCell], list[bytes]]:
    """Cells and, for each, bytes in place of its crop."""
    return cells, [b"\xff\xd8 not a real picture " + bytes([number]) for number in range(len(cells))]


def counted_slide(store: SlideStore, *, notes: str = "") -> Slide:
    """Eleven fields with 1,207 cells: four called parasitised, one of the others doubtful."""
    slide = begin(store, notes=notes)
    store.add_field(slide, field_at(), *with_crops(cells_of(0.02, 0.97, 0.6, 0.45, 0.1, 0.35, 0.99)))
    for row in range(10):
        store.add_field(slide, field_at(y=500.0 * row), *with_crops(cells_of(*[0.01] * 120)))
    return slide


def overrule_one(store: SlideStore, slide: Slide) -> None:
    """See all suspects, and overrule the first."""
    suspects = [cell for cell in store.cells(slide) if cell.label == Label.PARASITIZED]
    for number, cell in enumerate(suspects):
        judge(store, slide, cell.cell_id, "Parasitized" if number else "Uninfected", reviewer="Amina")
