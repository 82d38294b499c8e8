"""What a site's reviewers know: cells as the network sees them, and what each is."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.inference.preprocessing import network_input
from edge.slides.cut_cells import cut_from_crop
from edge.slides.records import Slide
from edge.slides.store import SlideStore
from edge.slides.tables.rows import REVIEWED_BY_FIELD
from edge.types import Label, Rgb

LEAST_PATIENTS = 3
"""From so many on, patients are left out as a whole when a taught model is judged; of fewer, fields are."""


class LabelledCell(NamedTuple):
    """One reviewed cell.

    Attributes:
        picture: as the network sees it, RGB, uint8, (size, size, 3).
        infected: what the reviewer called it.
        patient: whose it is, as far as is known: the slide, or the patient of a table.
        field: that it was found in, within the patient.
        reviewer: who called it.
    """

    picture: Rgb
    infected: bool
    patient: str
    field: str
    reviewer: str

    @property
    def sha256(self) -> str:
        """Over the picture: what a taught model names its cells by."""
        return hashlib.sha256(self.picture.tobytes()).hexdigest()


def reviewed_cells(store: SlideStore, slides: Iterable[Slide], size: int) -> list[LabelledCell]:
    """Take every cell of some slides on which a person's call stands, cut by the outline that the store keeps.

    Cells that nobody called teach nothing: among those that the machine passed are the ones it misses.

    Args:
        store: the slides.
        slides: those to learn from.
        size: side of the network's input, px.

    Raises:
        StoreError: the store cannot be read.
    """
    labelled = []
    for slide in slides:
        called = [cell for cell in store.cells(slide) if cell.call is not None]
        fields = {stored.number: stored.field for stored in store.fields(slide)} if called else {}
        for cell in called:
            cut = cut_from_crop(store.crop(cell), cell, fields[cell.field_number], store.outline(cell))
            if cut is None:
                continue
            picture = network_input(*cut, size=size)
            infected = cell.call == Label.PARASITIZED
            labelled.append(
                LabelledCell(picture, infected, slide.slide_id, str(cell.field_number), cell.reviewer or "")
            )
    return labelled


def unlike(labelled: Sequence[LabelledCell]) -> list[LabelledCell]:
    """Leave out copies of the same picture, and pictures of which the reviewers say both."""
    calls: dict[str, set[bool]] = {}
    for cell in labelled:
        calls.setdefault(cell.sha256, set()).add(cell.infected)
    kept: dict[str, LabelledCell] = {}
    for cell in labelled:
        if len(calls[cell.sha256]) == 1:
            kept.setdefault(cell.sha256, cell)
    return list(kept.values())


def groups_of(labelled: Sequence[LabelledCell]) -> NDArray[np.str_]:
    """What is left out together when a taught model is judged: the patients, or of fewer than three their fields."""
    patients = [cell.patient for cell in labelled]
    if len(set(patients)) < LEAST_PATIENTS:
        patients = [f"{cell.patient}/{cell.field}" for cell in labelled]
    return np.array(patients)


class ReviewedNumbers(NamedTuple):
    """How much there is to learn from; copies of a cell, which teaching leaves out, are counted in.

    Attributes:
        infected: cells that stand as parasitised by a person's call.
        uninfected: those that stand as uninfected.
        groups: slides that they are of; where those are fewer than three, fields.
    """

    infected: int
    uninfected: int
    groups: int


def reviewed_numbers(store: SlideStore) -> ReviewedNumbers:
    """Count the reviewed cells of all slides of a store, without their pictures.

    Raises:
        StoreError: the store cannot be read.
    """
    rows = store.database.rows(REVIEWED_BY_FIELD)
    slides, fields = len({row["slide"] for row in rows}), len(rows)
    return ReviewedNumbers(
        sum(row["infected"] for row in rows),
        sum(row["cells"] - row["infected"] for row in rows),
        fields if slides < LEAST_PATIENTS else slides,
    )


def cells_counted(store: SlideStore, slides: Iterable[Slide]) -> int:
    """Cells of all fields of some slides in which somebody called a cell, whether that one or another."""
    number = 0
    for slide in slides:
        cells = store.cells(slide)
        reviewed = {cell.field_number for cell in cells if cell.call is not None}
        number += sum(cell.field_number in reviewed for cell in cells)
    return number
