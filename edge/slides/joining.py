"""Joining two regions of a slide that were counted apart and turned out to be neighbours."""

from collections.abc import Mapping, Sequence

from edge.messages.codes import Code
from edge.messages.message import Message
from edge.slides.readings import Reading, calls_of
from edge.slides.records import AuditAction, AuditEntry, Slide
from edge.slides.store import SlideStore
from edge.slides.tables.audit import add_entry

UNSEEN_OVERLAP = 16
"""Two regions that have this many cells in common are seen to touch:
`edge.live.registration.point_patterns.ANYWHERE` asks for 12 matches and for three quarters of what should
match."""


def counted_twice_at_most(cells: Sequence[int]) -> int:
    """How many cells may have been counted twice because regions are not known to touch.

    Args:
        cells: of each region of the slide: each pair may overlap by less than what is seen, and none can have more
            cells in common with the others than it has.
    """
    rest = sorted(cells)[:-1]
    return sum(min(one, UNSEEN_OVERLAP * (len(cells) - 1 - number)) for number, one in enumerate(rest))


def join_regions(
    store: SlideStore,
    slide: Slide,
    *,
    kept: int,
    moved: int,
    shift: tuple[float, float],
    duplicates: Mapping[int, int],
) -> None:
    """Move one region into another and mark the cells that both had counted.

    A duplicate keeps its row, its crop and its reviews, but is no longer counted; where a person had judged
    only the duplicate, the call is carried over to the cell that stays.

    Args:
        store: the store.
        slide: the slide.
        kept: the region that stays where it is.
        moved: the region whose fields and cells are moved into it.
        shift: what is added to the positions of ``moved``, in pixels.
        duplicates: ids of cells of ``moved``, each with the id of the same cell in ``kept``.

    Raises:
        StoreError: nothing was changed.
    """
    now = store.now()
    with store.database.writing(Message(Code.STORE_DOING_JOIN)) as connection:
        # Read inside the transaction: a reviewer may judge a duplicate at the same time.
        carried = [
            (
                original,
                review.call,
                review.reviewer,
                now.isoformat(),
                f"carried over from cell {duplicate}",
                review.reading,
                review.species,
                review.stage,
            )
            for calls in (calls_of(store, slide, reading) for reading in Reading)
            for duplicate, original in duplicates.items()
            if (review := calls.get(duplicate)) is not None and original not in calls
        ]
        connection.execute(
            "UPDATE cells SET x = x + ?, y = y + ? WHERE field_id IN "
            "(SELECT field_id FROM fields WHERE slide = ? AND island = ?)",
            (*shift, slide.number, moved),
        )
        connection.execute(
            "UPDATE fields SET x = x + ?, y = y + ?, island = ? WHERE slide = ? AND island = ?",
            (*shift, kept, slide.number, moved),
        )
        connection.executemany(
            "UPDATE cells SET duplicate_of = ? WHERE cell_id = ?",
            [(original, duplicate) for duplicate, original in duplicates.items()],
        )
        connection.executemany(
            "INSERT INTO reviews (cell_id, call, reviewer, at, note, reading, species, stage) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            carried,
        )
        detail = {
            "kept": kept,
            "moved": moved,
            "shift": list(shift),
            "duplicates": len(duplicates),
            "calls_carried_over": len(carried),
        }
        entry = AuditEntry(now, "plasmolite", AuditAction.STRETCHES_JOINED, slide.number, detail)
        add_entry(connection, entry)
