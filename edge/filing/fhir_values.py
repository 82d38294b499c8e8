"""Codes, identifiers and values as FHIR R4 writes them.

LOINC codes and their names are those of LOINC 2.80 (https://loinc.org/51587-4 and so on); SNOMED CT codes those of the
international edition (https://browser.ihtsdotools.org). 260373001, 260415000 and 419984006 are qualifier values,
119297000 is a specimen.
"""

import uuid
from typing import Any

from edge.parasitaemia.presence import Presence
from edge.slides.identity import NAMESPACE
from edge.slides.records import Slide

Json = dict[str, Any]

SYSTEM = "urn:plasmolite"
"""Root of the project's own code and identifier systems."""
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"

PURE_NUMBER = {"unit": "1", "system": UCUM, "code": "1"}
PER_THOUSAND = {"unit": "per 1000 red cells", "system": UCUM, "code": "/10*3.{RBCs}"}
PER_UL = {"unit": "per µL", "system": UCUM, "code": "/uL"}


def coded(system: str, code: str, display: str, text: str = "") -> Json:
    """Make a CodeableConcept of one code."""
    found: Json = {"coding": [{"system": system, "code": code, "display": display}]}
    return {**found, "text": text} if text else found


PRESENT = coded(LOINC, "51587-4", "Plasmodium sp [Presence] in Blood by Light microscopy")
SPECIES = coded(LOINC, "32206-5", "Plasmodium sp identified in Blood by Light microscopy")
STAGE = coded(LOINC, "41451-6", "Plasmodium stage [Identifier] in Blood by Light microscopy")
_INFECTED = "Erythrocytes.Plasmodium sp infected/1000 erythrocytes in Blood"
INFECTED_PER_1000 = coded(LOINC, "48427-9", _INFECTED, _INFECTED)
BLOOD = coded(SNOMED, "119297000", "Blood specimen", "Giemsa-stained thin film of peripheral blood")
MICROBIOLOGY = coded("http://terminology.hl7.org/CodeSystem/v2-0074", "MB", "Microbiology")
NOT_PERFORMED = "not-performed"
_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"

_ANSWERS = {
    Presence.EVIDENCE: ("260373001", "Detected"),
    Presence.NO_EVIDENCE: ("260415000", "Not detected"),
    Presence.CANNOT_TELL: ("419984006", "Inconclusive"),
}


def answer(presence: Presence) -> Json:
    """Code what the rule of `edge.parasitaemia.presence` says."""
    code, display = _ANSWERS[presence]
    return coded(SNOMED, code, display, presence.value)


def absent(reason: str) -> Json:
    """Say why there is no value."""
    return coded(_ABSENT, NOT_PERFORMED, "Not Performed", reason)


def quantity(value: float, unit: Json) -> Json:
    """Make a Quantity of six significant digits: more would claim what no count can tell."""
    return {"value": float(f"{value:.6g}"), **unit}


def device_of(slide: Slide) -> str:
    """The UUID of the device that counted a slide; a slide of an earlier version has one of its own."""
    return str(slide.settings.get("device_uuid") or name(slide, "device"))


def name(slide: Slide, what: str) -> str:
    """A resource's id: the same from one export to the next, another on every device, and telling nothing."""
    device = f"{slide.settings['device_uuid']}/" if "device_uuid" in slide.settings else ""
    return str(uuid.uuid5(NAMESPACE, f"{device}{slide.number}/{slide.created_at.isoformat()}/{what}"))


def unique(identifier: str) -> Json:
    """Make an Identifier that is unique over all devices.

    Not in the form of `urn:uuid:`, as the entries' addresses are: servers that put their own address in place of each
    of those would do it here too, and find nothing by it the next time.
    """
    return {"system": f"{SYSTEM}:resource", "value": identifier}


def reference(kind: str, identifier: str) -> dict[str, str]:
    """A reference within the bundle; its type tells a reader that resolves none what lies there."""
    return {"reference": f"urn:uuid:{identifier}", "type": kind}


def person(who: str) -> dict[str, str]:
    """Name a person, of whom the store holds nothing but the name."""
    return {"type": "Practitioner", "display": who}
