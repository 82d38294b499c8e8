"""A person's word on the machine's suspects: the queue, the decisions, and the estimate after them."""

import random
import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

from edge.errors import SlideError
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.parasitaemia.after_review import ReviewCounts, prevalence_after_review
from edge.parasitaemia.clustering import field_design_effect
from edge.parasitaemia.estimate import Parasitaemia, Rates, estimate, of_prevalence
from edge.parasitaemia.red_cells import RedCells, red_cells
from edge.slides.naming import reads_as_stored
from edge.slides.readings import Agreement, Calls, Reading, agreement, calls_of, readers_of
from edge.slides.records import AuditAction, AuditEntry, Review, Slide, StoredCell
from edge.slides.store import SlideStore
from edge.slides.tables.audit import add_entry
from edge.slides.tables.rows import row_number
from edge.types import Label

MAX_REVIEWER = 120


def review_queue(
    store: SlideStore,
    slide: Slide,
    *,
    include_reviewed: bool = False,
    reading: Reading = Reading.FIRST,
    blind: bool = False,
    sample: int = 0,
) -> list[StoredCell]:
    """The cells that a person should look at, those that matter most first.

    The suspects come first, the most probable at the head; then the doubtful ones that the machine called
    uninfected, again from the most probable down; then the sample. For a decision: those on which the two readings
    differ.

    Args:
        store: the store.
        slide: the slide.
        include_reviewed: whether to list also cells on which a call of this reading stands.
        reading: which reading they are for. What the other readings said is not in the list: each cell has the call of
            this reading alone.
        blind: mix them, so that neither place nor number tells what the machine said. As many of the cells that it
            passed are mixed in as there are others, unless a sample is asked for.
        sample: so many cells of those that the machine passed, at random but always the same: what is found among
            them says how many parasites the machine misses.
    """
    calls = calls_of(store, slide, reading)
    cells = store.cells(slide)
    if reading is Reading.DECISION:
        found = agreement(store, slide)
        differing = set() if found is None else {one.cell.cell_id for one in found.disagreements}
        queue = [cell for cell in cells if cell.cell_id in differing]
        passed = []
    else:
        queue = [cell for cell in cells if cell.label == Label.PARASITIZED or cell.doubtful]
        passed = [cell for cell in cells if cell.label != Label.PARASITIZED and not cell.doubtful]
    queue.sort(key=lambda cell: (cell.label != Label.PARASITIZED, -cell.probability, cell.cell_id))
    chance = random.Random(f"{slide.number}/{slide.created_at.isoformat()}")
    chance.shuffle(passed)
    queue += passed[: sample or (len(queue) if blind else 0)]
    if blind:
        chance.shuffle(queue)
    own = [_with_call(cell, calls.get(cell.cell_id)) for cell in queue]
    return [cell for cell in own if include_reviewed or cell.call is None]


def _with_call(cell: StoredCell, review: Review | None) -> StoredCell:
    """Give a cell the call of one reading in place of the one that stands."""
    if review is None:
        return cell._replace(call=None, reviewer=None, reviewed_at=None)
    return cell._replace(call=review.call, reviewer=review.reviewer, reviewed_at=review.at)


def judge(
    store: SlideStore,
    slide: Slide,
    cell_id: int,
    call: Label | None,
    *,
    reviewer: str,
    note: str = "",
    reading: Reading = Reading.FIRST,
    species: str = "",
    stage: str = "",
) -> Review:
    """Store what a person says of one cell, beside the machine's verdict and all earlier calls.

    Args:
        store: the store.
        slide: the slide that the cell is of.
        cell_id: the cell; of one that turned out to be counted already, the call is of the cell that is counted.
        call: parasitised or uninfected; None withdraws the call that is in this reading.
        reviewer: who says it.
        note: why, in their words; may be empty.
        reading: which reading it belongs to.
        species: of the parasite, in their words; may be empty.
        stage: of the parasite, in their words; may be empty.

    Raises:
        SlideError: there is no such cell, the call is none of the three, the reviewer has no name or made the other
            reading, or there is nothing to decide.
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
        cell_id = _counted(connection, cell_id)
        cell = store.cell(slide, cell_id)
        calls = {one: calls_of(store, slide, one) for one in Reading}
        _check_reader(calls, reading, reviewer, cell_id)
        before = _with_call(cell, calls[reading].get(cell_id))
        if before.call is None and call is None:
            raise SlideError(Code.REVIEW_NOTHING_TO_WITHDRAW, cell=cell_id)
        cursor = connection.execute(
            "INSERT INTO reviews (cell_id, call, reviewer, at, note, reading, species, stage) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (cell_id, call, reviewer, at.isoformat(), note, int(reading), species, stage),
        )
        action = AuditAction.REVIEW_WITHDRAWN if call is None else _ACTIONS[reading]
        detail = {
            "cell": cell_id,
            "machine": before.label,
            "probability": before.probability,
            "call_before": before.call,
            "call": call,
        }
        add_entry(connection, AuditEntry(at, reviewer, action, slide.number, detail))
        review_id = row_number(cursor.lastrowid)
    return Review(review_id, cell_id, call, reviewer, at, note, int(reading), species, stage)


def _counted(connection: sqlite3.Connection, cell_id: int) -> int:
    """The cell that is counted in place of one that was joined to it after it was shown; else the cell itself."""
    row = connection.execute("SELECT duplicate_of FROM cells WHERE cell_id = ?", (cell_id,)).fetchone()
    original: int | None = None if row is None else row["duplicate_of"]
    return cell_id if original in (None, cell_id) else _counted(connection, original)


_ACTIONS = {
    Reading.FIRST: AuditAction.CELL_REVIEWED,
    Reading.SECOND: AuditAction.CELL_READ_AGAIN,
    Reading.DECISION: AuditAction.DISAGREEMENT_DECIDED,
}


def _check_reader(calls: Mapping[Reading, Calls], reading: Reading, reviewer: str, cell_id: int) -> None:
    """Refuse who made the other reading, and a decision where the readings do not differ."""
    others = {Reading.FIRST: [Reading.SECOND], Reading.SECOND: [Reading.FIRST]}.get(
        reading, [Reading.FIRST, Reading.SECOND]
    )
    names = {name.casefold() for one in others for name in readers_of(calls[one])}
    if reviewer.casefold() in names:
        raise SlideError(Code.REVIEW_SAME_READER, reviewer=reviewer)
    if reading is Reading.DECISION:
        pair = [calls[one].get(cell_id) for one in others]
        if None in pair or len({review.call for review in pair if review is not None}) < 2:
            raise SlideError(Code.REVIEW_NOTHING_TO_DECIDE, cell=cell_id)


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
    second: Parasitaemia | None = None
    """By the second reading alone; ``None`` until it is far enough."""
    agreement: Agreement | None = None
    """How far the two readings agree; ``None`` without a second one."""
    readers: tuple[str, ...] = ()
    """Whose calls ``reviewed`` rests on; a third reader's decisions are in ``agreement``."""

    def to_json(self) -> dict[str, Any]:
        """Both estimates, the second null before any review, and how far the review is."""
        return {
            "estimate": self.machine.to_json(),
            "estimate_after_review": self.reviewed.to_json() if self.reviewed else None,
            "estimate_of_second_reading": self.second.to_json() if self.second else None,
            "review": {
                "suspects": self.suspects,
                "suspects_reviewed": self.suspects_reviewed,
                "overruled": self.overruled,
                "readers": list(self.readers),
                "agreement": None if self.agreement is None else self.agreement.to_json(),
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
    found = agreement(store, slide)
    first, second = (calls_of(store, slide, reading) for reading in (Reading.FIRST, Reading.SECOND))

    def after(read: list[StoredCell]) -> Parasitaemia | None:
        return _after_review(read, rates, blood, effect)

    return SlideEstimates(
        machine=machine,
        reviewed=after(cells),
        suspects=len(suspects),
        suspects_reviewed=sum(cell.call is not None for cell in suspects),
        overruled=sum(cell.call not in (None, cell.label) for cell in cells),
        second=after([_with_call(cell, second.get(cell.cell_id)) for cell in cells]) if second else None,
        agreement=found,
        readers=tuple(readers_of(first)),
    )


def _after_review(
    cells: list[StoredCell], rates: Rates, blood: RedCells, effect: float
) -> Parasitaemia | None:
    """Estimate from the calls on cells; None until enough suspects were looked at."""
    suspects = [cell for cell in cells if cell.label == Label.PARASITIZED]
    passed = [cell for cell in cells if cell.label != Label.PARASITIZED and cell.call is not None]
    counts = ReviewCounts(
        counted=len(cells),
        suspects=len(suspects),
        reviewed=sum(cell.call is not None for cell in suspects),
        confirmed=sum(cell.call == Label.PARASITIZED for cell in suspects),
        passed_reviewed=len(passed),
        passed_infected=sum(cell.call == Label.PARASITIZED for cell in passed),
    )
    if not (counts.enough and (counts.reviewed or counts.passed_reviewed)):
        return None
    final = sum(cell.final_label == Label.PARASITIZED for cell in cells)
    prevalence = prevalence_after_review(counts, rates, effect=effect)
    confirmed = counts.confirmed + counts.passed_infected
    return of_prevalence(final, len(cells), prevalence, rates, blood, confirmed=confirmed)


def _rates(slide: Slide) -> Rates:
    try:
        return Rates.from_json(slide.settings["rates"])
    except (KeyError, TypeError) as error:
        raise SlideError(Code.SLIDE_NO_RATES, slide=slide.slide_id) from error


def _blood(slide: Slide) -> RedCells:
    stored = slide.settings.get("red_cells")
    return RedCells.from_json(stored) if stored else red_cells()
