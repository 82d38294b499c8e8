"""Fields of random cells for a slide store; as a program, stores them until it is killed.

`python -m tests.support.store_filler STORE` writes the number of each field to standard output once the store has
acknowledged it.
"""

import os
import sys
from pathlib import Path

import numpy as np

from edge.fields.analyser import ClassifiedCell
from edge.segmentation.outlines import CellKind, FoundCell
from edge.slides.claim import counting
from edge.slides.records import NewField, Slide
from edge.slides.store import SlideStore, utc_now
from edge.types import Label

CELLS_A_FIELD = 50
SLIDE_ID = "filled"
_MASK = np.full((36, 36), 255, np.uint8)


def begin_slide(store: SlideStore) -> Slide:
    """Begin the slide that the fields belong to."""
    return store.create_slide(
        SLIDE_ID, operator="", device="", model_name="none", model_sha256="0" * 64, settings={}
    )


def add_random_field(store: SlideStore, slide: Slide) -> int:
    """Store a field of 1280 x 960 px with 50 cells; return its number."""
    field = NewField(1, 0.0, 0.0, 1280, 960, 36.0, utc_now(), "store filler")
    found = (
        FoundCell((n, n, 36, 36), (float(n), float(n)), _MASK, CellKind.RED, False, False, n + 1)
        for n in range(CELLS_A_FIELD)
    )
    cells = [ClassifiedCell(cell, 0.5, Label.PARASITIZED, doubtful=True) for cell in found]
    crop = os.urandom(1500)  # as large as a JPEG of a cell, and not to be compressed
    return store.add_field(slide, field, cells, [crop] * CELLS_A_FIELD).number


def fill_until_killed(path: Path) -> None:
    """Store field after field and acknowledge each on standard output."""
    with SlideStore(path) as store:
        known = [slide.slide_id for slide in store.slides()]
        slide = store.slide(SLIDE_ID) if SLIDE_ID in known else begin_slide(store)
        with counting(store.path, slide.number, slide.slide_id):
            while True:
                number = add_random_field(store, slide)
                os.write(sys.stdout.fileno(), f"{number}\n".encode())


if __name__ == "__main__":
    fill_until_killed(Path(sys.argv[1]))
