"""The OpenAPI document: generated from the views and their schemas, and shown as a page that needs no net."""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Blueprint, Response, current_app, json, render_template, request
from flask_smorest import Blueprint as ApiBlueprint

from edge.about import RESEARCH_USE, VERSION
from server.problems import PROBLEM_TYPE
from server.schemas.cells import ProblemSchema

View = TypeVar("View", bound=Callable[..., Any])

documents = Blueprint("documents", __name__)

METHODS = frozenset({"get", "post", "put", "patch", "delete"})
"""Keys of a path in the document that are operations."""
_PLACE = re.compile(r"<(?:[^:<>]+:)?(\w+)>")
_BINARY = {"type": "string", "format": "binary"}
_EVERYWHERE = (400, 401, 403, 404, 405, 413, 421, 429, 500, 503)
"""Statuses that any address may answer with: security, limits, a stopping server."""

API_CONFIG = {
    "API_TITLE": "Plasmolite",
    "API_VERSION": VERSION,
    "OPENAPI_VERSION": "3.1.0",
    "API_SPEC_OPTIONS": {
        "info": {"description": RESEARCH_USE, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "security": [{}, {"token": []}],
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Needed off loopback. The page uses a session cookie instead.",
                }
            }
        },
    },
}


def picture_body(*, several: bool) -> dict[str, Any]:
    """Describe a request that carries pictures, in a form or as its body."""
    file: dict[str, Any] = {"type": "array", "items": _BINARY, "minItems": 1} if several else _BINARY
    form = {"type": "object", "properties": {"file": file}, "required": ["file"]}
    kinds = ("image/png", "image/jpeg", "image/webp", "image/tiff", "image/bmp", "application/octet-stream")
    return {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": form},
            **{kind: {"schema": _BINARY} for kind in kinds},
        },
    }


def problems(blueprint: ApiBlueprint, *statuses: int) -> Callable[[View], View]:
    """Document the problems that a view may answer with, besides those of every view."""
    # One decorator for all of them: alt_response would wrap the view once a status, and run all of that on
    # every request.
    documented: Callable[[View], View] = blueprint.doc(
        responses={
            str(status): {
                "description": HTTPStatus(status).phrase,
                "content": {PROBLEM_TYPE: {"schema": ProblemSchema}},
            }
            for status in sorted({*_EVERYWHERE, *statuses})
        }
    )
    return documented


@documents.get("/openapi.json")
def openapi() -> Response:
    """The document itself."""
    servers = [{"url": request.script_root or "/"}]
    return Response(json.dumps({**document(), "servers": servers}, indent=1), content_type="application/json")


@documents.get("/docs")
def describe() -> str:
    """The document as a page to read."""
    spec = document()
    operations = [
        {"path": path, "method": method.upper(), **operation}
        for path, methods in spec["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]
    return render_template("docs.html", spec=spec, operations=operations)


def document() -> dict[str, Any]:
    """Generate the OpenAPI document of the present application."""
    spec: dict[str, Any] = current_app.extensions["flask-smorest"]["apis"][""]["ext_obj"].spec.to_dict()
    # flask-smorest's own format of errors, in place of which ours are problem documents.
    spec["components"].pop("responses", None)
    for foreign in ("Error", "PaginationMetadata"):
        spec["components"]["schemas"].pop(foreign, None)
    names = {
        (place_names(rule.rule), method.lower()): rule.endpoint.rsplit(".", 1)[-1]
        for rule in current_app.url_map.iter_rules()
        for method in rule.methods or ()
    }
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                operation["responses"].pop("default", None)
                # What a generated client calls the function.
                operation["operationId"] = names[path, method]
    return spec


def place_names(rule: str) -> str:
    """A rule of Flask's as OpenAPI writes paths: ``/slides/<int:number>`` as ``/slides/{number}``."""
    return _PLACE.sub(r"{\1}", rule)
