"""``/health``, ``/ready`` and ``/metrics``: what a supervisor asks."""

import shutil
from typing import Any

from flask import Response
from flask_smorest import Blueprint

from edge.about import VERSION
from server.context import ServerContext, server_context
from server.http.openapi import problems
from server.live_camera import LiveCamera
from server.schemas.cells import HealthSchema, ReadySchema

status = Blueprint("status", __name__, description="State of the server")


@status.route("/health", methods=["GET"])
@status.response(200, HealthSchema)
@problems(status)
def health() -> dict[str, str]:
    """Tell that the process answers."""
    return {"status": "ok", "version": VERSION}


@status.route("/ready", methods=["GET"])
@status.response(200, ReadySchema)
@status.doc(
    responses={
        "503": {
            "description": "Not ready; the checks say why",
            "content": {"application/json": {"schema": ReadySchema}},
        }
    }
)
@problems(status)
def ready() -> tuple[dict[str, Any], int]:
    """Tell whether work can be given to the server: model, disk, camera, and that it is not stopping."""
    context = server_context()
    checks = [_model(context), _disk(context), _running(context)]
    if context.live is not None:
        checks.append(_camera(context.live))
    well = all(check["ok"] for check in checks)
    return {"ready": well, "model": context.model, "checks": checks}, 200 if well else 503


@status.route("/metrics", methods=["GET"])
@status.response(200, content_type="text/plain", description="Prometheus's text format")
@problems(status)
def metrics() -> Response:
    """Tell Prometheus its figures."""
    context = server_context()
    context.metrics.waiting_cells.set(context.batcher.waiting)
    context.metrics.free_bytes.set(shutil.disk_usage(context.data_folder).free)
    return Response(context.metrics.exposition(), content_type=context.metrics.content_type)


def _model(context: ServerContext) -> dict[str, Any]:
    # An application cannot be made without a model whose hash was verified; what can fail later is inference.
    runtime = context.classifier.runtime
    words = f"{context.classifier.model.name}, verified, in {runtime.name} {runtime.version}."
    return {"name": "model", "ok": True, "detail": words}


def _disk(context: ServerContext) -> dict[str, Any]:
    free, least = shutil.disk_usage(context.data_folder).free, context.settings.least_free_bytes
    words = f"{free >> 20} MiB free, at least {least >> 20} MiB needed."
    return {"name": "disk", "ok": free >= least, "detail": words}


def _running(context: ServerContext) -> dict[str, Any]:
    stopping = context.stopping.is_set()
    return {"name": "running", "ok": not stopping, "detail": "Stopping." if stopping else "Taking requests."}


def _camera(camera: LiveCamera) -> dict[str, Any]:
    fault = camera.fault()
    return {"name": "camera", "ok": fault is None, "detail": fault or "No fault is known."}
