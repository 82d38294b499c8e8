"""The device in a FHIR bundle: the instrument, and the program, model, threshold and camera that it ran with."""

import json
import uuid

from edge.about import RESEARCH_USE
from edge.camera.settings import CameraRecord
from edge.filing.fhir_values import PURE_NUMBER, UCUM, Json, device_of, quantity, reference, unique
from edge.slides.identity import NAMESPACE
from edge.slides.records import Slide


def devices(slide: Slide) -> tuple[Json, Json]:
    """Describe what counted a slide: the program as it was set, and the instrument that it ran on.

    The program's identifier is made of all that it states, so that another model, threshold or camera setting is
    another Device.
    """
    instrument = {
        "resourceType": "Device",
        "id": device_of(slide),
        "identifier": [unique(device_of(slide))],
        "deviceName": [{"name": "Plasmolite device", "type": "user-friendly-name"}],
        "note": [{"text": RESEARCH_USE}],
    }
    program = _program(slide)
    stated = f"{device_of(slide)}/{json.dumps(program, sort_keys=True)}"
    identifier = str(uuid.uuid5(NAMESPACE, stated))
    return {
        **program,
        "id": identifier,
        "identifier": [unique(identifier)],
        "parent": reference("Device", device_of(slide)),
    }, instrument


def _program(slide: Slide) -> Json:
    settings = slide.settings
    notes = [RESEARCH_USE, f"Ran on: {slide.device or 'not stated'}"]
    properties = [
        {
            "type": {"text": "Threshold: probability from which on a cell is called parasitised"},
            "valueQuantity": [quantity(float(settings.get("threshold", 0.5)), PURE_NUMBER)],
        },
        {
            "type": {"text": "Site profile"},
            "valueCode": [{"text": str(settings.get("site_profile") or "none: not calibrated")}],
        },
    ]
    if "camera" in settings:
        record = CameraRecord.from_json(settings["camera"])
        properties += _camera_properties(record)
        notes += map(str, record.disobeyed())
    versions = [
        ("program", str(settings.get("plasmolite_version") or "not stated")),
        ("model", slide.model_name),
        ("SHA-256 of the model file", slide.model_sha256),
    ]
    return {
        "resourceType": "Device",
        "deviceName": [{"name": "Plasmolite", "type": "user-friendly-name"}],
        "version": [{"type": {"text": kind}, "value": value} for kind, value in versions],
        "property": properties,
        "note": [{"text": note} for note in notes],
    }


def _camera_properties(camera: CameraRecord) -> list[Json]:
    """What the fields were taken with; a value that the camera did not keep is said in a note."""
    found = [
        ("Camera exposure time", camera.exposure_us, {"unit": "µs", "system": UCUM, "code": "us"}),
        ("Camera white balance", camera.white_balance_k, {"unit": "K", "system": UCUM, "code": "K"}),
        ("Camera red gain", camera.red_gain, PURE_NUMBER),
        ("Camera blue gain", camera.blue_gain, PURE_NUMBER),
        ("Camera analogue gain", camera.gain, PURE_NUMBER),
        ("Camera picture width", camera.width, {"unit": "px"}),
        ("Camera picture height", camera.height, {"unit": "px"}),
    ]
    return [
        {"type": {"text": text}, "valueQuantity": [quantity(value, unit)]}
        for text, value, unit in found
        if value is not None
    ]
