"""``/slides/N/cells/C/surroundings``: a cell among its neighbours, as far as the store kept its field."""

from flask import Response
from flask_smorest import Blueprint

from edge.messages.request_codes import RequestCode
from edge.slides.surroundings import surroundings
from server.http.openapi import problems
from server.problems import Problem
from server.routes.slides import CELL_PATH, find_cell, find_slide, slide_store

cell_pictures = Blueprint("cell_pictures", __name__, description="What lies around a counted cell")


@cell_pictures.route(f"{CELL_PATH}/surroundings", methods=["GET"])
@cell_pictures.response(
    200, {"type": "string", "format": "binary"}, content_type="image/jpeg", description="The small picture"
)
@problems(cell_pictures)
def show_surroundings(number: int, cell_id: int) -> Response:
    """Give a cell in the middle of its field: a square of five times its longer side, grey beyond the field."""
    store = slide_store()
    slide = find_slide(store, number)
    picture = surroundings(store, slide, find_cell(store, slide, cell_id))
    if picture is None:
        raise Problem(404, RequestCode.NO_FIELD_PICTURE, kind="no-field-picture", cell=cell_id)
    return Response(picture, content_type="image/jpeg")
