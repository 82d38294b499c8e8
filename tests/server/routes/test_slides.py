"""``/slides`` as a client meets it, over the store of the command line."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from edge.about import RESEARCH_USE
from edge.slides.claim import counting
from edge.slides.store import SlideStore
from tests.support.http.running_server import app_of, make_context
from tests.support.slides.small_slide import begin, cells_of, field_at, open_store, with_crops


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SlideStore]:
    with open_store(tmp_path) as store:
        slide = begin(store, "K-17/2", notes="<script>alert(1)</script>")
        store.add_field(slide, field_at(), *with_crops(cells_of(0.99, 0.8, 0.4, 0.1, 0.05)))
        yield store


@pytest.fixture
def client(store: SlideStore, tmp_path: Path) -> Iterator[FlaskClient]:
    with make_context(tmp_path, store=store) as context:
        yield app_of(context).test_client()


def review(client: FlaskClient, cell: int, call: str | None, reviewer: str = "Amina") -> int:
    body = {"call": call, "reviewer": reviewer}
    return client.post(f"/slides/1/cells/{cell}/review", json=body).status_code


def test_the_list_has_every_slide_with_its_counts(client: FlaskClient) -> None:
    slide = client.get("/slides").get_json()["slides"][0]
    assert slide["slide_id"] == "K-17/2"
    assert slide["counts"] == {
        "fields": 1,
        "cells": 5,
        "parasitized": 2,
        "reviewed": 0,
        "parasitized_after_review": 2,
        "unjudged": 0,
    }


def test_a_slide_has_its_estimate_and_none_after_review_before_there_is_one(client: FlaskClient) -> None:
    slide = client.get("/slides/1").get_json()
    assert slide["estimate"]["cell_count"] == 5
    assert slide["estimate_after_review"] is None


def test_the_queue_begins_with_what_matters_most(client: FlaskClient) -> None:
    queue = client.get("/slides/1/cells").get_json()
    assert [cell["probability"] for cell in queue["cells"]] == [0.99, 0.8, 0.4]


def test_a_page_of_the_cells_tells_how_many_there_are(client: FlaskClient) -> None:
    answer = client.get("/slides/1/cells?which=all&offset=1&limit=2").get_json()
    assert answer["total"] == 5
    assert len(answer["cells"]) == 2


def test_a_call_is_stored_beside_the_machines_verdict(client: FlaskClient, store: SlideStore) -> None:
    assert review(client, 1, "Uninfected") == 200
    cell = store.cell(store.slide("K-17/2"), 1)
    assert (cell.label, cell.call, cell.reviewer) == ("Parasitized", "Uninfected", "Amina")
    slide = client.get("/slides/1").get_json()
    assert slide["review"]["suspects_reviewed"] == 1
    assert slide["estimate_after_review"] is None  # not before enough suspects were seen


def test_a_reviewed_cell_leaves_the_queue_and_comes_back_when_withdrawn(client: FlaskClient) -> None:
    review(client, 1, "Uninfected")
    assert client.get("/slides/1/cells").get_json()["total"] == 2
    assert review(client, 1, None) == 200
    assert client.get("/slides/1/cells").get_json()["total"] == 3


def test_the_audit_trail_names_who_did_what(client: FlaskClient) -> None:
    review(client, 2, "Parasitized", reviewer="Bakary")
    last = client.get("/slides/1/audit").get_json()["entries"][-1]
    assert (last["who"], last["action"], last["detail"]["cell"]) == ("Bakary", "cell reviewed", 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"call": "Maybe", "reviewer": "Amina"}, "call"),
        ({"call": "Uninfected", "reviewer": ""}, "reviewer"),
        ({"call": "Uninfected", "reviewer": "A\u0000"}, "reviewer"),
        ({"call": "Uninfected", "reviewer": "\ud800"}, "reviewer"),
        ({"call": "Uninfected", "reviewer": "Amina", "label": "x"}, "label"),
    ],
)
def test_a_call_that_is_none_names_the_field(client: FlaskClient, body: dict[str, str], field: str) -> None:
    answer = client.post("/slides/1/cells/1/review", data=json.dumps(body), content_type="application/json")
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] == field


def test_withdrawing_a_call_that_was_never_made_is_a_conflict(client: FlaskClient) -> None:
    assert review(client, 1, None) == 409


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        "/slides/2",
        "/slides/2147483647",
        "/slides/0",
        "/slides/99999999999999999999",
        "/slides/1/cells/999/crop",
    ],
)
def test_what_is_not_there_is_404(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("json", "application/json"),
        ("fhir", "application/fhir+json"),
        ("fhir-transaction", "application/fhir+json"),
        ("cells.csv", "text/csv; charset=utf-8"),
        ("fields.csv", "text/csv; charset=utf-8"),
        ("audit.csv", "text/csv; charset=utf-8"),
    ],
)
def test_every_export_comes_as_a_file(client: FlaskClient, form: str, kind: str) -> None:
    answer = client.get(f"/slides/1/export?form={form}")
    assert answer.status_code == 200
    assert answer.content_type == kind
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="slide-1-')
    assert len(answer.data) > 50


def test_the_report_is_one_page_bound_by_a_sandbox(client: FlaskClient) -> None:
    answer = client.get("/slides/1/report")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert RESEARCH_USE.split(".")[0] in page
    assert "<script>alert(1)" not in page


def test_a_slide_that_another_program_counts_is_not_deleted(client: FlaskClient, store: SlideStore) -> None:
    with counting(store.path, 1, "K-17/2"):
        answer = client.delete("/slides/1?who=Amina")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "slide.counted-elsewhere")
    assert store.counts(store.slide("K-17/2")).cells == 5


def test_deleting_needs_a_name_and_leaves_it_in_the_trail(client: FlaskClient, store: SlideStore) -> None:
    assert client.delete("/slides/1").status_code == 422
    assert client.delete("/slides/1?who=Amina").status_code == 204
    assert client.get("/slides/1").status_code == 404
    assert store.audit()[-1].who == "Amina"


def test_the_small_picture_is_what_was_stored(client: FlaskClient, store: SlideStore) -> None:
    answer = client.get("/slides/1/cells/1/crop")
    assert answer.content_type == "image/jpeg"
    assert answer.data == store.crop(store.cell(store.slide("K-17/2"), 1))


def test_without_a_store_the_way_to_have_one_is_told(tmp_path: Path) -> None:
    with make_context(tmp_path) as context:
        answer = app_of(context).test_client().get("/slides")
    assert answer.status_code == 404
    assert "--slides" in answer.get_json()["detail"]


def test_a_second_reading_is_blind_and_the_agreement_is_told(client: FlaskClient) -> None:
    review(client, 1, "Uninfected")
    review(client, 2, "Parasitized")
    query = "/slides/1/cells?reading=second&blind=true"
    listed = client.get(query).get_json()
    assert listed["total"] == 5  # three to see, and the two that the machine passed mixed in
    assert all(
        cell[told] is None
        for cell in listed["cells"]
        for told in ("label", "probability", "doubtful", "call")
    )
    assert client.get("/slides/1").get_json()["review"]["agreement"] is None
    for cell in (1, 2):
        body = {
            "call": "Parasitized",
            "reviewer": "Benedict",
            "reading": "second",
            "blind": True,
            "species": "P. vivax",
        }
        answer = client.post(f"/slides/1/cells/{cell}/review", json=body).get_json()
        assert (answer["call"], answer["label"]) == ("Parasitized", None)
    agreed = client.get("/slides/1").get_json()["review"]["agreement"]
    assert (agreed["cells"], agreed["both_parasitized"], agreed["second_only"]) == (2, 1, 1)
    assert agreed["disagreements"] == [
        {"cell": 1, "first": "Uninfected", "second": "Parasitized", "decision": None}
    ]
    body = {"call": "Parasitized", "reviewer": "Amina", "reading": "decision"}
    assert client.post("/slides/1/cells/1/review", json=body).status_code == 409
    assert client.get("/slides/1/cells?reading=decision").get_json()["total"] == 1
    assert client.post("/slides/1/cells/1/review", json={**body, "reviewer": "Chipo"}).status_code == 200
    assert client.get("/slides/1/cells?reading=decision").get_json()["total"] == 0
