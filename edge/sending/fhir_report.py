"""The transaction that tells a FHIR server of a slide: no person's name, and pictures only where asked for."""

import base64
import json
import uuid
from typing import Any

from edge.filing.fhir import slide_bundle
from edge.filing.fhir_values import SYSTEM
from edge.sending.settings import DeviceIdentity
from edge.slides.identity import NAMESPACE
from edge.slides.records import Slide
from edge.slides.store import SlideStore
from edge.types import Label

_PERSONAL = ("performer", "resultsInterpreter", "note")
"""Names of operators and readers, and what was typed freely, which may name a patient."""
MOST_CROPS = 50


def slide_transaction(
    store: SlideStore, slide: Slide, device: DeviceIdentity, *, crops: bool = False, sent_before: bool = False
) -> dict[str, Any]:
    """Make the bundle that is posted: found by its identifiers, so that posting it twice changes nothing.

    Args:
        store: the store.
        slide: the slide.
        device: which device tells of it.
        crops: whether to send the small pictures of the cells that stand as parasitised, 50 at most.
        sent_before: the receiver has an earlier state of the slide, of which what does not stand is withdrawn.

    Raises:
        SlideError: the slide cannot be described.
        StoreError: the store cannot be read.
    """
    bundle = slide_bundle(store, slide, transaction=True, sent_before=sent_before)
    for entry in bundle["entry"]:
        resource = entry["resource"]
        for name in _PERSONAL:
            resource.pop(name, None)
        if resource["resourceType"] == "DiagnosticReport":
            report = resource
            report["extension"] = [
                {"url": f"{SYSTEM}:{name}", "valueString": value}
                for name, value in (("device-name", device.name), ("site", device.site))
                if value
            ]
    if crops:
        media = [_media(store, slide, cell_id) for cell_id in _suspects(store, slide)]
        if media:
            report["media"] = [{"link": {"reference": one["fullUrl"], "type": "Media"}} for one in media]
            bundle["entry"] += media
    return bundle


def transaction_body(bundle: dict[str, Any]) -> bytes:
    """The bundle as it goes over the line."""
    return json.dumps(bundle, ensure_ascii=False, separators=(",", ":")).encode()


def _suspects(store: SlideStore, slide: Slide) -> list[int]:
    called = [cell for cell in store.cells(slide) if cell.final_label == Label.PARASITIZED]
    return [cell.cell_id for cell in sorted(called, key=lambda cell: -cell.probability)[:MOST_CROPS]]


def _media(store: SlideStore, slide: Slide, cell_id: int) -> dict[str, Any]:
    cell = store.cell(slide, cell_id)
    name = str(uuid.uuid5(NAMESPACE, f"{slide.number}/{slide.created_at.isoformat()}/cell {cell_id}"))
    picture = base64.b64encode(store.crop(cell)).decode()
    return {
        "fullUrl": f"urn:uuid:{name}",
        "resource": {
            "resourceType": "Media",
            "identifier": [{"system": f"{SYSTEM}:cell", "value": name}],
            "status": "completed",
            "content": {"contentType": "image/jpeg", "data": picture},
        },
        "request": {"method": "POST", "url": "Media", "ifNoneExist": f"identifier={SYSTEM}:cell|{name}"},
    }
