"""``POST /analyze``: microscope fields in, their cells and the parasitaemia out."""

import base64
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import cv2
from flask_smorest import Blueprint

from edge.about import RESEARCH_USE
from edge.calibration.setup import SlideSetup
from edge.drawing.field_overlay import draw_field
from edge.errors import ImageError
from edge.fields.analyser import FieldAnalyser, FieldResult
from edge.fields.files import Copies, JudgedField, SlideCount, analyse_file
from edge.images.encode import encode_jpeg
from edge.images.inputs import CellFile, split_pages
from edge.inference.verdicts import LABELS
from edge.memory import give_back
from edge.messages.request_codes import RequestCode
from edge.parasitaemia.estimate import estimate
from edge.parasitaemia.red_cells import red_cells
from edge.reports.summary import summary
from edge.segmentation.outlines import FoundCell
from edge.types import Rgb
from server.admission import AdmissionFullError
from server.context import ServerContext, server_context
from server.http.openapi import picture_body, problems
from server.http.uploads import Upload, check_scans, no_photograph, received_pictures, too_many_pictures
from server.problems import Problem
from server.schemas.cells import AnalyzeAnswerSchema, AnalyzeQuerySchema
from server.schemas.counts import EstimateAnswerSchema, EstimateSchema

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
    context = server_context()
    setup = setup_for(context, query)
    uploads = received_pictures(context.settings.max_pictures)
    count, answers, copies = SlideCount(), [], Copies()
    files = _pictures(uploads, context.settings.max_pictures)
    for file in files:
        # One turn a field, not a request: a request of many fields lets the others in between.
        with admitted(context, what="fields"):
            field = copies.marked(judge_picture(context, file, query.get("cell_width")))
            if field.error is not None and len(files) == 1:
                raise ImageError(field.error)
            count = count.plus(field)
            answer = field.to_json()
            if query["annotated"] and field.rgb is not None and field.result is not None:
                answer["annotated_jpeg_base64"] = _annotated(field.rgb, field.result)
            if query["outlines"] and field.result is not None:
                for cell, classified in zip(answer["cells"], field.result.cells, strict=True):
                    cell["outline"] = outline_of(classified.cell)
        answers.append(answer)
        note_field(context, field)
        del field  # before the next is decoded: a field of 16 megapixels takes 100 MB and more
    parasitaemia = estimate(
        count.parasitized, count.counted, setup.rates, setup.red_cells, effect=count.effect
    )
    return {
        "research_use": RESEARCH_USE,
        "model": context.model,
        "threshold": setup.threshold,
        "threshold_source": setup.threshold_source,
        "time_ms": round((time.perf_counter() - began) * 1000, 3),
        "fields": answers,
        "summary": summary(setup, count, parasitaemia),
    }


@analyze.route("/estimate", methods=["POST"])
@analyze.arguments(EstimateSchema)
@analyze.response(200, EstimateAnswerSchema)
@problems(analyze, 415, 422)
def estimate_fields(counts: dict[str, Any]) -> dict[str, Any]:
    """Estimate the parasitaemia of a slide whose fields were analysed one by one.

    The answer is the ``summary`` that ``POST /analyze`` gives for the same fields in one request.
    """
    context = server_context()
    by_field = tuple((one["parasitized_count"], one["cell_count"]) for one in counts["fields"])
    count = SlideCount(
        accepted=len(by_field),
        refused=counts["fields_refused"],
        unreadable=counts["files_unreadable"],
        counted=sum(cells for _, cells in by_field),
        parasitized=sum(parasitized for parasitized, _ in by_field),
        by_field=by_field,
    )
    setup = setup_for(context, counts)
    parasitaemia = estimate(
        count.parasitized, count.counted, setup.rates, setup.red_cells, effect=count.effect
    )
    return summary(setup, count, parasitaemia)


def setup_for(context: ServerContext, blood: Mapping[str, Any]) -> SlideSetup:
    """The server's setup with the blood that a request states, in ``rbc_per_ul`` or ``haematocrit``.

    Raises:
        PrevalenceError: both are stated.
    """
    if not blood.keys() & {"rbc_per_ul", "haematocrit"}:
        return context.setup
    return context.setup._replace(red_cells=red_cells(blood.get("rbc_per_ul"), blood.get("haematocrit")))


@contextmanager
def admitted(context: ServerContext, *, what: str) -> Iterator[None]:
    """Wait for a turn at work that takes the whole processor.

    Raises:
        Problem: too many wait already, or the server is stopping.
    """
    try:
        with context.fields_admission.admit():
            yield
            give_back()
        context.quiet.stirred(partial(_rest, context.analyser))
    except AdmissionFullError as error:
        context.metrics.refused.labels(what).inc()
        raise Problem(
            503,
            RequestCode.BUSY_FIELDS,
            kind="busy",
            retry_after=5,
        ) from error


def _rest(analyser: FieldAnalyser) -> None:
    analyser.give_up_buffers()
    give_back()


def _pictures(uploads: list[Upload], most: int) -> list[CellFile]:
    """Every page of the files that came is a field.

    Raises:
        Problem: they have more pages than a request may have pictures.
    """
    files = list(split_pages(CellFile(upload.name, upload.data) for upload in uploads))
    if len(files) > most:
        raise too_many_pictures(len(files), most)
    return files


def judge_upload(context: ServerContext, upload: Upload, cell_width: float | None) -> JudgedField:
    """Judge one picture of a field; to be called inside the admission queue."""
    return judge_picture(context, CellFile(upload.name, upload.data), cell_width)


def judge_picture(context: ServerContext, file: CellFile, cell_width: float | None) -> JudgedField:
    """Judge one picture, or one page of a file, of a field; to be called inside the admission queue."""
    try:
        if isinstance(file.source, bytes):
            check_scans(file.source)
        most = context.settings.max_field_pixels
        return analyse_file(context.analyser, file, max_pixels=most, cell_width=cell_width)
    except ImageError as error:
        return JudgedField(file.name, None, None, error.message)
    except cv2.error as error:
        return JudgedField(file.name, None, None, no_photograph(error).message)


def outline_of(cell: FoundCell) -> list[int]:
    """Trace a cell: x, y, x, y, … in pixels of the field, within about a percent of the mask's width."""
    traced = cv2.approxPolyDP(cell.contour(), 0.012 * max(cell.box[2:]), True)
    return [int(value) for value in traced.ravel()]


def _annotated(rgb: Rgb, result: FieldResult) -> str:
    return base64.b64encode(encode_jpeg(draw_field(rgb, result.cells), _JPEG_QUALITY)).decode("ascii")


def note_field(context: ServerContext, field: JudgedField) -> None:
    """Tell the metrics what came of a field."""
    context.metrics.fields.labels(field.outcome).inc()
    for label in LABELS:
        cells = sum(cell.label == label for cell in field.counted_cells)
        context.metrics.cells.labels("analyze", label).inc(cells)
