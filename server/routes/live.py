"""``/live``: the count at the camera, its annotated stream, start and stop."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from flask import Response
from flask_smorest import Blueprint

from edge.about import RESEARCH_USE
from edge.live.session import LiveSession
from edge.live.setup import SlideRequest
from edge.live.states import Mode
from edge.messages.request_codes import RequestCode
from server.admission import AdmissionFullError
from server.context import ServerContext, server_context
from server.http.openapi import problems
from server.live_camera import LiveCamera
from server.problems import Problem
from server.schemas.live import LiveSchema, LiveStartSchema, LookSchema

live = Blueprint("live", __name__, description="The camera at the bench")

_BOUNDARY = "plasmolite-frame"
_WAIT_SECONDS = 0.5
_LONGEST_SILENCE = 20
"""Waits without a new picture after which the last one is sent again, so that proxies keep the line."""


@live.route("/live", methods=["GET"])
@live.response(200, LiveSchema)
@problems(live)
def show_live() -> dict[str, Any]:
    """Tell the state of the live count."""
    return _state(_camera())


@live.route("/live", methods=["POST"])
@live.arguments(LiveStartSchema)
@live.response(201, LiveSchema)
@problems(live, 409, 415, 422, 507)
def start_live(wish: dict[str, Any]) -> dict[str, Any]:
    """Begin a count over the server's own source: of a slide, new or resumed, or of the cell in the middle."""
    camera = _camera()
    if server_context().stopping.is_set():
        raise Problem(503, RequestCode.STOPPING, kind="stopping", retry_after=10)
    if wish["mode"] == Mode.CELL:
        camera.start(None)
    else:
        if not wish["slide_id"].strip():
            raise Problem(422, RequestCode.NO_SLIDE_ID, kind="invalid-field", field="slide_id")
        camera.start(
            SlideRequest(
                slide_id=wish["slide_id"],
                resume=wish["resume"],
                notes=wish["notes"],
                operator=wish["operator"],
                cells_wanted=wish["cells_wanted"],
            )
        )
    return _state(camera)


@live.route("/live", methods=["DELETE"])
@live.response(200, LiveSchema)
@problems(live)
def stop_live() -> dict[str, Any]:
    """End the count; what was counted is stored."""
    camera = _camera()
    camera.stop()
    return _state(camera)


@live.route("/live.jpg", methods=["GET"])
@live.arguments(LookSchema, location="query")
@live.response(
    200, {"type": "string", "format": "binary"}, content_type="image/jpeg", description="The last frame"
)
@problems(live, 422)
def show_frame(_query: dict[str, Any]) -> Response:
    """Give the last frame with its cells outlined."""
    session = _session()
    frame = session.latest_frame()
    if frame is None:
        raise Problem(404, RequestCode.NO_FRAME, kind="no-frame")
    return Response(frame, content_type="image/jpeg")


@live.route("/live.mjpg", methods=["GET"])
@live.arguments(LookSchema, location="query")
@live.response(
    200,
    {"type": "string", "format": "binary"},
    content_type="multipart/x-mixed-replace",
    description="The annotated stream, until the count ends",
)
@problems(live, 422)
def stream_frames(_query: dict[str, Any]) -> Response:
    """Stream the frames with their cells outlined; a viewer that is slow gets fewer of them."""
    context = server_context()
    session = _session()
    place = ExitStack()
    try:
        place.enter_context(context.viewers_admission.admit())
    except AdmissionFullError as error:
        context.metrics.refused.labels("viewers").inc()
        raise Problem(503, RequestCode.BUSY_VIEWERS, kind="busy", retry_after=10) from error
    context.metrics.viewers.inc()
    place.callback(context.metrics.viewers.dec)
    response = Response(
        _frames(context, session), content_type=f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
    )
    # Not in the generator: one that was never begun is closed without running.
    response.call_on_close(place.close)
    return response


def _frames(context: ServerContext, session: LiveSession) -> Iterator[bytes]:
    """Yield parts; each holds what is newest when the viewer has taken the one before."""
    number, silence = -1, 0
    while not context.stopping.is_set():
        snapshot = session.wait(number, _WAIT_SECONDS)
        silence = 0 if snapshot.number > number else silence + 1
        frame = session.latest_frame()
        if frame is not None and (snapshot.number > number or silence >= _LONGEST_SILENCE):
            number, silence = snapshot.number, 0
            head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(frame)}\r\n\r\n"
            yield head.encode() + frame + b"\r\n"
        if snapshot.over:
            return


def _camera() -> LiveCamera:
    camera = server_context().live
    if camera is None:
        raise Problem(404, RequestCode.NO_CAMERA, kind="no-camera")
    return camera


def _session() -> LiveSession:
    session = _camera().session()
    if session is None:
        raise Problem(404, RequestCode.NOT_COUNTING, kind="not-counting")
    return session


def _state(camera: LiveCamera) -> dict[str, Any]:
    snapshot = camera.snapshot()
    return {
        "research_use": RESEARCH_USE,
        "counting": snapshot is not None,
        "over": snapshot is not None and snapshot.over,
        "count": None if snapshot is None else snapshot.to_json(),
    }
