"""A person's word on the machine's suspects: the queue, the decisions, and the estimate after them."""

from typing import Any, NamedTuple

from edge.errors import SlideError
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.parasitaemia.after_review import ReviewCounts, prevalence_after_review
from edge.parasitaemia.confidence import field_design_effect
from edge.parasitaemia.estimate import Parasitaemia, Rates, estimate, of_prevalence
from edge.parasitaemia.red_cells import RedCells, red_cells
from edge.slides.audit import add_entry
from edge.slides.naming import reads_as_stored
from edge.slides.records import AuditAction, AuditEntry, Review, Slide, StoredCell
from edge.slides.rows import row_number
from edge.slides.store import SlideStore
from edge.types import Label

MAX_REVIEWER = 120


def review_queue(store: SlideStore, slide: Slide, *, include_reviewed: bool = False) -> list[StoredCell]:
    """The cells that a person should look at, those that matter most first.

    The suspects come first, the most probable at the head; then the doubtful ones that the machine called
    uninfected, again from the most probable down.

    Args:
        store: the store.
        slide: the slide.
        include_reviewed: whether to list also cells on which a call stands.
    """
    queue = [
        cell
        for cell in store.cells(slide)
        if (cell.label == Label.PARASITIZED or cell.doubtful) and (include_reviewed or cell.call is None)
    ]
    return sorted(queue, key=lambda cell: (cell.label != Label.PARASITIZED, -cell.probability, cell.cell_id))


def judge(
    store: SlideStore, slide: Slide, cell_id: int, call: Label | None, *, reviewer: str, note: str = ""
) -> Review:
    """Store what a person says of one cell, beside the machine's verdict and all earlier calls.

    Args:
        store: the store.
        slide: the slide that the cell is of.
        cell_id: the cell.
        call: parasitised or uninfected; None withdraws the call that stands.
        reviewer: who says it.
        note: why, in their words; may be empty.

    Raises:
        SlideError: there is no such cell, the call is none of the three, or the reviewer has no name.
        StoreError: it was not stored.
    """
    if call not in (Label.PARASITIZED, Label.UNINFECTED, None):
        raise SlideError(Code.REVIEW_NOT_A_CALL, call=call)
    reviewer = reviewer.strip()
    if not 1 <= len(reviewer) <= MAX_REVIEWER or not reads_as_stored(reviewer):
        raise SlideError(Code.REVIEW_REVIEWER, most=MAX_REVIEWER)
    at = store.now()
    with store.database.writing(Message(Code.STORE_DOING_TAKE_REVIEW)) as connection:
        # Read inside the transaction: two reviewers may judge the same cell at the same time.
        before = store.cell(slide, cell_id)
        if before.call is None and call is None:
            raise SlideError(Code.REVIEW_NOTHING_TO_WITHDRAW, cell=cell_id)
        cursor = connection.execute(
            "INSERT INTO reviews (cell_id, call, reviewer, at, note) VALUES (?, ?, ?, ?, ?)",
            (cell_id, call, reviewer, at.isoformat(), note),
        )
        action = AuditAction.REVIEW_WITHDRAWN if call is None else AuditAction.CELL_REVIEWED
        detail = {
            "cell": cell_id,
            "machine": before.label,
            "probability": before.probability,
            "call_before": before.call,
            "call": call,
        }
        add_entry(connection, AuditEntry(at, reviewer, action, slide.number, detail))
        review_id = row_number(cursor.lastrowid)
    return Review(review_id, cell_id, call, reviewer, at, note)


class SlideEstimates(NamedTuple):
    """Both readings of a slide, which reports show side by side."""

    machine: Parasitaemia
    reviewed: Parasitaemia | None
    """With the person's calls; ``None`` until enough suspects are reviewed (`ReviewCounts.enough`)."""
    suspects: int
    """Cells that the machine called parasitised."""
    suspects_reviewed: int
    overruled: int
    """Cells on which the person's call differs from the machine's verdict."""

    def to_json(self) -> dict[str, Any]:
        """Both estimates, the second null before any review, and how far the review is."""
        return {
            "estimate": self.machine.to_json(),
            "estimate_after_review": self.reviewed.to_json() if self.reviewed else None,
            "review": {
                "suspects": self.suspects,
                "suspects_reviewed": self.suspects_reviewed,
                "overruled": self.overruled,
            },
        }


def slide_estimates(store: SlideStore, slide: Slide) -> SlideEstimates:
    """Estimate the parasitaemia of a slide as the machine saw it, and after review.

    Args:
        store: the store.
        slide: the slide; its settings hold the rates of the model at its threshold, and the red cells per µL.

    Raises:
        SlideError: the slide's settings lack the rates.
        PrevalenceError: the rates cannot correct a count.
    """
    rates, blood = _rates(slide), _blood(slide)
    cells = store.cells(slide)
    suspects = [cell for cell in cells if cell.label == Label.PARASITIZED]
    fields: dict[int, list[bool]] = {}
    for cell in cells:
        fields.setdefault(cell.field_number, []).append(cell.label == Label.PARASITIZED)
    effect = field_design_effect(
        [sum(calls) for calls in fields.values()], [len(calls) for calls in fields.values()]
    )
    machine = estimate(len(suspects), len(cells), rates, blood, effect=effect)
    passed = [cell for cell in cells if cell.label != Label.PARASITIZED and cell.call is not None]
    counts = ReviewCounts(
        counted=len(cells),
        suspects=len(suspects),
        reviewed=sum(cell.call is not None for cell in suspects),
        confirmed=sum(cell.call == Label.PARASITIZED for cell in suspects),
        passed_reviewed=len(passed),
        passed_infected=sum(cell.call == Label.PARASITIZED for cell in passed),
    )
    overruled = sum(cell.call not in (None, cell.label) for cell in cells)
    reviewed = None
    if counts.enough and (counts.reviewed or counts.passed_reviewed):
        final = sum(cell.final_label == Label.PARASITIZED for cell in cells)
        after = prevalence_after_review(counts, rates, effect=effect)
        reviewed = of_prevalence(final, len(cells), after, rates, blood)
    return SlideEstimates(machine, reviewed, len(suspects), counts.reviewed, overruled)


def _rates(slide: Slide) -> Rates:
    try:
        return Rates.from_json(slide.settings["rates"])
    except (KeyError, TypeError) as error:
        raise SlideError(Code.SLIDE_NO_RATES, slide=slide.slide_id) from error


def _blood(slide: Slide) -> RedCells:
    stored = slide.settings.get("red_cells")
    return RedCells.from_json(stored) if stored else red_cells()
