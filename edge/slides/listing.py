"""The list of slides as a person looks through it: found by words, in an order, page by page, each with its state."""

from enum import StrEnum
from typing import NamedTuple

from edge.errors import SlideError
from edge.fields.quality import MOST_STRAIN
from edge.messages.codes import Code
from edge.slides.records import Slide
from edge.slides.store import SlideStore
from edge.slides.tables.rows import CELLS_WITH_CALLS
from edge.types import Label

_OPEN = f"""
SELECT coalesce(sum(label = '{Label.PARASITIZED}'), 0) AS suspects,
       coalesce(sum(label <> '{Label.PARASITIZED}' AND doubtful), 0) AS near
FROM ({CELLS_WITH_CALLS} WHERE fields.slide = ? AND cells.duplicate_of IS NULL AND strain <= {MOST_STRAIN})
WHERE call IS NULL
"""  # noqa: S608 - put together from constants alone
_MOST_TELLING = f"""
SELECT crop FROM cells JOIN fields USING (field_id)
WHERE fields.slide = ? AND cells.duplicate_of IS NULL AND strain <= {MOST_STRAIN}
ORDER BY probability DESC, cell_id LIMIT 1
"""  # noqa: S608 - put together from constants alone


class SlideOrder(StrEnum):
    """In which order slides are listed."""

    NEWEST = "newest"
    OLDEST = "oldest"
    ID = "id"


class SlidePage(NamedTuple):
    """A part of a list of slides.

    Attributes:
        total: how many slides were found.
        slides: those of this page.
    """

    total: int
    slides: tuple[Slide, ...]


def find_slides(
    store: SlideStore,
    *,
    search: str = "",
    order: SlideOrder = SlideOrder.NEWEST,
    offset: int = 0,
    limit: int = 100,
) -> SlidePage:
    """Find slides.

    Args:
        store: holds them.
        search: what their id, operator or notes hold, in any case; all slides where it is empty.
        order: of the whole list.
        offset: slides before the page.
        limit: slides on it at most.
    """
    wanted = search.casefold().strip()
    found = [
        slide
        for slide in store.slides()
        if wanted in "\n".join((slide.slide_id, slide.operator, slide.notes)).casefold()
    ]
    if order == SlideOrder.OLDEST:
        found.reverse()
    elif order == SlideOrder.ID:
        found.sort(key=lambda slide: (slide.slide_id.casefold(), slide.number))
    return SlidePage(len(found), tuple(found[offset : offset + limit]))


class OpenCells(NamedTuple):
    """Cells of a slide that wait for a person's call.

    Attributes:
        suspects: called parasitised by the machine.
        near: called uninfected, but near the threshold.
    """

    suspects: int
    near: int


def open_cells(store: SlideStore, slide: Slide) -> OpenCells:
    """How many suspects and how many doubtful cells of a slide have no call yet."""
    row = store.database.rows(_OPEN, (slide.number,))[0]
    return OpenCells(int(row["suspects"]), int(row["near"]))


def thumbnail(store: SlideStore, slide: Slide) -> bytes:
    """The small JPEG of the cell that is most probably parasitised.

    Raises:
        SlideError: the slide has no cell.
    """
    rows = store.database.rows(_MOST_TELLING, (slide.number,))
    if not rows:
        raise SlideError(Code.SLIDE_NO_CELLS, slide=slide.slide_id)
    return bytes(rows[0]["crop"])
