"""``POST /analyze``: microscope fields in, their cells and the parasitaemia out."""

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cv2
from flask_smorest import Blueprint

from edge.about import RESEARCH_USE
from edge.drawing.contact_sheet import OutlinedCell, draw_field
from edge.errors import ImageError
from edge.fields.analyser import FieldResult, JudgedCell
from edge.fields.files import JudgedField, SlideCount
from edge.images.files import read_image
from edge.messages.codes import Code
from edge.parasitaemia.estimate import estimate, red_cells
from edge.reports.summary import summary
from edge.types import Label, Rgb
from server.admission import GateFullError
from server.context import Instruments, instruments
from server.openapi import picture_body, problems
from server.problems import Problem
from server.schemas.cells import AnalyzeAnswerSchema, AnalyzeQuerySchema
from server.uploads import Upload, check_scans, no_photograph, received_pictures

analyze = Blueprint("analyze", __name__, description="Whole fields")

_JPEG_QUALITY = 88


@analyze.route("/analyze", methods=["POST"])
@analyze.arguments(AnalyzeQuerySchema, location="query")
@analyze.doc(requestBody=picture_body(several=True), summary="Count the parasitised red cells of fields")
@analyze.response(200, AnalyzeAnswerSchema)
@problems(analyze, 415, 422)
def analyse_fields(query: dict[str, Any]) -> dict[str, Any]:
    """Count the parasitised red cells of the fields of one slide.

    The objects in ``fields`` and ``summary`` are those that ``plasmolite analyze --json`` prints. With one
    picture that cannot be read the answer is a problem; of several, such a one is a refused field.
    """
    began = time.perf_counter()
    kit = instruments()
    blood = red_cells(query.get("rbc_per_ul"), query.get("haematocrit"))
    setup = kit.setup._replace(red_cells=blood) if query.keys() & {"rbc_per_ul", "haematocrit"} else kit.setup
    uploads = received_pictures(kit.settings.max_pictures)
    count, answers = SlideCount(), []
    for upload in uploads:
        # One turn a field, not a request: a request of many fields lets the others in between.
        with through_gate(kit, what="fields"):
            field = _judge(kit, upload, query.get("cell_width"))
            if field.error is not None and len(uploads) == 1:
                raise ImageError(field.error)
            count = count.plus(field)
            answer = field.to_json()
            if query["annotated"] and field.rgb is not None and field.result is not None:
                answer["annotated_jpeg_base64"] = _annotated(field.rgb, field.result)
            if query["outlines"] and field.result is not None:
                for cell, judged in zip(answer["cells"], field.result.cells, strict=True):
                    cell["outline"] = outline_of(judged)
        answers.append(answer)
        _count(kit, field)
    parasitaemia = estimate(count.parasitized, count.counted, setup.rates, setup.red_cells)
    return {
        "research_use": RESEARCH_USE,
        "model": kit.model,
        "threshold": setup.threshold,
        "threshold_source": setup.threshold_source,
        "time_ms": round((time.perf_counter() - began) * 1000, 3),
        "fields": answers,
        "summary": summary(setup, count, parasitaemia),
    }


@contextmanager
def through_gate(kit: Instruments, *, what: str) -> Iterator[None]:
    """Wait for a turn at work that takes the whole processor.

    Raises:
        Problem: too many wait already, or the server is stopping.
    """
    try:
        with kit.fields_gate.passing():
            yield
    except GateFullError as error:
        kit.metrics.refused.labels(what).inc()
        raise Problem(
            503,
            Code.REQUEST_BUSY_FIELDS,
            kind="busy",
            retry_after=5,
        ) from error


def _judge(kit: Instruments, upload: Upload, cell_width: float | None) -> JudgedField:
    try:
        check_scans(upload)
        rgb = read_image(upload.data, max_pixels=kit.settings.max_field_pixels)
        return JudgedField(upload.name, rgb, kit.analyser.analyse(rgb, upload.name, cell_width), None)
    except ImageError as error:
        return JudgedField(upload.name, None, None, error.message)
    except cv2.error as error:
        return JudgedField(upload.name, None, None, no_photograph(error).message)


def outline_of(cell: JudgedCell) -> list[int]:
    """Trace a cell: x, y, x, y, … in pixels of the field, within about a percent of the mask's width."""
    x, y, width, height = cell.box
    padded = cv2.copyMakeBorder(cell.mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    contours, _ = cv2.findContours(padded, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return [x, y, x + width, y, x + width, y + height, x, y + height]
    traced = cv2.approxPolyDP(max(contours, key=len), 0.012 * max(width, height), True).reshape(-1, 2)
    return [int(value) for point in traced for value in (point[0] + x - 1, point[1] + y - 1)]


def _annotated(rgb: Rgb, result: FieldResult) -> str:
    cells = [
        OutlinedCell(cell.box, cell.label, cell.probability, cell.counted, cell.mask) for cell in result.cells
    ]
    drawn = cv2.cvtColor(draw_field(rgb, cells), cv2.COLOR_RGB2BGR)
    encoded = cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
    return base64.b64encode(encoded.tobytes()).decode("ascii")


def _count(kit: Instruments, field: JudgedField) -> None:
    kit.metrics.fields.labels(field.outcome).inc()
    if field.accepted and field.result is not None:
        parasitized = field.result.parasitized_count
        kit.metrics.cells.labels("analyze", Label.PARASITIZED).inc(parasitized)
        kit.metrics.cells.labels("analyze", Label.UNINFECTED).inc(field.result.cell_count - parasitized)
