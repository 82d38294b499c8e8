"""Slides from pictures: ``POST /slides`` begins one, ``POST /slides/N/fields`` adds a field to it."""

import hashlib
from typing import Any

from flask_smorest import Blueprint

from edge.errors import ImageError
from edge.live.setup import SlideRequest, check_counted_alike, find_or_begin
from edge.slides.from_files import add_file
from server.context import server_context
from server.http.openapi import picture_body, problems
from server.http.uploads import one_picture
from server.routes.analyze import admitted, judge_upload, note_field, setup_for
from server.routes.slides import SLIDE_PATH, find_slide, slide_facts, slide_store
from server.schemas.counts import CellWidthSchema, NewSlideSchema, StoredFieldSchema
from server.schemas.slides import SlideSchema

slide_fields = Blueprint("slide_fields", __name__, description="Slides from pictures")

SOURCE = "pictures sent to the server"
"""What such a slide says of its source."""


@slide_fields.route("/slides", methods=["POST"])
@slide_fields.arguments(NewSlideSchema)
@slide_fields.response(201, SlideSchema)
@problems(slide_fields, 409, 415, 422, 507)
def begin_slide(wish: dict[str, Any]) -> dict[str, Any]:
    """Begin a slide that pictures are then added to."""
    context, store = server_context(), slide_store()
    request = SlideRequest(slide_id=wish["slide_id"], operator=wish["operator"], notes=wish["notes"])
    return slide_facts(store, find_or_begin(store, setup_for(context, wish), request, SOURCE))


@slide_fields.route(f"{SLIDE_PATH}/fields", methods=["POST"])
@slide_fields.arguments(CellWidthSchema, location="query")
@slide_fields.doc(requestBody=picture_body(several=False), summary="Add the picture of a field to a slide")
@slide_fields.response(200, StoredFieldSchema)
@problems(slide_fields, 409, 415, 422, 507)
def add_field(query: dict[str, Any], number: int) -> dict[str, Any]:
    """Analyse the picture of a field and store its counted cells in a slide.

    A field that is refused is not stored; the same file is never stored twice. Pictures are not registered to each
    other: give fields that do not overlap.
    """
    context, store = server_context(), slide_store()
    slide = find_slide(store, number)
    check_counted_alike(slide, context.setup)
    upload = one_picture()
    with admitted(context, what="fields"):
        field = judge_upload(context, upload, query.get("cell_width"))
    if field.error is not None:
        raise ImageError(field.error)
    note_field(context, field)
    taken = add_file(store, slide, field, hashlib.sha256(upload.data).hexdigest())
    return {**taken._asdict(), "field": field.to_json()}
