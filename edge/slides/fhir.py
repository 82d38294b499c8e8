"""A slide's result as an HL7 FHIR R4 bundle: a DiagnosticReport with what it rests on.

Plain JSON values after https://hl7.org/fhir/R4/diagnosticreport.html; the tests validate them with the
models that fhirclient generates from FHIR 4.0.1 (R4) and with fhir.resources' of 4.3.0 (R4B). The report has
no subject: the store knows no person, and the receiving system links the specimen's identifier to one.
"""

import uuid
from typing import Any

from edge.about import RESEARCH_USE
from edge.camera.settings import CameraRecord
from edge.parasitaemia.estimate import Parasitaemia
from edge.slides.records import Slide
from edge.slides.review import slide_estimates
from edge.slides.store import SlideStore

SYSTEM = "urn:plasmolite"
"""Root of the project's own code and identifier systems."""
_LOINC = "http://loinc.org"
_UCUM = "http://unitsofmeasure.org"
_PURE_NUMBER = {"unit": "1", "system": _UCUM, "code": "1"}
_INFECTED_PER_1000 = ("48427-9", "Erythrocytes.Plasmodium sp infected/1000 erythrocytes in Blood")
# Made once at random, so that a slide's resources keep their names from one export to the next.
_NAMESPACE = uuid.UUID("6f0a3c1e-3f4b-4c57-9d0a-52b8f3d5c9a1")


def slide_bundle(store: SlideStore, slide: Slide) -> dict[str, Any]:
    """Describe a slide as a FHIR R4 Bundle of type ``collection``.

    Holds the DiagnosticReport, the Specimen (the slide), the Device (program and model), and Observations:
    cells counted, cells called parasitised, parasitised per 1,000 red cells and per µL with the 95 % interval
    as components, each for the machine's reading and, where a person reviewed cells, after review.

    Args:
        store: the store.
        slide: the slide.

    Returns:
        JSON values.

    Raises:
        SlideError: the slide's settings lack the rates that an estimate needs.
        StoreError: the store cannot be read.
    """
    estimates = slide_estimates(store, slide)
    times = [stored.field.taken_at for stored in store.fields(slide)]
    issued = max([slide.created_at, *times, *(review.at for review in store.reviews(slide))]).isoformat()
    effective = max([slide.created_at, *times]).isoformat()
    observations = _observations(slide, estimates.machine, "machine", effective)
    if estimates.reviewed is not None:
        observations += _observations(slide, estimates.reviewed, "after review", effective)
    chosen = estimates.reviewed or estimates.machine
    report = {
        "resourceType": "DiagnosticReport",
        "id": _name(slide, "report"),
        "identifier": [{"system": f"{SYSTEM}:report", "value": f"{slide.number}"}],
        # Preliminary whatever was reviewed: only a laboratory's own person makes a report final.
        "status": "preliminary",
        "category": [_coded("http://terminology.hl7.org/CodeSystem/v2-0074", "MB", "Microbiology")],
        "code": {"text": "Malaria parasite count of a thin blood film by image analysis"},
        "effectiveDateTime": effective,
        "issued": issued,
        "specimen": [_reference("Specimen", _name(slide, "specimen"))],
        "result": [_reference("Observation", observation["id"]) for observation in observations],
        "conclusion": " ".join((*map(str, chosen.words), RESEARCH_USE)),
    }
    resources = [report, _specimen(slide), _device(slide), *observations]
    return {
        "resourceType": "Bundle",
        "id": _name(slide, "bundle"),
        "type": "collection",
        "timestamp": issued,
        "entry": [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in resources],
    }


def _specimen(slide: Slide) -> dict[str, Any]:
    specimen: dict[str, Any] = {
        "resourceType": "Specimen",
        "id": _name(slide, "specimen"),
        "identifier": [{"system": f"{SYSTEM}:slide", "value": slide.slide_id}],
        "type": {"text": "Giemsa-stained thin film of peripheral blood"},
        "receivedTime": slide.created_at.isoformat(),
    }
    if slide.notes.strip():
        specimen["note"] = [{"text": slide.notes}]
    return specimen


def _device(slide: Slide) -> dict[str, Any]:
    notes = [RESEARCH_USE, f"Ran on: {slide.device or 'not stated'}"]
    camera = {}
    if "camera" in slide.settings:
        record = CameraRecord.from_json(slide.settings["camera"])
        camera = {"property": _camera_properties(record)}
        notes += map(str, record.disobeyed())
    return {
        "resourceType": "Device",
        "id": _name(slide, "device"),
        "deviceName": [{"name": "Plasmolite", "type": "user-friendly-name"}],
        "version": [
            {"type": {"text": "model"}, "value": slide.model_name},
            {"type": {"text": "SHA-256 of the model file"}, "value": slide.model_sha256},
        ],
        **camera,
        "note": [{"text": note} for note in notes],
    }


def _camera_properties(camera: CameraRecord) -> list[dict[str, Any]]:
    """What the fields were taken with; a value that the camera did not keep is said in a note."""
    found = [
        ("Camera exposure time", camera.exposure_us, {"unit": "µs", "system": _UCUM, "code": "us"}),
        ("Camera white balance", camera.white_balance_k, {"unit": "K", "system": _UCUM, "code": "K"}),
        ("Camera red gain", camera.red_gain, _PURE_NUMBER),
        ("Camera blue gain", camera.blue_gain, _PURE_NUMBER),
        ("Camera analogue gain", camera.gain, _PURE_NUMBER),
        ("Camera picture width", camera.width, {"unit": "px"}),
        ("Camera picture height", camera.height, {"unit": "px"}),
    ]
    return [
        {"type": {"text": name}, "valueQuantity": [{"value": _figure(value), **unit}]}
        for name, value, unit in found
        if value is not None
    ]


def _observations(slide: Slide, reading: Parasitaemia, which: str, effective: str) -> list[dict[str, Any]]:
    def observation(what: str, code: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
        return {
            "resourceType": "Observation",
            "id": _name(slide, f"{what}, {which}"),
            "status": "preliminary",
            "code": code,
            "effectiveDateTime": effective,
            "specimen": _reference("Specimen", _name(slide, "specimen")),
            "device": _reference("Device", _name(slide, "device")),
            "method": {"text": f"Image analysis of the thin film, {which}"},
            **value,
        }

    found = [
        observation("red cells counted", {"text": "Red cells counted"}, {"valueInteger": reading.counted}),
        observation(
            "cells called parasitised",
            {"text": "Red cells called parasitised"},
            {"valueInteger": reading.parasitized},
        ),
    ]
    if reading.fraction is None or reading.low is None or reading.high is None:
        return found
    per_thousand = {"unit": "per 1000 red cells", "system": _UCUM, "code": "/10*3.{RBCs}"}
    per_ul = {"unit": "per µL", "system": _UCUM, "code": "/uL"}
    blood = reading.red_cells.per_ul
    code, display = _INFECTED_PER_1000
    quantities = [
        ("parasitised per 1000", {**_coded(_LOINC, code, display), "text": display}, per_thousand, 1000.0)
    ]
    if reading.per_ul is not None:
        quantities.append(
            ("parasitised per µL", {"text": "Parasitised red cells per µL of blood"}, per_ul, blood)
        )
    for what, coded, unit, scale in quantities:
        item = observation(
            what, coded, {"valueQuantity": {"value": _figure(reading.fraction * scale), **unit}}
        )
        item["component"] = [
            {
                "code": {"text": f"{end} end of the 95 % interval"},
                "valueQuantity": {"value": _figure(share * scale), **unit},
            }
            for end, share in (("Lower", reading.low), ("Upper", reading.high))
        ]
        found.append(item)
    return found


def _figure(value: float) -> float:
    """Six significant digits: more would claim what no count can tell."""
    return float(f"{value:.6g}")


def _coded(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def _name(slide: Slide, what: str) -> str:
    """A resource's id: the same for the same slide, and telling nothing of it."""
    return str(uuid.uuid5(_NAMESPACE, f"{slide.number}/{slide.created_at.isoformat()}/{what}"))


def _reference(kind: str, name: str) -> dict[str, str]:
    """A reference within the bundle; its type tells a reader that resolves none what lies there."""
    return {"reference": f"urn:uuid:{name}", "type": kind}
