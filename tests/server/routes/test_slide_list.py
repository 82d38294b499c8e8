"""The list of slides as a person looks through it: words, order, pages, and each slide's state."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from edge.fields.quality import Check, CheckName, QualityReport
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.slides.review import judge
from edge.slides.store import SlideStore
from tests.support.http.running_server import app_of, make_context
from tests.support.slides.small_slide import begin, cells_of, field_at, open_store, with_crops


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlideStore]:
    with open_store(tmp_path_factory.mktemp("list")) as store:
        for name, probabilities in (("b-open", (0.99, 0.4)), ("A-clear", (0.1,)), ("c-empty", ())):
            slide = begin(store, name, notes="Follow-up" if name == "A-clear" else "")
            if probabilities:
                store.add_field(slide, field_at(), *with_crops(cells_of(*probabilities)))
        yield store


@pytest.fixture(scope="module")
def client(store: SlideStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    with make_context(tmp_path_factory.mktemp("served"), store=store) as context:
        yield app_of(context).test_client()


def ids(client: FlaskClient, query: str) -> list[str]:
    return [slide["slide_id"] for slide in client.get(f"/slides{query}").json["slides"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["c-empty", "A-clear", "b-open"]),
        ("?order=oldest", ["b-open", "A-clear", "c-empty"]),
        ("?order=id", ["A-clear", "b-open", "c-empty"]),
        ("?search=follow", ["A-clear"]),
        ("?search=OPEN", ["b-open"]),
        ("?order=id&offset=1&limit=1", ["b-open"]),
        ("?search=nothing", []),
    ],
)
def test_slides_are_found_sorted_and_paged(client: FlaskClient, query: str, found: list[str]) -> None:
    assert ids(client, query) == found


def test_a_page_tells_how_many_were_found(client: FlaskClient) -> None:
    assert client.get("/slides?limit=1").json["total"] == 3


def test_each_slide_tells_where_it_is_on_its_way(client: FlaskClient, store: SlideStore) -> None:
    states = {slide["slide_id"]: slide["state"] for slide in client.get("/slides").json["slides"]}
    assert states == {"b-open": "open", "A-clear": "clear", "c-empty": "empty"}
    slide = store.slide("b-open")
    suspect, doubtful = store.cells(slide)
    judge(store, slide, doubtful.cell_id, "Uninfected", reviewer="Amina")
    # A doubtful cell that was called stands for no suspect that was not.
    assert client.get("/slides/1").json["state"] == "open"
    judge(store, slide, suspect.cell_id, "Parasitized", reviewer="Amina")
    assert client.get("/slides/1").json["state"] == "reviewed"


def test_a_slide_shows_its_most_suspicious_cell(client: FlaskClient, store: SlideStore) -> None:
    shown = client.get("/slides/1/thumbnail")
    assert shown.content_type == "image/jpeg"
    assert shown.data == store.crop(store.cells(store.slide("b-open"))[0])
    assert client.get("/slides/3/thumbnail").status_code == 409


def test_cells_that_were_never_judged_wait_for_nobody(tmp_path: Path) -> None:
    smeared = Check(CheckName.MOTION, 1.4, (0.0, 1.0), False, Message(Code.FIELD_MOVED))
    with open_store(tmp_path) as store:
        slide = begin(store)
        store.add_field(slide, field_at(), *with_crops(cells_of(0.1)))
        unjudged = field_at(y=500.0)._replace(quality=QualityReport((smeared,)))
        store.add_field(slide, unjudged, *with_crops(cells_of(0.4, 0.99)))
        with make_context(tmp_path, store=store) as context:
            client = app_of(context).test_client()
            told, queue = client.get("/slides/1").json, client.get("/slides/1/cells").json
            assert (told["open"], queue["total"], told["state"]) == (0, 0, "clear")
            assert client.get("/slides/1/thumbnail").data == store.crop(store.cells(slide)[0])


@pytest.mark.parametrize("path", ["/slides?find=x", "/slides/1?language=fr", "/health?x=1", "/live.jpg?at=3"])
def test_a_misspelt_parameter_is_refused_by_name(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == path.split("?")[1].split("=", maxsplit=1)[0]
