"""Fields of picture files on their way into a slide: what the live count does for frames, without a map."""

from typing import NamedTuple

from edge.fields.files import JudgedField
from edge.images.encode import crop_cell, encode_jpeg
from edge.segmentation.outlines import FoundCell
from edge.slides.claim import counting
from edge.slides.records import NewField, Slide
from edge.slides.store import SlideStore
from edge.slides.surroundings import stored_picture
from edge.types import Rgb

CROP_SIDE = 96
"""Longer side of a stored crop at most, px: what a reviewer needs, at 2 to 3 kB a cell."""
_CROP_QUALITY = 90


class TakenField(NamedTuple):
    """What became of a file that was given to a slide.

    Attributes:
        stored: whether its cells are in the slide, by this file or by the same file before.
        already: whether it was there before; nothing was added then.
    """

    stored: bool
    already: bool


def stored_crop(rgb: Rgb, cell: FoundCell) -> bytes:
    """Cut out what is stored of a cell for its reviewers, as a JPEG."""
    return encode_jpeg(crop_cell(rgb, cell.box, CROP_SIDE), _CROP_QUALITY)


def add_file(store: SlideStore, slide: Slide, field: JudgedField, sha256: str) -> TakenField:
    """Store the counted cells of a judged file in a slide; the same file is never stored twice.

    Files are not registered to each other: each is a region of its own, and cells that two of them show count twice.

    Args:
        store: holds the slide.
        slide: where its cells go.
        field: the file, judged.
        sha256: of the file's bytes.

    Raises:
        StoreBusyError: the slide is being counted live.
        StoreError: nothing of it was stored.
    """
    with counting(store.path, slide.number, slide.slide_id):
        if sha256 in store.files_taken(slide):
            return TakenField(stored=True, already=True)
        if not field.accepted or field.rgb is None or field.result is None:
            return TakenField(stored=False, already=False)
        cells, found = field.counted_cells, field.result.found
        islands = [stored.field.island for stored in store.fields(slide)]
        new = NewField(
            island=max(islands, default=0) + 1,
            x=0.0,
            y=0.0,
            width=found.width,
            height=found.height,
            cell_width=found.cell_width,
            taken_at=store.now(),
            source=field.name,
            quality=found.quality,
            uncovered=tuple(cell.box for cell in found.cells if cell.cut_by_border),
        )
        crops = [stored_crop(field.rgb, one.cell) for one in cells]
        picture = stored_picture(field.rgb, found.cell_width)
        store.add_field(slide, new, cells, crops, picture=picture, file_sha256=sha256)
    return TakenField(stored=True, already=False)
