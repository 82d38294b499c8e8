"""A slide as text of each form that other programs read."""

import json
from enum import StrEnum

from edge.filing.export import audit_csv, cells_csv, fields_csv, slide_json
from edge.filing.fhir import slide_bundle
from edge.slides.records import Slide
from edge.slides.store import SlideStore


class ExportForm(StrEnum):
    """A form of a slide for other programs; the values are part of the API."""

    JSON = "json"
    CELLS_CSV = "cells.csv"
    FIELDS_CSV = "fields.csv"
    AUDIT_CSV = "audit.csv"
    FHIR = "fhir"
    FHIR_TRANSACTION = "fhir-transaction"


TABLES = {
    ExportForm.CELLS_CSV: cells_csv,
    ExportForm.FIELDS_CSV: fields_csv,
    ExportForm.AUDIT_CSV: audit_csv,
}
"""What writes each table."""


def exported(store: SlideStore, slide: Slide, form: ExportForm, *, crops: bool = False) -> str:
    """Write a slide in one of the forms.

    Args:
        store: holds the slide.
        slide: the slide.
        form: what to write.
        crops: whether JSON includes each cell's small picture.
    """
    if form in TABLES:
        return TABLES[form](store, slide)
    if form == ExportForm.JSON:
        content = slide_json(store, slide, crops=crops)
    else:
        content = slide_bundle(store, slide, transaction=form == ExportForm.FHIR_TRANSACTION)
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"
