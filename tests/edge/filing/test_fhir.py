"""A slide as an HL7 FHIR bundle, validated by models of R4 and R4B."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.filing.export import slide_json
from edge.filing.fhir import slide_bundle
from edge.slides.records import Slide
from edge.slides.review import judge
from edge.slides.store import SlideStore
from tests.support.cameras.camera_record import RECORD
from tests.support.fhir_server import FhirServer
from tests.support.slides.small_slide import (
    RATES,
    begin,
    cells_of,
    counted_slide,
    field_at,
    open_store,
    overrule_one,
    with_crops,
)

# A device has neither: FHIR is validated where it is developed.
R4B = pytest.importorskip("fhir.resources.R4B.bundle", reason="fhir.resources is not installed")
R4 = pytest.importorskip("fhirclient.models.bundle", reason="fhirclient is not installed")
R4_BASE = pytest.importorskip("fhirclient.models.fhirabstractbase")


@pytest.mark.slow
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
        assert len(report.result) == (12 if reviewed else 6)
        # Who counted and who read, but nobody whose blood it is.
        assert [who.display for who in report.performer] == ["Amina"]
        assert [who.display for who in report.resultsInterpreter or ()] == (["Amina"] if reviewed else [])


def test_the_exports_hold_what_the_camera_was_told(tmp_path: Path) -> None:
    camera = replace(RECORD, white_balance_fixed=False, gain=None, gain_fixed=False)
    with open_store(tmp_path) as store:
        slide = store.record_camera(counted_slide(store), camera.to_json())
        assert store.slide("S-1") == slide
        assert slide_json(store, slide)["slide"]["settings"]["camera"] == camera.to_json()
        content = json.loads(json.dumps(slide_bundle(store, slide)))
    assert R4.Bundle(content, strict=True).as_json() == content
    device, instrument = (
        entry.resource
        for entry in R4B.Bundle.model_validate(content).entry
        if entry.resource.get_resource_type() == "Device"
    )
    assert device.parent.reference == f"urn:uuid:{instrument.id}"
    told = {
        one.type.text: (one.valueQuantity[0].value, one.valueQuantity[0].unit)
        for one in device.property
        if one.valueQuantity
    }
    assert told == {
        "Threshold: probability from which on a cell is called parasitised": (0.5, "1"),
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


def entries(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def test_an_infection_is_told_in_codes(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        observations = entries(slide_bundle(store, slide), "Observation")
        codes = {coding["code"]: one for one in observations for coding in one["code"].get("coding", ())}
        # Three suspects of 1,207, and two false alarms to expect: somebody has to look.
        assert codes["51587-4"]["valueCodeableConcept"]["coding"][0]["code"] == "419984006"
        overrule_one(store, slide)
        after = entries(slide_bundle(store, slide), "Observation")
        presence = [one for one in after if one["code"].get("coding", [{}])[0].get("code") == "51587-4"]
        assert [one["valueCodeableConcept"]["coding"][0]["code"] for one in presence] == [
            "419984006",
            "260373001",
        ]
        assert presence[1]["derivedFrom"] == [
            {"reference": f"urn:uuid:{presence[0]['id']}", "type": "Observation"}
        ]
        assert presence[1]["issued"] > presence[0]["issued"]
        assert presence[1]["performer"] == [{"type": "Practitioner", "display": "Amina"}]


def test_a_density_that_is_not_given_says_why(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = begin(store)
        store.add_field(slide, field_at(), *with_crops(cells_of(*[0.01] * 114)))
        content = json.loads(json.dumps(slide_bundle(store, slide)))
        assert R4.Bundle(content, strict=True).as_json() == content
    density = next(
        one
        for one in entries(content, "Observation")
        if one["code"].get("text", "").startswith("Parasitised red")
    )
    assert "valueQuantity" not in density
    assert "114 of 1,000" in density["dataAbsentReason"]["text"]


def test_a_transaction_that_is_posted_twice_doubles_nothing(tmp_path: Path) -> None:
    server = FhirServer()
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        bundle = json.loads(json.dumps(slide_bundle(store, slide, transaction=True)))
        assert R4.Bundle(bundle, strict=True).as_json() == bundle
        R4B.Bundle.model_validate(bundle)
        assert set(server.post(bundle)) == {"201"}
        held = dict(server.held)
        assert set(server.post(bundle)) == {"200"}
        assert server.held == held
        # A review brings the report up to date, and the observations after it beside those of the machine.
        overrule_one(store, slide)
        server.post(json.loads(json.dumps(slide_bundle(store, slide, transaction=True))))
    assert len(server.of("DiagnosticReport")) == len(server.of("Specimen")) == 1
    assert len(server.of("Observation")) == 12
    assert server.of("DiagnosticReport")[0]["conclusionCode"][0]["text"] == "evidence"


def test_two_devices_have_nothing_in_common_but_the_program(tmp_path: Path) -> None:
    """Each device's first slide has the same number, and may have the same id and second."""

    def first_slide(device: str) -> tuple[SlideStore, Slide]:
        store = open_store(tmp_path / device)
        slide = store.create_slide(
            "S-1",
            operator="Amina",
            device="a board",
            model_name="made-up",
            model_sha256="ab" * 32,
            settings={"rates": RATES, "threshold": 0.5, "device_uuid": device},
        )
        store.add_field(slide, field_at(), *with_crops(cells_of(*[0.01] * 20)))
        return store, slide

    server = FhirServer()
    for device in ("5b0e5a1e-0000-4000-8000-000000000001", "5b0e5a1e-0000-4000-8000-000000000002"):
        store, slide = first_slide(device)
        with store:
            assert set(server.post(slide_bundle(store, slide, transaction=True))) == {"201"}
    assert len(server.of("DiagnosticReport")) == 2
    assert len(server.of("Device")) == 4


def test_what_readers_noted_of_the_parasite_is_carried_through(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        cell = store.cells(slide)[1].cell_id
        judge(store, slide, cell, "Parasitized", reviewer="Amina", species="P. vivax", stage="ring")
        content = json.loads(json.dumps(slide_bundle(store, slide)))
    assert R4.Bundle(content, strict=True).as_json() == content
    noted = {
        one["code"]["coding"][0]["code"]: one["valueCodeableConcept"]["text"]
        for one in entries(content, "Observation")
        if "noted" in one["method"]["text"]
    }
    assert noted == {"32206-5": "P. vivax", "41451-6": "ring"}
