"""A slide's result as an HL7 FHIR R4 bundle: a DiagnosticReport with what it rests on.

Plain JSON values after https://hl7.org/fhir/R4/diagnosticreport.html; the tests validate them with the
models that fhirclient generates from FHIR 4.0.1 (R4) and with fhir.resources' of 4.3.0 (R4B). The report has
no subject: the store knows no person, and the receiving system links the specimen's identifier to one.
"""

from collections.abc import Sequence
from typing import NamedTuple

from edge.about import RESEARCH_USE
from edge.filing.fhir_device import devices
from edge.filing.fhir_values import (
    BLOOD,
    INFECTED_PER_1000,
    MICROBIOLOGY,
    PER_THOUSAND,
    PER_UL,
    PRESENT,
    SPECIES,
    STAGE,
    SYSTEM,
    Json,
    absent,
    answer,
    name,
    person,
    quantity,
    reference,
    unique,
)
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.parasitaemia.estimate import Parasitaemia
from edge.parasitaemia.presence import TOO_FEW_CELLS
from edge.slides.records import Review, Slide
from edge.slides.review import slide_estimates
from edge.slides.store import SlideStore

_ONCE = frozenset({"Specimen", "Device"})
"""Resources that never change: made once. The others are brought up to date when a review goes on."""


def slide_bundle(
    store: SlideStore, slide: Slide, *, transaction: bool = False, sent_before: bool = False
) -> Json:
    """Describe a slide as a FHIR R4 Bundle.

    Holds the DiagnosticReport, the Specimen (the slide), the Devices (the program as it was set, the instrument), and
    Observations: whether an infection is seen, cells counted, cells called parasitised, parasitised per 1,000 red cells
    and per µL with the 95 % interval as components, each for the machine's reading and, where a person reviewed cells,
    after review, derived from the machine's.

    Args:
        store: the store.
        slide: the slide.
        transaction: make a bundle to be posted to a server instead of a collection. Posted again it makes nothing
            twice: each resource is found by its identifier, which no other device makes
            (https://hl7.org/fhir/R4/http.html#ccreate, #cond-update).
        sent_before: the receiver has an earlier state of the slide. What that may have told of a review and what does
            not stand any more is told as ``entered-in-error`` (https://hl7.org/fhir/R4/valueset-observation-status.html);
            the report does not refer to it.

    Returns:
        JSON values.

    Raises:
        SlideError: the slide's settings lack the rates that an estimate needs.
        StoreError: the store cannot be read.
    """
    estimates = slide_estimates(store, slide)
    reviews = store.reviews(slide)
    counted_at = max([slide.created_at, *(stored.field.taken_at for stored in store.fields(slide))])
    issued = max([counted_at, *(review.at for review in reviews)]).isoformat()
    readers = sorted({review.reviewer for review in reviews})
    program, instrument = devices(slide)
    effective = counted_at.isoformat()
    machine = _Reading(slide, program["id"], "machine", effective, effective, [slide.operator])
    observations = machine.observations(estimates.machine)
    reviewed = _Reading(slide, program["id"], "after review", effective, issued, readers)
    noted = _Reading(slide, program["id"], "noted by a reader", effective, issued, readers)
    past: list[Json] = []
    if estimates.reviewed is not None:
        observations += reviewed.observations(estimates.reviewed, derived_from=machine)
    elif sent_before and reviews:
        past += reviewed.observations(estimates.machine)
    notes, ever = _noted(reviews), _all_noted(reviews) if sent_before else {}
    observations += [noted.observation(what, value) for what, value in notes.items()]
    past += [noted.observation(what, value) for what, value in ever.items() if what not in notes]
    chosen = estimates.reviewed or estimates.machine
    report = {
        "resourceType": "DiagnosticReport",
        "id": name(slide, "report"),
        "identifier": [{"system": f"{SYSTEM}:report", "value": name(slide, "report")}],
        # Preliminary whatever was reviewed: only a laboratory's own person makes a report final.
        "status": "preliminary",
        "category": [MICROBIOLOGY],
        "code": {**PRESENT, "text": "Malaria parasite count of a thin blood film by image analysis"},
        "effectiveDateTime": effective,
        "issued": issued,
        "performer": [person(who) for who in [slide.operator] if who],
        "resultsInterpreter": [person(who) for who in readers],
        "specimen": [reference("Specimen", name(slide, "specimen"))],
        "result": [reference("Observation", observation["id"]) for observation in observations],
        "conclusion": " ".join((*map(str, chosen.words), RESEARCH_USE)),
        "conclusionCode": [answer(chosen.presence)],
    }
    resources = [_filled(one) for one in (report, _specimen(slide), program, instrument, *observations)]
    resources += map(_in_error, past)
    return {
        "resourceType": "Bundle",
        "id": name(slide, "bundle"),
        "type": "transaction" if transaction else "collection",
        "timestamp": issued,
        "entry": [_to_post(one) if transaction else _held(one) for one in resources],
    }


def _filled(resource: Json) -> Json:
    """Leave out what is empty: FHIR allows no empty list."""
    return {key: value for key, value in resource.items() if value != []}


def _in_error(observation: Json) -> Json:
    """Withdraw an observation: what it was of, and no value."""
    kept = ("resourceType", "id", "identifier", "code", "specimen", "device", "method")
    return {**{key: observation[key] for key in kept}, "status": "entered-in-error"}


def _held(resource: Json) -> Json:
    return {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}


def _to_post(resource: Json) -> Json:
    """Ask a server to make the resource unless it has it, or to bring the one that it has up to date.

    The id is left out: the server gives its own.
    """
    kind, identifier = resource["resourceType"], resource["identifier"][0]
    found_by = f"identifier={identifier['system']}|{identifier['value']}"
    if kind in _ONCE:
        request = {"method": "POST", "url": kind, "ifNoneExist": found_by}
    else:
        request = {"method": "PUT", "url": f"{kind}?{found_by}"}
    without_id = {key: value for key, value in resource.items() if key != "id"}
    return {**_held(resource), "resource": without_id, "request": request}


def _specimen(slide: Slide) -> Json:
    return {
        "resourceType": "Specimen",
        "id": name(slide, "specimen"),
        "identifier": [
            unique(name(slide, "specimen")),
            {"system": f"{SYSTEM}:slide", "value": slide.slide_id},
        ],
        "accessionIdentifier": {"value": slide.slide_id},
        "type": BLOOD,
        "receivedTime": slide.created_at.isoformat(),
        "note": [{"text": slide.notes}] if slide.notes.strip() else [],
    }


class _Reading(NamedTuple):
    """The observations of one reading of a slide, the machine's or the one after review.

    Attributes:
        slide: the slide.
        program: id of the Device.
        which: name of the reading.
        effective: when the last field was taken.
        issued: when the reading was there: with the last field, or with the last call of a person.
        performers: who read.
    """

    slide: Slide
    program: str
    which: str
    effective: str
    issued: str
    performers: list[str]

    @property
    def common(self) -> Json:
        """What all its observations state."""
        return {
            "status": "preliminary",
            "effectiveDateTime": self.effective,
            "issued": self.issued,
            "performer": [person(who) for who in self.performers if who],
            "specimen": reference("Specimen", name(self.slide, "specimen")),
            "device": reference("Device", self.program),
            "method": {"text": f"Image analysis of the thin film, {self.which}"},
        }

    def id_of(self, what: str) -> str:
        """The id of one of its observations."""
        return name(self.slide, f"{what}, {self.which}")

    def observations(self, found: Parasitaemia, *, derived_from: "_Reading | None" = None) -> list[Json]:
        """Write a reading; with the one that it is derived from, it is the one that stands."""
        values: dict[str, Json] = {
            "presence": {"code": PRESENT, "valueCodeableConcept": answer(found.presence)},
            "red cells counted": {"code": {"text": "Red cells counted"}, "valueInteger": found.counted},
            "cells called parasitised": {
                "code": {"text": "Red cells called parasitised"},
                "valueInteger": found.parasitized,
            },
            "rates measured here": {
                "code": {"text": "False-alarm rate measured on slides of this laboratory"},
                "valueBoolean": found.rates.false_alarms_measured_here,
            },
            **_shares(found),
        }
        if derived_from is None:
            return [self.observation(what, value) for what, value in values.items()]
        stands = [{"text": "This reading stands in place of the one that it is derived from."}]
        return [
            self.observation(
                what,
                {
                    **value,
                    "note": stands,
                    "derivedFrom": [reference("Observation", derived_from.id_of(what))],
                },
            )
            for what, value in values.items()
        ]

    def observation(self, what: str, value: Json) -> Json:
        """Make one observation: what all of the reading state, and its own code and value."""
        return {
            "resourceType": "Observation",
            "id": self.id_of(what),
            "identifier": [unique(self.id_of(what))],
            **self.common,
            **value,
        }


def _noted(reviews: Sequence[Review]) -> dict[str, Json]:
    """Species and stage as readers noted them, in their words: the store knows no list of them."""
    standing = {(review.cell_id, review.reading): review for review in reviews}
    return _all_noted([review for review in standing.values() if review.call is not None])


def _all_noted(called: Sequence[Review]) -> dict[str, Json]:
    species = sorted({review.species for review in called} - {""})
    stages = sorted({review.stage for review in called} - {""})
    found = {"species": (SPECIES, species), "stage": (STAGE, stages)}
    return {
        what: {"code": code, "valueCodeableConcept": {"text": "; ".join(texts)}}
        for what, (code, texts) in found.items()
        if texts
    }


def _shares(found: Parasitaemia) -> dict[str, Json]:
    """Parasitised per 1,000 red cells and per µL, with their intervals."""
    if found.fraction is None or found.low is None or found.high is None:
        return {}
    density = {"code": {"text": "Parasitised red cells per µL of blood"}}
    shares = {"parasitised per 1000": _quantities({"code": INFECTED_PER_1000}, found, PER_THOUSAND, 1000.0)}
    if found.per_ul is None:
        few = Message(Code.ESTIMATE_TOO_FEW, counted=found.counted, wanted=TOO_FEW_CELLS)
        return {**shares, "parasitised per µL": {**density, "dataAbsentReason": absent(str(few))}}
    per_ul = _quantities(density, found, PER_UL, found.red_cells.per_ul)
    return {**shares, "parasitised per µL": per_ul}


def _quantities(code: Json, found: Parasitaemia, unit: Json, scale: float) -> Json:
    ends = (("Lower", found.low or 0.0), ("Upper", found.high or 0.0))
    return {
        **code,
        "valueQuantity": quantity((found.fraction or 0.0) * scale, unit),
        "component": [
            {
                "code": {"text": f"{end} end of the 95 % interval"},
                "valueQuantity": quantity(share * scale, unit),
            }
            for end, share in ends
        ],
    }
