"""Fields that are analysed one by one: their common estimate, and keeping them as a slide."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from edge.slides.claim import counting
from edge.slides.store import SlideStore
from tests.support.http.running_server import app_of, field_png, make_context, store_in


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FlaskClient, SlideStore]]:
    folder = tmp_path_factory.mktemp("slides")
    with store_in(folder) as store, make_context(folder, store=store) as context:
        yield app_of(context).test_client(), store


def send(client: FlaskClient, path: str, picture: bytes, name: str = "field.png") -> Any:
    return client.post(path, data={"file": (io.BytesIO(picture), name)})


@pytest.mark.slow
def test_counts_of_single_fields_give_the_estimate_of_all_in_one_request(
    bench: tuple[FlaskClient, SlideStore],
) -> None:
    client, _ = bench
    pictures = [field_png(3), field_png(4)]
    files = [(io.BytesIO(picture), "field.png") for picture in pictures]
    together = client.post("/analyze?haematocrit=38", data={"file": files}).json["summary"]
    fields = [send(client, "/analyze", picture).json["fields"][0] for picture in pictures]
    counts = [{name: field[name] for name in ("cell_count", "parasitized_count")} for field in fields]
    alone = client.post("/estimate", json={"fields": counts, "haematocrit": 38}).json
    assert together.pop("copies") == 0  # of files, which a count has not
    assert alone == together


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (
            {
                "fields": [
                    {"cell_count": 5, "parasitized_count": 6},
                    {"cell_count": 9, "parasitized_count": 0},
                ]
            },
            "fields",
        ),
        ({"fields": [], "hematocrit": 38}, "hematocrit"),
        ({"fields": [{"cell_count": -1, "parasitized_count": 0}]}, "fields"),
        ({"fields": [], "haematocrit": 38, "rbc_per_ul": 4_000_000}, None),
    ],
)
def test_impossible_counts_are_refused(
    bench: tuple[FlaskClient, SlideStore], body: dict[str, Any], field: str | None
) -> None:
    answer = bench[0].post("/estimate", json=body)
    assert answer.status_code == 422
    assert field is None or answer.json["errors"][0]["field"] == field


@pytest.mark.slow
def test_pictures_are_kept_as_a_slide_each_file_once(bench: tuple[FlaskClient, SlideStore]) -> None:
    client, store = bench
    slide = client.post("/slides", json={"slide_id": "K-1", "operator": "Amina", "haematocrit": 30}).json
    path = f"/slides/{slide['number']}/fields"
    first = send(client, path, field_png(3)).json
    again = send(client, path, field_png(3), "renamed.png").json
    second = send(client, path, field_png(4)).json
    assert [one["stored"] for one in (first, again, second)] == [True, True, True]
    assert [one["already"] for one in (first, again, second)] == [False, True, False]
    stored = client.get(f"/slides/{slide['number']}").json
    assert stored["counts"]["fields"] == 2
    assert stored["counts"]["cells"] == sum(one["field"]["cell_count"] for one in (first, second))
    assert stored["estimate"]["rbc_per_ul"] == 30 * 125_600
    cells = store.cells(store.slide("K-1"))
    assert store.crop(cells[0]).startswith(b"\xff\xd8")


def test_what_is_no_field_is_not_kept(bench: tuple[FlaskClient, SlideStore]) -> None:
    client, store = bench
    slide = client.post("/slides", json={"slide_id": "K-2"}).json
    path = f"/slides/{slide['number']}/fields"
    assert send(client, path, field_png()[:300]).status_code == 422
    assert send(client, "/slides/9999/fields", field_png()).status_code == 404
    with counting(store.path, slide["number"], "K-2"):
        assert send(client, path, field_png()).status_code == 409
    assert store.fields(store.slide("K-2")) == []
    assert client.post("/slides", json={"slide_id": "K-2"}).status_code == 409
