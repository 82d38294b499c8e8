"""A slide as tables and as JSON."""

import csv
import io
import json
from pathlib import Path

from edge.about import RESEARCH_USE
from edge.filing.export import audit_csv, cells_csv, fields_csv, slide_json
from edge.slides.review import judge, review_queue
from tests.support.slides.small_slide import counted_slide, open_store, overrule_one


def test_tables_hold_both_readings(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        suspect = review_queue(store, slide)[0]
        judge(store, slide, suspect.cell_id, "Uninfected", reviewer="=HYPERLINK(1)")
        rows = list(csv.DictReader(io.StringIO(cells_csv(store, slide))))
        assert len(rows) == 1207
        (row,) = [row for row in rows if row["review_call"]]
        assert (row["machine_label"], row["review_call"], row["final_label"]) == (
            "Parasitized",
            "Uninfected",
            "Uninfected",
        )
        assert row["reviewer"] == "'=HYPERLINK(1)"
        assert len(list(csv.DictReader(io.StringIO(fields_csv(store, slide))))) == 11
        assert {row["slide"] for row in rows} == {slide.slide_id}
        audit = list(csv.DictReader(io.StringIO(audit_csv(store, slide))))
        assert json.loads(audit[1]["detail"])["call"] == "Uninfected"
        assert [row["action"] for row in csv.DictReader(io.StringIO(audit_csv(store, slide)))] == [
            "slide created",
            "cell reviewed",
        ]


def test_json_holds_everything_of_the_slide(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store, notes="film 2")
        overrule_one(store, slide)
        record = json.loads(json.dumps(slide_json(store, slide, crops=True)))
        assert record["slide"]["notes"] == "film 2"
        assert record["estimate"]["parasitized_count"] == 3
        assert record["estimate_after_review"]["parasitized_count"] == 2
        assert len(record["cells"]) == 1207
        assert record["cells"][0]["crop_jpeg_base64"].startswith("/9g")
        assert record["research_use"] == RESEARCH_USE
        assert record["fields"][0]["checks"] == [
            {"name": "whole red cells", "value": 12.0, "limit": [5.0, None], "passed": True},
            {"name": "blur in cell widths", "value": 0.0213, "limit": [0.0, 0.05], "passed": True},
        ]
