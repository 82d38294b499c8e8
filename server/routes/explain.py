"""``POST /explain``: one cell in, a picture of where its evidence lies out."""

from flask import Response
from flask_smorest import Blueprint

from edge.cells.isolation import isolate
from edge.cells.red_cell_check import check_single_cell
from edge.errors import NotACellError
from edge.images.encode import encode_png, shrink
from edge.images.files import read_image
from edge.inference import occlusion as evidence
from edge.messages.codes import Code
from server.context import server_context
from server.http.openapi import picture_body, problems
from server.http.uploads import check_scans, one_picture
from server.routes.analyze import admitted

explain = Blueprint("explain", __name__, description="Single cells")

PEAK_HEADER = "Plasmolite-Evidence-Peak"
"""The evidence of the strongest place, 0 to 1: a share of :data:`edge.inference.occlusion.FULL_EVIDENCE`, in
log odds."""

_SIDE = 480
"""Longer side of the picture that is explained, px: the network sees 96, and an answer need not be larger."""


@explain.route("/explain", methods=["POST"])
@explain.doc(requestBody=picture_body(several=False), summary="Draw where in a cell the evidence lies")
@explain.response(
    200,
    {"type": "string", "format": "binary"},
    content_type="image/png",
    description="The evidence map",
    headers={
        PEAK_HEADER: {
            "description": "Evidence of the strongest place: a fall of the log odds by ten when covered is 1",
            "schema": {"type": "number", "minimum": 0, "maximum": 1},
        }
    },
)
@problems(explain, 415, 422)
def explain_cell() -> Response:
    """Draw where in a cell the evidence for a parasite lies: an occlusion map from the model itself."""
    context = server_context()
    upload = one_picture()
    check_scans(upload.data)
    rgb = read_image(upload.data, max_pixels=context.settings.max_cell_pixels)
    check_single_cell(rgb, isolate(rgb))
    rgb = shrink(rgb, _SIDE / max(rgb.shape[:2]))
    mask = isolate(rgb)
    if mask is None:
        raise NotACellError(Code.CELL_NONE)
    with admitted(context, what="explain"):
        explanation = evidence.explain(context.classifier, rgb, mask)
    return Response(
        encode_png(evidence.draw_evidence(rgb, explanation)),
        headers={PEAK_HEADER: f"{float(explanation.evidence.max()):.4f}"},
        content_type="image/png",
    )
