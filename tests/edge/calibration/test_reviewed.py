"""Reviewed slides of the store as slides of which the truth is known."""

from pathlib import Path

from edge.calibration.known_slides import Passed
from edge.calibration.reviewed import reviewed_slides
from edge.slides.review import judge
from tests.support.slides.small_slide import (
    begin,
    cells_of,
    counted_slide,
    field_at,
    open_store,
    overrule_one,
    with_crops,
)

MODEL = "ab" * 32


def test_only_slides_of_this_model_with_every_suspect_seen_are_taken(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        other = begin(store, "S-2")
        store.add_field(other, field_at(), *with_crops(cells_of(0.9, 0.1)))
        assert reviewed_slides(store, MODEL) == ([], 0.0)
        overrule_one(store, slide)
        (known,), threshold = reviewed_slides(store, MODEL)
        assert (known.name, threshold) == ("S-1", 0.5)
        assert reviewed_slides(store, "cd" * 32) == ([], 0.0)
        # One suspect was overruled: it is an uninfected cell; the two confirmed ones are infected.
        assert sorted(known.infected) == [0.6, 0.99]
        assert len(known.fields) == 11
        assert len(known.uninfected) == 1205
        assert known.passed == (Passed(2, 0, 0), Passed(1202, 0, 0))
        missed = next(cell for cell in store.cells(slide) if cell.probability == 0.45)
        judge(store, slide, missed.cell_id, "Parasitized", reviewer="Amina")
        (known,), _ = reviewed_slides(store, MODEL)
        assert sorted(known.infected) == [0.45, 0.6, 0.99]
        assert known.passed[0] == Passed(2, 1, 1)
