"""A slide as an HL7 FHIR bundle, validated by models of R4 and R4B."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edge.slides.export import slide_json
from edge.slides.fhir import slide_bundle
from tests.support.camera_record import RECORD
from tests.support.small_slide import counted_slide, open_store, overrule_one

# A device has neither: FHIR is validated where it is developed.
R4B = pytest.importorskip("fhir.resources.R4B.bundle", reason="fhir.resources is not installed")
R4 = pytest.importorskip("fhirclient.models.bundle", reason="fhirclient is not installed")
R4_BASE = pytest.importorskip("fhirclient.models.fhirabstractbase")


@pytest.mark.parametrize("reviewed", [False, True])
def test_the_fhir_bundle_is_valid_and_names_no_person(tmp_path: Path, reviewed: bool) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store, notes="film 2")
        if reviewed:
            overrule_one(store, slide)
        text = json.dumps(slide_bundle(store, slide))
        bundle = R4B.Bundle.model_validate_json(text)
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
    camera = replace(RECORD, white_balance_fixed=False, gain=None, gain_fixed=False)
    with open_store(tmp_path) as store:
        slide = store.record_camera(counted_slide(store), camera.to_json())
        assert store.slide("S-1") == slide
        assert slide_json(store, slide)["slide"]["settings"]["camera"] == camera.to_json()
        content = json.loads(json.dumps(slide_bundle(store, slide)))
    assert R4.Bundle(content, strict=True).as_json() == content
    device = next(
        entry.resource
        for entry in R4B.Bundle.model_validate(content).entry
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
    assert R4.Bundle(content, strict=True).as_json() == content
    del content["entry"][0]["resource"]["code"]
    with pytest.raises(R4_BASE.FHIRValidationError, match="code"):
        R4.Bundle(content, strict=True)
