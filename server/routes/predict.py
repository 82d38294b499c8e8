"""``POST /predict``: pictures of single cells in, verdicts out."""

import time
from typing import Any

import cv2
import numpy as np
from flask import Response, jsonify
from flask_smorest import Blueprint
from numpy.typing import NDArray

from edge.about import RESEARCH_USE
from edge.cells.files import cell_input
from edge.errors import ImageError
from edge.inference.verdicts import Verdict, doubtful, judge
from edge.messages.codes import Code
from edge.messages.request_codes import RequestCode
from server.batching import BatcherClosedError, QueueFullError
from server.context import ServerContext, server_context
from server.http.openapi import picture_body, problems
from server.http.uploads import Upload, check_scans, no_photograph, received_pictures
from server.problems import Problem
from server.schemas.cells import PredictAnswerSchema, PredictQuerySchema

predict = Blueprint("predict", __name__, description="Single cells")


@predict.route("/predict", methods=["POST"])
@predict.arguments(PredictQuerySchema, location="query")
@predict.doc(requestBody=picture_body(several=True), summary="Judge pictures of single red cells")
@predict.response(200, PredictAnswerSchema)
@problems(predict, 415, 422)
def judge_cells(query: dict[str, Any]) -> Response:
    """Judge pictures of single red cells.

    With one picture that cannot be judged the answer is a problem; of several, each that cannot be judged
    has its ``error``, and only where none could be is the answer a problem. What does not look like a red
    cell of a stained smear is not judged, unless ``accept_anything`` is true.
    """
    began = time.perf_counter()
    context = server_context()
    uploads = received_pictures(context.settings.max_pictures)
    try:
        with context.batcher.preparing():
            inputs, faults = _prepare(context, uploads, accept_anything=query["accept_anything"])
        if not inputs:
            raise faults[0] or ImageError(Code.PICTURE_NONE)
        probabilities = context.batcher.probabilities(np.stack(inputs))
    except QueueFullError as error:
        context.metrics.refused.labels("cells").inc()
        raise Problem(503, RequestCode.BUSY_CELLS, kind="busy", retry_after=1) from error
    except BatcherClosedError as error:
        raise Problem(503, RequestCode.STOPPING, kind="stopping", retry_after=10) from error
    threshold = context.classifier.model.operating_point("cell").threshold
    results = _results(context, uploads, faults, [judge(float(value), threshold) for value in probabilities])
    answer = {
        "research_use": RESEARCH_USE,
        "model": context.model,
        "threshold": threshold,
        "time_ms": round((time.perf_counter() - began) * 1000, 3),
        "results": results,
    }
    if len(results) == 1:
        answer |= {"label": results[0]["label"], "probability": results[0]["probability"]}
    # As it is, not through its schema, which would copy it: that takes as long as a cell's isolation.
    return jsonify(answer)


def _prepare(
    context: ServerContext, uploads: list[Upload], *, accept_anything: bool
) -> tuple[list[NDArray[np.uint8]], list[ImageError | None]]:
    inputs: list[NDArray[np.uint8]] = []
    faults: list[ImageError | None] = []
    for upload in uploads:
        try:
            check_scans(upload.data)
            inputs.append(
                cell_input(
                    upload.data,
                    context.classifier.input_size,
                    max_pixels=context.settings.max_cell_pixels,
                    accept_anything=accept_anything,
                )
            )
            faults.append(None)
        except ImageError as error:
            # Without the frames that it came through: they hold the picture, and a request may have 64 of 12 MB.
            faults.append(error.with_traceback(None))
        except cv2.error as error:
            faults.append(no_photograph(error))
    return inputs, faults


def _results(
    context: ServerContext, uploads: list[Upload], faults: list[ImageError | None], verdicts: list[Verdict]
) -> list[dict[str, Any]]:
    threshold = context.classifier.model.operating_point("cell").threshold
    remaining = iter(verdicts)
    results: list[dict[str, Any]] = []
    for upload, fault in zip(uploads, faults, strict=True):
        entry: dict[str, Any] = {"image": upload.name, "label": None, "probability": None, "doubtful": None}
        if fault is None:
            verdict = next(remaining)
            context.metrics.cells.labels("predict", verdict.label).inc()
            entry |= {**verdict._asdict(), "doubtful": doubtful(verdict.probability, threshold)}
        coded = {"error": None} if fault is None else {"error": str(fault), **fault.message.to_json()}
        results.append({**entry, **coded})
    return results
