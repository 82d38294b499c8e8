"""Lays the boxes of a picture on the cells that the device's finder found in it.

Of a box nothing is taken but where its middle lies and what it is called: it may be drawn round a whole cell or round
its parasite. The cell is the one whose outline holds that middle, else the one whose box does; of several the one whose
own middle is nearest.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edge.segmentation.outlines import FoundCell
from train.annotations.meaning import Meaning, Names
from train.annotations.values import Box

_TOUCHED = 0.15
"""Share of the smaller of two areas that an infected box may cover of another cell before that cell is in doubt."""


class Told(NamedTuple):
    """What the annotations say of one found cell."""

    meaning: Meaning | None
    """``None`` where nothing can be said; ``why`` says why."""
    why: str
    """``not annotated``, ``in doubt``, or the names of its boxes."""


class Match(NamedTuple):
    """Boxes and cells of one picture."""

    told: tuple[Told, ...]
    """Of each cell, in their order."""
    homeless: tuple[Box, ...]
    """Boxes that meet no found cell."""


NOT_ANNOTATED, IN_DOUBT = "not annotated", "in doubt"


def match(
    cells: Sequence[FoundCell],
    boxes: Sequence[Box],
    names: Names,
    *,
    regions: Sequence[Box] = (),
    all_read: bool = True,
) -> Match:
    """Say of each found cell what its boxes say.

    A cell with infected and uninfected boxes is in doubt, and so is one that has no box of its own but is covered in
    part by that of an infected or ignored one, or by a region of many.

    Args:
        cells: of the field.
        boxes: of its picture, in pixels.
        names: what their names mean.
        regions: areas in pixels of which nobody told the single cells.
        all_read: whether every entry of the picture was read; else each cell without a box is in doubt.
    """
    owned: list[list[Box]] = [[] for _ in cells]
    homeless = []
    for box in boxes:
        owner = _owner(cells, box)
        if owner is None:
            homeless.append(box)
        else:
            owned[owner].append(box)
    told = []
    for cell, own in zip(cells, owned, strict=True):
        meanings = {names.meaning(box.label) for box in own}
        why = ", ".join(sorted({box.label for box in own}))
        if meanings >= {Meaning.INFECTED, Meaning.UNINFECTED}:
            told.append(Told(None, IN_DOUBT))
        elif meanings:
            told.append(
                Told(
                    next(
                        one
                        for one in (Meaning.INFECTED, Meaning.IGNORED, Meaning.UNINFECTED)
                        if one in meanings
                    ),
                    why,
                )
            )
        else:
            odd = [box for box in boxes if names.meaning(box.label) is not Meaning.UNINFECTED]
            doubt = not all_read or any(_shared(cell, box) > _TOUCHED for box in (*odd, *regions))
            told.append(Told(None, IN_DOUBT if doubt else NOT_ANNOTATED))
    return Match(tuple(told), tuple(homeless))


def _owner(cells: Sequence[FoundCell], box: Box) -> int | None:
    x, y = box.x + box.width / 2, box.y + box.height / 2
    holding = [number for number, cell in enumerate(cells) if _holds(cell, x, y)]
    on_mask = [number for number in holding if _on_mask(cells[number], x, y)]
    return min(
        on_mask or holding,
        key=lambda number: float(np.hypot(cells[number].centre[0] - x, cells[number].centre[1] - y)),
        default=None,
    )


def _holds(cell: FoundCell, x: float, y: float) -> bool:
    left, top, width, height = cell.box
    return left <= x < left + width and top <= y < top + height


def _on_mask(cell: FoundCell, x: float, y: float) -> bool:
    return bool(cell.mask[int(y - cell.box[1]), int(x - cell.box[0])])


def _shared(cell: FoundCell, box: Box) -> float:
    """Area that a cell's box and an annotated one share, over the smaller of the two."""
    left, top, width, height = cell.box
    across = min(left + width, box.x + box.width) - max(left, box.x)
    along = min(top + height, box.y + box.height) - max(top, box.y)
    smaller = min(width * height, box.width * box.height)
    return max(0.0, across) * max(0.0, along) / smaller if smaller > 0 else 0.0
