"""A person's calls stand beside the machine's verdicts, and the estimate follows them."""

import csv
import io
import json
from pathlib import Path

import pytest
from fhir.resources.R4B.bundle import Bundle as BundleR4B
from fhirclient.models.bundle import Bundle as BundleR4
from fhirclient.models.fhirabstractbase import FHIRValidationError

from edge.about import RESEARCH_USE
from edge.camera.settings import CameraRecord, CameraSettings
from edge.errors import SlideError
from edge.slides.export import audit_csv, cells_csv, fields_csv, slide_json
from edge.slides.fhir import slide_bundle
from edge.slides.records import Slide
from edge.slides.review import judge, review_queue, slide_estimates
from edge.slides.store import SlideStore
from edge.types import Label
from tests.support.small_slide import begin, cells_of, field_at, open_store, with_crops


def counted_slide(store: SlideStore, *, notes: str = "") -> Slide:
    slide = begin(store, notes=notes)
    store.add_field(slide, field_at(), *with_crops(cells_of(0.02, 0.97, 0.6, 0.45, 0.1, 0.35, 0.99)))
    for row in range(10):
        store.add_field(slide, field_at(y=500.0 * row), *with_crops(cells_of(*[0.01] * 120)))
    return slide


def test_the_queue_begins_with_the_surest_suspects_and_ends_with_the_doubtful(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        queue = review_queue(store, counted_slide(store))
        assert [cell.probability for cell in queue] == [0.99, 0.97, 0.6, 0.45, 0.35]


def test_a_judged_cell_leaves_the_queue_and_returns_when_the_call_is_withdrawn(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        first = review_queue(store, slide)[0]
        judge(store, slide, first.cell_id, "Parasitized", reviewer="Amina")
        assert first.cell_id not in [cell.cell_id for cell in review_queue(store, slide)]
        assert first.cell_id in [cell.cell_id for cell in review_queue(store, slide, include_reviewed=True)]
        judge(store, slide, first.cell_id, None, reviewer="Amina")
        assert review_queue(store, slide)[0] == first
        with pytest.raises(SlideError, match="nothing to withdraw"):
            judge(store, slide, first.cell_id, None, reviewer="Amina")


def test_a_call_stands_beside_the_verdict_with_who_and_when(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        suspect = review_queue(store, slide)[0]
        judge(store, slide, suspect.cell_id, "Uninfected", reviewer="Amina", note="platelet on the cell")
        judge(store, slide, suspect.cell_id, "Parasitized", reviewer="Benedict")
        cell = store.cell(slide, suspect.cell_id)
        assert (cell.label, cell.probability) == ("Parasitized", 0.99)
        assert (cell.call, cell.reviewer, cell.final_label) == ("Parasitized", "Benedict", "Parasitized")
        assert cell.reviewed_at is not None
        history = store.reviews(slide)
        assert [(review.reviewer, review.call) for review in history] == [
            ("Amina", "Uninfected"),
            ("Benedict", "Parasitized"),
        ]
        assert history[0].note == "platelet on the cell"
        assert history[0].at < history[1].at
        trail = store.audit(slide)[1:]
        assert [(entry.who, entry.detail["call_before"], entry.detail["call"]) for entry in trail] == [
            ("Amina", None, "Uninfected"),
            ("Benedict", "Uninfected", "Parasitized"),
        ]


def test_a_call_needs_a_known_cell_a_known_word_and_a_name(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        cell_id = store.cells(slide)[0].cell_id
        for cell, call, reviewer in (
            (10_000, "Uninfected", "A"),
            (cell_id, "malaria", "A"),
            (cell_id, "Uninfected", " "),
        ):
            with pytest.raises(SlideError):
                judge(store, slide, cell, call, reviewer=reviewer)
        assert store.reviews(slide) == []


def overrule_one(store: SlideStore, slide: Slide) -> None:
    """See all suspects, and overrule the first."""
    suspects = [cell for cell in store.cells(slide) if cell.label == Label.PARASITIZED]
    for number, cell in enumerate(suspects):
        judge(store, slide, cell.cell_id, "Parasitized" if number else "Uninfected", reviewer="Amina")


def test_the_estimate_after_review_uses_the_persons_calls(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        before = slide_estimates(store, slide)
        assert before.reviewed is None
        assert (before.machine.parasitized, before.machine.counted) == (3, 1207)
        for cell in review_queue(store, slide):
            call = "Parasitized" if cell.probability == 0.99 else "Uninfected"
            judge(store, slide, cell.cell_id, call, reviewer="Amina")
        after = slide_estimates(store, slide)
        assert after.machine == before.machine
        assert after.reviewed is not None
        assert (after.reviewed.parasitized, after.reviewed.counted) == (1, 1207)
        assert (after.suspects, after.suspects_reviewed, after.overruled) == (3, 3, 2)
        # With every suspect looked at, no false alarm is left to subtract: one cell, less 95 % found.
        assert after.reviewed.fraction == pytest.approx(1 / 1207 / 0.95, rel=0.01)


def test_no_figure_after_review_is_given_until_enough_suspects_were_seen(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        judge(store, slide, review_queue(store, slide)[0].cell_id, "Uninfected", reviewer="Amina")
        after = slide_estimates(store, slide)
        assert after.reviewed is None
        assert (after.suspects, after.suspects_reviewed) == (3, 1)


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


@pytest.mark.parametrize("reviewed", [False, True])
def test_the_fhir_bundle_is_valid_and_names_no_person(tmp_path: Path, reviewed: bool) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store, notes="film 2")
        if reviewed:
            overrule_one(store, slide)
        text = json.dumps(slide_bundle(store, slide))
        bundle = BundleR4B.model_validate_json(text)
        report = bundle.entry[0].resource
        assert report.get_resource_type() == "DiagnosticReport"
        assert report.status == "preliminary"
        assert report.subject is None
        assert "Research use only" in report.conclusion
        held = {entry.fullUrl for entry in bundle.entry}
        assert all(reference.reference in held for reference in [*report.result, *report.specimen])
        assert len(report.result) == (8 if reviewed else 4)
        assert "Amina" not in text


def test_the_exports_hold_what_the_camera_was_told(tmp_path: Path) -> None:
    camera = CameraRecord(
        source="0",
        kind="V4L2",
        asked=CameraSettings(exposure_us=8000),
        width=1280,
        height=960,
        exposure_us=8000.0,
        exposure_fixed=True,
        white_balance_k=4600.0,
        white_balance_fixed=False,
        gain=None,
        gain_fixed=False,
    )
    with open_store(tmp_path) as store:
        slide = store.record_camera(counted_slide(store), camera.to_json())
        assert store.slide("S-1") == slide
        assert slide_json(store, slide)["slide"]["settings"]["camera"] == camera.to_json()
        content = json.loads(json.dumps(slide_bundle(store, slide)))
    assert BundleR4(content, strict=True).as_json() == content
    device = next(
        entry.resource
        for entry in BundleR4B.model_validate(content).entry
        if entry.resource.get_resource_type() == "Device"
    )
    told = {one.type.text: (one.valueQuantity[0].value, one.valueQuantity[0].unit) for one in device.property}
    assert told == {
        "Camera exposure time": (8000, "µs"),
        "Camera white balance": (4600, "K"),
        "Camera picture width": (1280, "px"),
        "Camera picture height": (960, "px"),
    }
    assert "does not keep its white balance" in device.note[-1].text


@pytest.mark.parametrize("reviewed", [False, True])
def test_the_fhir_bundle_is_one_of_r4_and_nothing_of_it_is_unknown_there(
    tmp_path: Path, reviewed: bool
) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store, notes="film 2")
        if reviewed:
            overrule_one(store, slide)
        content = json.loads(json.dumps(slide_bundle(store, slide)))
    # Generated from FHIR 4.0.1; strict, it refuses unknown elements and demands the mandatory ones.
    assert BundleR4(content, strict=True).as_json() == content
    del content["entry"][0]["resource"]["code"]
    with pytest.raises(FHIRValidationError, match="code"):
        BundleR4(content, strict=True)
