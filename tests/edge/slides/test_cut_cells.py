"""Reviewed cells leave the store as they were judged: each by its own outline, without pieces of its neighbours."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.cells.files import cell_input
from edge.cells.folder import CellFolder
from edge.errors import SourceError
from edge.fields.analyser import ClassifiedCell, cut_cell
from edge.images.encode import crop_cell, encode_jpeg
from edge.inference.preprocessing import network_input
from edge.segmentation.finder import CellFinder
from edge.simulation.field import FieldSettings, draw_field
from edge.slides.cut_cells import cut_from_crop, export_cells
from edge.slides.records import Slide
from edge.slides.review import judge
from edge.slides.store import SlideStore
from edge.teaching.labelled_cells import reviewed_cells
from edge.types import Label
from tests.support.slides.small_slide import begin, field_at, open_store

FIELD = draw_field(2, FieldSettings(width=640, height=480, cells=24, cell_width=80.0, overlap=0.2)).rgb
CELLS = [cell for cell in CellFinder().find(FIELD).cells if cell.counted]


@pytest.fixture
def reviewed(tmp_path: Path) -> tuple[SlideStore, Slide]:
    """A slide of one drawn field; of its cells the first three are called, the second against the machine."""
    store = open_store(tmp_path)
    slide = begin(store)
    found = [ClassifiedCell(cell, 0.1, Label.UNINFECTED, False) for cell in CELLS]
    store.add_field(
        slide, field_at(), found, [encode_jpeg(crop_cell(FIELD, cell.box, 96), 95) for cell in CELLS]
    )
    for stored, call in zip(
        store.cells(slide), (Label.UNINFECTED, Label.PARASITIZED, Label.UNINFECTED), strict=False
    ):
        judge(store, slide, stored.cell_id, call, reviewer="Amina")
    return store, slide


def test_each_cell_is_cut_by_its_own_outline(reviewed: tuple[SlideStore, Slide]) -> None:
    store, slide = reviewed
    stored = store.cells(slide)
    assert len(stored) == len(CELLS) > 5
    for kept, cell in zip(stored, CELLS, strict=True):
        outline = store.outline(kept)
        np.testing.assert_array_equal(outline, cell.mask)
        cut = cut_from_crop(store.crop(kept), kept, field_at(), outline)
        assert cut is not None
        mine = cv2.copyTo(*cut)
        x, y, w, h = cv2.boundingRect(cut[1])
        judged = cut_cell(FIELD, cell, 64)
        again = cv2.resize(mine[y : y + h, x : x + w], (64, 64)) if w == h else None
        if again is not None:
            # Only JPEG and a smaller picture part them.
            assert np.abs(again.astype(int) - judged).mean() < 8


def test_only_what_a_person_called_is_written_by_that_call(
    reviewed: tuple[SlideStore, Slide], tmp_path: Path
) -> None:
    store, slide = reviewed
    found = export_cells(store, [slide], CellFolder(tmp_path / "cells"))
    assert found.cells == {Label.PARASITIZED: 1, Label.UNINFECTED: 2}
    assert (found.without_call, found.without_outline, found.not_cut) == (len(CELLS) - 3, 0, 0)
    (file,) = (tmp_path / "cells" / "Parasitized").iterdir()
    # Read as any picture of a cell is, the file gives what was judged.
    read, judged = cell_input(file, 64), cut_cell(FIELD, CELLS[1], 64)
    assert np.mean((read > 0) != (judged > 0)) < 0.03
    assert np.abs(read.astype(int) - judged).mean() < 8
    rows = (tmp_path / "cells" / "patients.csv").read_text().splitlines()
    assert rows[0] == "cell,patient"
    assert len(rows) == 4
    assert all(row.endswith(",S-1") for row in rows[1:])
    whole = export_cells(store, [slide], CellFolder(tmp_path / "all"), machine_too=True)
    assert sum(whole.cells.values()) == len(CELLS)


def test_cells_of_earlier_versions_are_cut_by_what_stands_out_in_their_box(
    reviewed: tuple[SlideStore, Slide], tmp_path: Path
) -> None:
    store, slide = reviewed
    with store.database.writing("test") as connection:  # type: ignore[arg-type]
        connection.execute("DELETE FROM outlines")
    found = export_cells(store, [slide], CellFolder(tmp_path / "cells"))
    assert found.without_outline == sum(found.cells.values()) == 3 - found.not_cut


def test_a_folder_that_holds_something_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(SourceError, match="not empty"):
        CellFolder(tmp_path)


def test_a_model_is_taught_cells_cut_by_the_same_outline(reviewed: tuple[SlideStore, Slide]) -> None:
    store, slide = reviewed
    stored = store.cells(slide)
    for kept in stored[3:]:
        judge(store, slide, kept.cell_id, Label.UNINFECTED, reviewer="Amina")
    labelled = reviewed_cells(store, [slide], 64)
    assert [cell.infected for cell in labelled] == [number == 1 for number in range(len(CELLS))]
    for cell, kept in zip(labelled, stored, strict=True):
        crop = store.crop(kept)
        cut = cut_from_crop(crop, kept, field_at(), store.outline(kept))
        guess = cut_from_crop(crop, kept, field_at(), None)
        assert cut is not None
        assert np.array_equal(cell.picture, network_input(*cut, size=64))
        assert guess is None or not np.array_equal(cell.picture, network_input(*guess, size=64))
