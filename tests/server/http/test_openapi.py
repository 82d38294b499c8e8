"""The OpenAPI document is true: Schemathesis asks what it allows and what it does not, and believes no answer."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable

from edge.slides.store import SlideStore
from server.context import ServerContext
from server.live_camera import LiveCamera
from tests.support.http.running_server import app_of, make_context
from tests.support.slides.small_slide import begin, cells_of, field_at, open_store, with_crops

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
GenerationMode = schemathesis.GenerationMode
conformance = pytest.importorskip("schemathesis.specs.openapi.checks")

# What the issue of a true document is; that random bytes are no picture is no fault of either.
CHECKS = [
    schemathesis.checks.not_a_server_error,
    conformance.status_code_conformance,
    conformance.content_type_conformance,
    conformance.response_headers_conformance,
    conformance.response_schema_conformance,
]
EXAMPLES = int(os.environ.get("PLASMOLITE_API_EXAMPLES", "12"))
"""Requests an operation; the documented run has 100."""


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerContext]:
    folder = tmp_path_factory.mktemp("api")
    with open_store(folder) as store, make_context(folder, store=store) as context:
        fill(store)
        # A camera that is never opened: what is asked of it is the API, not the counting.
        object.__setattr__(context, "live", LiveCamera(context.setup, store, "simulator"))
        yield context
        context.stopping.set()


def fill(store: SlideStore) -> None:
    for number in range(3):
        slide = begin(store, f"S-{number}")
        store.add_field(slide, field_at(), *with_crops(cells_of(0.99, 0.8, 0.4, 0.1)))


@pytest.fixture(scope="module")
def app(context: ServerContext) -> Flask:
    # Stopping, so that no generated request begins a count that outlives the test.
    context.stopping.set()
    return app_of(context)


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_answer_is_documented_and_no_request_breaks_the_server(app: Flask, mode: Any) -> None:
    """Requests that the document allows, and requests that it does not."""
    asked = 0
    for operation in schemathesis.openapi.from_wsgi("/openapi.json", app).get_all_operations():
        # The stream ends only with the count, and this bench has none: it is asked like the rest.
        asked += ask(operation.ok(), mode)
    assert asked > EXAMPLES


def ask(operation: Any, mode: Any) -> int:
    """Ask one operation; gives how many requests were sent."""
    asked = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: Any) -> None:
        nonlocal asked
        asked += 1
        # The client in the same process does not unpack what the server packs for it.
        response = case.call(headers={"Accept-Encoding": "identity"})
        # A stopping server says 503 where one that runs would begin a count: documented, and no defect.
        checks = [
            check for check in CHECKS if response.status_code != 503 or "server_error" not in check.__name__
        ]
        case.validate_response(response, checks=checks)

    try:
        one()
    except Unsatisfiable:
        # An operation without parameters has nothing that could be wrong.
        return asked
    return asked


def test_the_document_names_every_route_of_the_api(app: Flask) -> None:
    documented = set(app.test_client().get("/openapi.json").get_json()["paths"])
    expected = {
        "/predict",
        "/analyze",
        "/explain",
        "/slides",
        "/live",
        "/live.mjpg",
        "/health",
        "/ready",
        "/metrics",
    }
    assert expected <= documented


def test_the_document_has_a_page_to_read(app: Flask) -> None:
    page = app.test_client().get("/docs").get_data(as_text=True)
    for path in app.test_client().get("/openapi.json").get_json()["paths"]:
        assert path in page


def test_errors_are_documented_as_problem_details(app: Flask) -> None:
    paths = app.test_client().get("/openapi.json").get_json()["paths"]
    for path, methods in paths.items():
        for method, operation in methods.items():
            if method == "parameters":
                continue
            for status, answer in operation["responses"].items():
                if int(status) >= 400 and (path, status) != ("/ready", "503"):
                    assert list(answer["content"]) == ["application/problem+json"], (path, method, status)
