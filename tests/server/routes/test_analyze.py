"""``POST /analyze`` as a client meets it."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from edge.fields.analyser import FieldAnalyser
from edge.images.encode import encode_png
from edge.images.files import read_image
from tests.support.http.running_server import app_of, classifier, field_png, make_context


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    with make_context(tmp_path_factory.mktemp("serve")) as context:
        yield app_of(context).test_client()


def post(client: FlaskClient, *pictures: bytes, query: str = "") -> Any:
    files = [(io.BytesIO(data), f"{number}.png") for number, data in enumerate(pictures)]
    return client.post(f"/analyze{query}", data={"file": files})


@pytest.mark.slow
def test_a_field_is_the_object_that_the_command_line_prints(client: FlaskClient) -> None:
    answer = post(client, field_png()).json
    expected = FieldAnalyser(classifier()).analyse(read_image(field_png()), "0.png").to_json()
    assert answer["fields"] == [expected]


@pytest.mark.slow
def test_the_summary_adds_the_fields_up(client: FlaskClient) -> None:
    answer = post(client, field_png(3), field_png(4)).json
    assert answer["summary"]["cell_count"] == sum(field["cell_count"] for field in answer["fields"])
    assert answer["summary"]["fields_counted"] == 2
    assert answer["summary"]["words"]


def test_outlines_lie_in_their_cells_boxes(client: FlaskClient) -> None:
    cells = post(client, field_png(), query="?outlines=true").json["fields"][0]["cells"]
    assert cells
    for cell in cells:
        x, y, width, height = cell["box"]
        across, down = cell["outline"][::2], cell["outline"][1::2]
        assert x <= min(across) <= max(across) <= x + width
        assert y <= min(down) <= max(down) <= y + height


def test_the_annotated_picture_comes_on_request(client: FlaskClient) -> None:
    plain = post(client, field_png()).json["fields"][0]
    drawn = post(client, field_png(), query="?annotated=true").json["fields"][0]
    picture = read_image(base64.b64decode(drawn["annotated_jpeg_base64"]))
    assert "annotated_jpeg_base64" not in plain
    assert picture.shape[1] == drawn["width"]
    assert picture.shape[0] > drawn["height"]


def test_what_is_no_thin_smear_is_refused_and_not_counted(client: FlaskClient) -> None:
    answer = post(client, encode_png(np.full((300, 400, 3), 7, np.uint8))).json
    assert answer["fields"][0]["refused"]
    assert answer["summary"]["cell_count"] == 0
    assert answer["summary"]["fields_refused"] == 1


def test_an_unreadable_field_among_others_does_not_stop_them(client: FlaskClient) -> None:
    answer = post(client, b"nonsense", field_png())
    assert answer.status_code == 200
    assert answer.json["summary"]["files_unreadable"] == 1
    assert answer.json["summary"]["fields_counted"] == 1


def test_a_single_unreadable_field_is_a_problem(client: FlaskClient) -> None:
    assert post(client, b"nonsense").status_code == 422


def test_the_haematocrit_sets_the_red_cells(client: FlaskClient) -> None:
    answer = post(client, field_png(), query="?haematocrit=40").json
    assert answer["summary"]["rbc_per_ul"] == 40 * 125_600


@pytest.mark.parametrize("query", ["?haematocrit=1", "?cell_width=wide", "?rbc_per_ul=-3"])
def test_a_parameter_out_of_range_is_named(client: FlaskClient, query: str) -> None:
    answer = post(client, field_png(), query=query)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == query[1:].split("=", maxsplit=1)[0]


def test_two_ways_of_telling_the_blood_are_one_too_many(client: FlaskClient) -> None:
    answer = post(client, field_png(), query="?haematocrit=40&rbc_per_ul=5000000")
    assert answer.status_code == 422
    assert "not both" in answer.json["detail"]


def test_a_long_line_before_the_analyser_is_told_with_the_time_to_come_again(tmp_path: Path) -> None:
    with (
        make_context(tmp_path, fields_at_once=1, fields_waiting=0) as context,
        context.fields_admission.admit(),
    ):
        answer = post(app_of(context).test_client(), field_png())
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.slow
def test_one_field_twice_in_a_form_is_counted_once(client: FlaskClient) -> None:
    once = post(client, field_png()).json["summary"]
    twice = post(client, field_png(), field_png()).json
    assert twice["summary"]["copies"] == 1
    assert twice["summary"]["cell_count"] == once["cell_count"]
    assert twice["fields"][1]["code"] == "field.copy"


def test_every_page_of_a_file_is_a_field(client: FlaskClient) -> None:
    first, second = (Image.fromarray(read_image(field_png(seed))) for seed in (3, 4))
    out = io.BytesIO()
    first.save(out, "TIFF", save_all=True, append_images=[second])
    answer = client.post("/analyze", data={"file": (io.BytesIO(out.getvalue()), "slide.tif")}).json
    assert [field["image"] for field in answer["fields"]] == ["slide.tif [1]", "slide.tif [2]"]
