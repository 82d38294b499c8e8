"""A slide for other programs: tables for a spreadsheet, and everything as one JSON object."""

import base64
import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from edge.about import RESEARCH_USE
from edge.slides.records import NewField, Slide
from edge.slides.review import slide_estimates
from edge.slides.store import SlideStore
from edge.slides.tables.rows import checks_json

_CELL_COLUMNS = (
    "cell",
    "field",
    "box_x",
    "box_y",
    "box_width",
    "box_height",
    "island",
    "slide_x",
    "slide_y",
    "probability",
    "machine_label",
    "doubtful",
    "counted",
    "review_call",
    "reviewer",
    "reviewed_at",
    "final_label",
    "judged",
    "slide",
)
_FIELD_COLUMNS = (
    "field",
    "taken_at",
    "island",
    "slide_x",
    "slide_y",
    "width",
    "height",
    "cell_width",
    "source",
    "checks_passed",
    "slide",
)
_AUDIT_COLUMNS = ("at", "who", "action", "detail", "slide")


def cells_csv(store: SlideStore, slide: Slide) -> str:
    """Every cell of a slide, one a row, with the machine's verdict, the person's call and the final label."""
    return csv_text(
        _CELL_COLUMNS,
        (
            (
                cell.cell_id,
                cell.field_number,
                *cell.box,
                cell.island,
                round(cell.x, 1),
                round(cell.y, 1),
                round(cell.probability, 6),
                cell.label,
                cell.doubtful,
                not cell.duplicate,
                cell.call or "",
                cell.reviewer or "",
                cell.reviewed_at.isoformat() if cell.reviewed_at else "",
                cell.final_label,
                cell.judged,
                slide.slide_id,
            )
            for cell in store.cells(slide, duplicates=True, unjudged=True)
        ),
    )


def fields_csv(store: SlideStore, slide: Slide) -> str:
    """Every accepted field of a slide, one a row."""
    return csv_text(
        _FIELD_COLUMNS,
        (
            (
                stored.number,
                stored.field.taken_at.isoformat(),
                stored.field.island,
                round(stored.field.x, 1),
                round(stored.field.y, 1),
                stored.field.width,
                stored.field.height,
                round(stored.field.cell_width, 2),
                stored.field.source,
                stored.field.quality.refused is None,
                slide.slide_id,
            )
            for stored in store.fields(slide)
        ),
    )


def audit_csv(store: SlideStore, slide: Slide) -> str:
    """The audit trail of a slide, one change a row; what changed is a JSON object."""
    entries = store.audit(slide)
    return csv_text(
        _AUDIT_COLUMNS,
        (
            (entry.at.isoformat(), entry.who, entry.action, json.dumps(dict(entry.detail)), slide.slide_id)
            for entry in entries
        ),
    )


def slide_json(store: SlideStore, slide: Slide, *, crops: bool = False) -> dict[str, Any]:
    """Everything that the store holds of a slide.

    Args:
        store: the store.
        slide: the slide.
        crops: whether to include each cell's small JPEG, as base64.

    Returns:
        JSON values; times are ISO 8601 in UTC, fractions [0, 1], boxes [x, y, w, h] in pixels of their field.
    """
    cells = []
    for cell in store.cells(slide, duplicates=True, unjudged=True):
        record = {
            "cell": cell.cell_id,
            "field": cell.field_number,
            "box": list(cell.box),
            "slide_position": [round(cell.x, 1), round(cell.y, 1)],
            "island": cell.island,
            "probability": cell.probability,
            "machine_label": cell.label,
            "doubtful": cell.doubtful,
            "counted": not cell.duplicate,
            "judged": cell.judged,
            "view_strain": round(cell.strain, 3),
            "review_call": cell.call,
            "final_label": cell.final_label,
        }
        if crops:
            record["crop_jpeg_base64"] = base64.b64encode(store.crop(cell)).decode("ascii")
        cells.append(record)
    return {
        "research_use": RESEARCH_USE,
        "slide": {
            "id": slide.slide_id,
            "notes": slide.notes,
            "operator": slide.operator,
            "device": slide.device,
            "model": {"name": slide.model_name, "sha256": slide.model_sha256},
            "settings": dict(slide.settings),
            "created_at": slide.created_at.isoformat(),
        },
        **slide_estimates(store, slide).to_json(),
        "fields": [_field_json(stored.number, stored.field) for stored in store.fields(slide)],
        "cells": cells,
        "earlier_views": [
            {
                "cell": view.cell_id,
                "field": view.field_number,
                "box": list(view.box),
                "probability": view.probability,
                "machine_label": view.label,
                "view_strain": round(view.strain, 3),
                "replaced_at": view.replaced_at.isoformat(),
            }
            for view in store.earlier_views(slide)
        ],
        "reviews": [
            {
                "cell": review.cell_id,
                "call": review.call,
                "reviewer": review.reviewer,
                "at": review.at.isoformat(),
                "note": review.note,
                "reading": review.reading,
                "species": review.species,
                "stage": review.stage,
            }
            for review in store.reviews(slide)
        ],
        "audit": [
            {
                "at": entry.at.isoformat(),
                "who": entry.who,
                "action": entry.action,
                "detail": dict(entry.detail),
            }
            for entry in store.audit(slide)
        ],
    }


def _field_json(number: int, field: NewField) -> dict[str, Any]:
    return {
        "field": number,
        "taken_at": field.taken_at.isoformat(),
        "island": field.island,
        "slide_position": [round(field.x, 1), round(field.y, 1)],
        "width": field.width,
        "height": field.height,
        "cell_width": field.cell_width,
        "source": field.source,
        "turn": round(field.turn, 2),
        "judged": field.judged,
        "checks": checks_json(field.quality),
    }


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Write a table as CSV (RFC 4180), its texts disarmed for spreadsheets."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    writer.writerow(columns)
    for row in rows:
        writer.writerow([disarmed(value) for value in row])
    return text.getvalue()


def disarmed(value: Any) -> Any:
    """Disarm text that a spreadsheet would take for a formula (OWASP, "CSV injection")."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
