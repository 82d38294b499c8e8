"""``/slides``: what was counted, a person's review of it, and its export, over the store of the command line."""

from typing import Any

from flask import Response
from flask_smorest import Blueprint

from edge.about import RESEARCH_USE
from edge.errors import SlideError
from edge.filing.exported import TABLES, ExportForm, exported
from edge.filing.slide_table import slides_csv
from edge.messages.language import Language
from edge.messages.request_codes import RequestCode
from edge.reports.slide_report import slide_page
from edge.slides.claim import counting
from edge.slides.listing import SlideOrder, find_slides, open_cells, thumbnail
from edge.slides.readings import Reading
from edge.slides.records import Slide, SlideCounts, StoredCell
from edge.slides.review import judge, review_queue, slide_estimates
from edge.slides.store import SlideStore
from edge.slides.surroundings import pictured_fields
from edge.types import Label
from server.context import server_context
from server.http.openapi import problems
from server.http.security import REPORT_POLICY
from server.problems import Problem
from server.schemas.slides import (
    AuditSchema,
    CellChoice,
    CellsQuerySchema,
    ExportQuerySchema,
    ReportQuerySchema,
    ReviewSchema,
    SlideCellSchema,
    SlideCellsSchema,
    SlideDetailSchema,
    SlideListSchema,
    SlidesQuerySchema,
    SlideState,
    WhoSchema,
)

slides = Blueprint("slides", __name__, description="Counted slides and their review")

# SQLite's numbers end at 2^63; a device counts no two thousand million slides or cells.
SLIDE_PATH = "/slides/<int(min=1,max=2147483647):number>"
CELL_PATH = f"{SLIDE_PATH}/cells/<int(min=1,max=2147483647):cell_id>"
_TYPES = {
    **dict.fromkeys(TABLES, "text/csv; charset=utf-8"),
    ExportForm.JSON: "application/json",
    ExportForm.FHIR: "application/fhir+json",
    ExportForm.FHIR_TRANSACTION: "application/fhir+json",
}


@slides.route("/slides", methods=["GET"])
@slides.arguments(SlidesQuerySchema, location="query")
@slides.response(200, SlideListSchema)
@problems(slides, 422, 507)
def list_slides(query: dict[str, Any]) -> dict[str, Any]:
    """List the slides, the newest first: all, or those whose id, operator or notes hold some words."""
    store = slide_store()
    order = SlideOrder(query["order"])
    page = find_slides(
        store, search=query["search"], order=order, offset=query["offset"], limit=query["limit"]
    )
    found = [slide_facts(store, slide) for slide in page.slides]
    return {"research_use": RESEARCH_USE, "total": page.total, "slides": found}


@slides.route("/slides.csv", methods=["GET"])
@slides.response(200, {"type": "string"}, content_type="text/csv", description="One row a slide")
@problems(slides, 409, 507)
def show_table() -> Response:
    """Give all slides as a table, one row a slide, with the reading that stands."""
    store = slide_store()
    headers = {"Content-Disposition": 'attachment; filename="slides.csv"'}
    body = slides_csv(store, reversed(store.slides()))
    return Response(body, headers=headers, content_type="text/csv; charset=utf-8")


@slides.route(SLIDE_PATH, methods=["GET"])
@slides.response(200, SlideDetailSchema)
@problems(slides, 409)
def show_slide(number: int) -> dict[str, Any]:
    """Show one slide: its counts and its parasitaemia, by the machine and after review."""
    store = slide_store()
    slide = find_slide(store, number)
    return {
        **slide_facts(store, slide),
        "research_use": RESEARCH_USE,
        "settings": dict(slide.settings),
        **slide_estimates(store, slide).to_json(),
    }


@slides.route(SLIDE_PATH, methods=["DELETE"])
@slides.arguments(WhoSchema, location="query")
@slides.response(204)
@problems(slides, 409, 422, 507)
def delete_slide(query: dict[str, str], number: int) -> None:
    """Erase a slide with its cells, crops and reviews; the audit trail keeps that and by whom."""
    store = slide_store()
    slide = find_slide(store, number)
    live = server_context().live
    if live is not None and live.slide_number() == number:
        raise Problem(409, RequestCode.SLIDE_IN_USE, kind="slide-in-use")
    # Another program may be counting it.
    with counting(store.path, slide.number, slide.slide_id):
        store.delete_slide(slide, who=query["who"])


@slides.route(f"{SLIDE_PATH}/cells", methods=["GET"])
@slides.arguments(CellsQuerySchema, location="query")
@slides.response(200, SlideCellsSchema)
@problems(slides, 422)
def list_cells(query: dict[str, Any], number: int) -> dict[str, Any]:
    """List cells of a slide: those to review, all suspects and doubtful ones, or all."""
    store = slide_store()
    slide = find_slide(store, number)
    if query["which"] == CellChoice.ALL:
        cells = store.cells(slide)
    else:
        cells = review_queue(
            store,
            slide,
            include_reviewed=query["which"] == CellChoice.SUSPECTS,
            reading=Reading[query["reading"].upper()],
            blind=query["blind"],
            sample=query["sample"],
        )
    page = cells[query["offset"] : query["offset"] + query["limit"]]
    kept = pictured_fields(store, slide)
    return {"total": len(cells), "cells": [_cell(cell, kept, blind=query["blind"]) for cell in page]}


@slides.route(f"{CELL_PATH}/crop", methods=["GET"])
@slides.response(
    200, {"type": "string", "format": "binary"}, content_type="image/jpeg", description="The small picture"
)
@problems(slides)
def show_crop(number: int, cell_id: int) -> Response:
    """Give the small picture of a cell that was stored when it was counted."""
    store = slide_store()
    return Response(
        store.crop(find_cell(store, find_slide(store, number), cell_id)), content_type="image/jpeg"
    )


@slides.route(f"{SLIDE_PATH}/thumbnail", methods=["GET"])
@slides.response(
    200, {"type": "string", "format": "binary"}, content_type="image/jpeg", description="The small picture"
)
@problems(slides, 409)
def show_thumbnail(number: int) -> Response:
    """Give the small picture of the slide's most suspicious cell."""
    store = slide_store()
    return Response(thumbnail(store, find_slide(store, number)), content_type="image/jpeg")


@slides.route(f"{CELL_PATH}/review", methods=["POST"])
@slides.arguments(ReviewSchema)
@slides.response(200, SlideCellSchema)
@problems(slides, 409, 415, 422, 507)
def review_cell(review: dict[str, Any], number: int, cell_id: int) -> dict[str, Any]:
    """Store what a person says of a cell, beside the machine's verdict; the audit trail keeps every change."""
    store = slide_store()
    slide = find_slide(store, number)
    find_cell(store, slide, cell_id)
    call = None if review["call"] is None else Label(review["call"])
    stored = judge(
        store,
        slide,
        cell_id,
        call,
        reviewer=review["reviewer"],
        note=review["note"],
        reading=Reading[review["reading"].upper()],
        species=review["species"],
        stage=review["stage"],
    )
    # What another reading said of the cell is not told.
    own = store.cell(slide, cell_id)._replace(
        call=stored.call, reviewer=stored.reviewer, reviewed_at=stored.at
    )
    return _cell(own, pictured_fields(store, slide), blind=review["blind"])


@slides.route(f"{SLIDE_PATH}/audit", methods=["GET"])
@slides.response(200, AuditSchema)
@problems(slides)
def show_audit(number: int) -> dict[str, Any]:
    """List every change to a slide and its reviews."""
    store = slide_store()
    return {
        "entries": [
            {
                "at": entry.at.isoformat(),
                "who": entry.who,
                "action": entry.action,
                "detail": dict(entry.detail),
            }
            for entry in store.audit(find_slide(store, number))
        ]
    }


@slides.route(f"{SLIDE_PATH}/report", methods=["GET"])
@slides.arguments(ReportQuerySchema, location="query")
@slides.response(200, {"type": "string"}, content_type="text/html", description="One file that opens offline")
@problems(slides, 409, 422)
def show_report(query: dict[str, str], number: int) -> Response:
    """Give the report of a slide: one HTML file with its pictures in it."""
    store = slide_store()
    page = slide_page(store, find_slide(store, number), Language(query["language"]))
    return Response(
        page, headers={"Content-Security-Policy": REPORT_POLICY}, content_type="text/html; charset=utf-8"
    )


@slides.route(f"{SLIDE_PATH}/export", methods=["GET"])
@slides.arguments(ExportQuerySchema, location="query")
@slides.response(200, content_type="application/json", description="JSON, FHIR R4 or CSV, as asked")
@problems(slides, 409, 422)
def export_slide(query: dict[str, str], number: int) -> Response:
    """Export a slide: everything as JSON, tables as CSV, or an HL7 FHIR R4 bundle."""
    store = slide_store()
    slide = find_slide(store, number)
    form = ExportForm(query["form"])
    name = "all.json" if form == ExportForm.JSON else form if form in TABLES else f"{form}.json"
    # The number, not the id, names the file: an id may hold anything.
    headers = {"Content-Disposition": f'attachment; filename="slide-{number}-{name}"'}
    return Response(exported(store, slide, form), headers=headers, content_type=_TYPES[form])


def slide_store() -> SlideStore:
    """The store.

    Raises:
        Problem: the server keeps no slides.
    """
    store = server_context().store
    if store is None:
        raise Problem(404, RequestCode.NO_SLIDES, kind="no-slides")
    return store


def find_slide(store: SlideStore, number: int) -> Slide:
    """One slide by its number.

    Raises:
        Problem: there is none.
    """
    for slide in store.slides():
        if slide.number == number:
            return slide
    raise Problem(404, RequestCode.NO_SUCH_SLIDE, kind="no-such-slide", number=number)


def find_cell(store: SlideStore, slide: Slide, cell_id: int) -> StoredCell:
    """One cell of a slide.

    Raises:
        Problem: there is none.
    """
    try:
        return store.cell(slide, cell_id)
    except SlideError as error:
        raise Problem(404, error.message, kind="no-such-cell") from error


def slide_facts(store: SlideStore, slide: Slide) -> dict[str, Any]:
    """What the list says of a slide."""
    counts, left = store.counts(slide), sum(open_cells(store, slide))
    return {
        "number": slide.number,
        "slide_id": slide.slide_id,
        "notes": slide.notes,
        "operator": slide.operator,
        "device": slide.device,
        "model": {"name": slide.model_name, "sha256": slide.model_sha256},
        "created_at": slide.created_at.isoformat(),
        "counts": counts._asdict(),
        "open": left,
        "state": _state(slide, counts, left),
    }


def _state(slide: Slide, counts: SlideCounts, left: int) -> str:
    """The slide's place on its way from count to report."""
    live = server_context().live
    if live is not None and live.slide_number() == slide.number:
        return SlideState.COUNTING
    if not counts.cells:
        return SlideState.EMPTY
    if left:
        return SlideState.OPEN
    return SlideState.REVIEWED if counts.reviewed else SlideState.CLEAR


def _cell(cell: StoredCell, kept: frozenset[int], *, blind: bool = False) -> dict[str, Any]:
    machine = {"probability": cell.probability, "label": cell.label, "doubtful": cell.doubtful}
    return {
        "cell": cell.cell_id,
        "field": cell.field_number,
        "box": list(cell.box),
        "surroundings": cell.field_number in kept,
        **(dict.fromkeys(machine) if blind else machine),
        "call": cell.call,
        "reviewer": cell.reviewer,
        "reviewed_at": cell.reviewed_at.isoformat() if cell.reviewed_at else None,
    }
