"""All slides as one table, one row a slide."""

import csv
import io
from pathlib import Path

from edge.filing.slide_table import COLUMNS, slides_csv
from edge.slides.review import judge, review_queue
from tests.support.slides.small_slide import begin, cells_of, counted_slide, field_at, open_store, with_crops


def test_each_slide_is_one_row_with_the_reading_that_stands(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        read = counted_slide(store, notes="=SUM(A1)")
        few = begin(store, "S-2")
        store.add_field(few, field_at(), *with_crops(cells_of(0.99, *[0.01] * 113)))
        for cell in review_queue(store, read):
            infected = cell.probability == 0.99
            judge(
                store,
                read,
                cell.cell_id,
                "Parasitized" if infected else "Uninfected",
                reviewer="Amina",
                species="P. falciparum" if infected else "",
                stage="ring" if infected else "",
            )
        rows = list(csv.DictReader(io.StringIO(slides_csv(store, [read, few]))))
    assert tuple(rows[0]) == COLUMNS
    first, second = rows
    assert (first["slide"], first["reading"], first["presence"]) == ("S-1", "after review", "evidence")
    assert (first["parasitized"], first["cells"], first["readers"]) == ("1", "1207", "Amina")
    assert (first["species"], first["stage"], first["notes"]) == ("P. falciparum", "ring", "'=SUM(A1)")
    assert float(first["per_ul_low"]) < float(first["per_ul"]) < float(first["per_ul_high"])
    # No density before the cells that it needs are counted.
    assert (second["reading"], second["presence"], second["per_ul"]) == ("machine", "cannot tell", "")
    assert float(second["percent_high"]) > 0


def test_a_finding_that_was_corrected_or_withdrawn_is_none(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        first, second, *_ = review_queue(store, slide)
        for cell, call, species in (
            (first, "Parasitized", "P. vivax"),
            (first, "Parasitized", "P. ovale"),
            (second, "Parasitized", "P. malariae"),
            (second, None, ""),
        ):
            judge(store, slide, cell.cell_id, call, reviewer="Amina", species=species)
        (row,) = csv.DictReader(io.StringIO(slides_csv(store, [slide])))
    assert row["species"] == "P. ovale"
