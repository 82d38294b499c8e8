"""Reviewed cells of the store as labelled cells, each cut out of its small picture by its own outline."""

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np

from edge.cells.folder import CellFolder
from edge.cells.isolation import isolate
from edge.images.encode import CROP_MARGIN
from edge.images.files import read_image
from edge.slides.records import NewField, Slide, StoredCell
from edge.slides.store import SlideStore
from edge.types import Label, Mask, Rgb


class Exported(NamedTuple):
    """What came of an export."""

    cells: dict[Label, int]
    without_call: int
    """Cells on which no call stands: they were left out, since a machine does not learn from its own verdicts."""
    without_outline: int
    """Of those written, cells counted before the store kept outlines: what stands out in the box was taken."""
    not_cut: int
    """Cells in whose small picture no cell could be made out."""


def export_cells(
    store: SlideStore, slides: Iterable[Slide], folder: CellFolder, *, machine_too: bool = False
) -> Exported:
    """Write the cells of some slides that a person called, by that call; the slide stands for the patient.

    Args:
        store: the store.
        slides: of it.
        folder: to write; its table of patients is written too.
        machine_too: whether cells without a call are written by the machine's verdict.

    Raises:
        StoreError: the store cannot be read.
        SourceError: the folder cannot be written.
    """
    without_call = without_outline = not_cut = 0
    for slide in slides:
        fields = {stored.number: stored.field for stored in store.fields(slide)}
        for cell in store.cells(slide):
            if cell.call is None and not machine_too:
                without_call += 1
                continue
            outline = store.outline(cell)
            cut = cut_from_crop(store.crop(cell), cell, fields[cell.field_number], outline)
            if cut is None:
                not_cut += 1
                continue
            without_outline += outline is None
            folder.add(f"{slide.number:04d}_{cell.cell_id:07d}", cell.final_label, slide.slide_id, *cut)
    folder.close()
    return Exported(dict(folder.counts), without_call, without_outline, not_cut)


def cut_from_crop(
    crop: bytes, cell: StoredCell, field: NewField, outline: Mask | None
) -> tuple[Rgb, Mask] | None:
    """Find a cell in its small picture again.

    Args:
        crop: JPEG of the cell with a little around it, as `edge.images.encode.crop_cell` cuts it.
        cell: whose it is.
        field: in which it was found.
        outline: of the store; without it, what stands out in the cell's box is taken.

    Returns:
        The small picture, RGB, uint8 (h, w, 3), and the mask of the cell in it, uint8 (h, w); None where there is none.

    Raises:
        ImageError: the picture is damaged.
    """
    rgb = read_image(crop)
    x, y, width, height = cell.box
    margin = round(CROP_MARGIN * max(width, height))
    left, top = max(0, x - margin), max(0, y - margin)
    whole = (min(field.width, x + width + margin) - left, min(field.height, y + height + margin) - top)
    mask = np.zeros((whole[1], whole[0]), np.uint8)
    inside = np.s_[y - top : y - top + height, x - left : x - left + width]
    if outline is None:
        found = isolate(rgb)
        if found is None:
            return None
        mask[inside] = cv2.resize(found, whole, interpolation=cv2.INTER_NEAREST)[inside]
    else:
        mask[inside] = outline
    if mask.shape != rgb.shape[:2]:
        mask = np.where(
            cv2.resize(mask, rgb.shape[1::-1], interpolation=cv2.INTER_AREA) > 127, np.uint8(255), np.uint8(0)
        )
    return (rgb, mask) if mask.any() else None
