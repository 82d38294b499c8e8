"""``POST /predict`` as a client meets it."""

import io
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from edge.about import RESEARCH_USE
from edge.cells.files import cell_input
from edge.images.encode import encode_png
from edge.inference.verdicts import LABELS
from server.routes.explain import PEAK_HEADER
from tests.support.http.running_server import app_of, cell_png, classifier, field_png, make_context


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    with make_context(tmp_path_factory.mktemp("serve"), max_pictures=5, max_body_bytes=2_000_000) as context:
        yield app_of(context).test_client()


def post(client: FlaskClient, *pictures: tuple[bytes, str]) -> Any:
    return client.post("/predict", data={"file": [(io.BytesIO(data), name) for data, name in pictures]})


def test_a_form_with_one_cell_gives_its_verdict(client: FlaskClient) -> None:
    answer = post(client, (cell_png(), "cell.png")).json
    expected = classifier().probabilities(cell_input(cell_png(), classifier().input_size)[None])[0]
    assert answer["probability"] == pytest.approx(float(expected), abs=1e-6)
    assert answer["label"] == ("Parasitized" if expected >= answer["threshold"] else "Uninfected")
    assert answer["results"][0]["image"] == "cell.png"


def test_the_answer_names_the_model_its_hash_the_time_and_the_purpose(client: FlaskClient) -> None:
    answer = post(client, (cell_png(), "cell.png")).json
    assert answer["model"] == {"name": classifier().model.name, "sha256": classifier().model.sha256}
    assert answer["time_ms"] > 0
    assert answer["research_use"] == RESEARCH_USE


def test_a_raw_body_gives_the_same_verdict_as_a_form(client: FlaskClient) -> None:
    raw = client.post("/predict", data=cell_png(), content_type="image/png").json
    form = post(client, (cell_png(), "cell.png")).json
    assert raw["probability"] == form["probability"]


def test_several_cells_are_answered_in_their_order(client: FlaskClient) -> None:
    answer = post(client, *((cell_png(seed), f"{seed}.png") for seed in (1, 2, 3))).json
    inputs = np.stack([cell_input(cell_png(seed), classifier().input_size) for seed in (1, 2, 3)])
    expected = classifier().probabilities(inputs)
    assert [result["image"] for result in answer["results"]] == ["1.png", "2.png", "3.png"]
    assert [result["probability"] for result in answer["results"]] == pytest.approx(
        expected.tolist(), abs=1e-6
    )


def test_one_bad_picture_among_good_ones_has_its_own_error(client: FlaskClient) -> None:
    answer = post(client, (cell_png(), "good.png"), (b"nonsense", "bad.png"))
    assert answer.status_code == 200
    good, bad = answer.json["results"]
    assert good["error"] is None
    assert bad["label"] is None
    assert "not a picture" in bad["error"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GIF89a not read here", "not a picture"),
        (cell_png()[:200], "truncated"),
        (encode_png(np.zeros((64, 64, 3), np.uint8)), "No single cell"),
        (encode_png(np.zeros((2001, 2000, 3), np.uint8)), "too large"),
    ],
    ids=["another format", "cut off", "black", "too many pixels"],
)
def test_a_picture_that_cannot_be_judged_is_a_problem_naming_the_file(
    client: FlaskClient, data: bytes, words: str
) -> None:
    answer = post(client, (data, "cell.png"))
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert words in answer.json["detail"]
    assert answer.json["errors"][0]["field"] == "file"


def chequers_png() -> bytes:
    """A picture of anything but a cell."""
    down, right = np.mgrid[:96, :96] // 12
    chosen = ((down + right) % 2)[..., None] == 1
    return encode_png(np.where(chosen, (30, 60, 200), (240, 230, 40)).astype(np.uint8))


def test_what_is_no_red_cell_is_a_problem_of_its_own_kind(client: FlaskClient) -> None:
    answer = post(client, (chequers_png(), "chequers.png"))
    assert answer.status_code == 422
    assert answer.json["type"].endswith("not-a-cell")


def test_anything_is_judged_where_asked_for(client: FlaskClient) -> None:
    data = {"file": (io.BytesIO(chequers_png()), "chequers.png")}
    answer = client.post("/predict?accept_anything=true", data=data)
    assert answer.status_code == 200
    assert answer.json["label"] in LABELS


def test_a_form_without_the_field_file_names_it(client: FlaskClient) -> None:
    answer = client.post("/predict", data={"other": "text"}, content_type="multipart/form-data")
    assert answer.status_code == 400
    assert answer.json["errors"][0]["field"] == "file"


def test_a_file_in_another_field_is_named(client: FlaskClient) -> None:
    answer = client.post("/predict", data={"image": (io.BytesIO(cell_png()), "cell.png")})
    assert answer.status_code == 400
    assert answer.json["errors"][0]["field"] == "image"


def test_an_empty_body_is_refused(client: FlaskClient) -> None:
    assert client.post("/predict", data=b"", content_type="image/png").status_code == 400


def test_another_content_type_is_refused_with_the_way_to_do_it(client: FlaskClient) -> None:
    answer = client.post("/predict", json={"file": "cell.png"})
    assert answer.status_code == 415
    assert "curl -F file=@cell.png" in answer.json["detail"]


def test_more_pictures_than_allowed_are_refused(client: FlaskClient) -> None:
    answer = post(client, *((cell_png(), f"{n}.png") for n in range(6)))
    assert answer.status_code == 400
    assert "At most 5" in answer.json["detail"]


def test_a_body_over_the_limit_is_refused(client: FlaskClient) -> None:
    answer = client.post("/predict", data=b"\x89PNG\r\n\x1a\n" + bytes(2_100_000), content_type="image/png")
    assert answer.status_code == 413
    assert answer.content_type == "application/problem+json"


def test_an_uploaded_name_is_never_a_path(client: FlaskClient, tmp_path: Path) -> None:
    answer = post(client, (cell_png(), "../../etc/passwd<b>.png"))
    assert answer.json["results"][0]["image"] == "passwd<b>.png"


def test_a_jpeg_of_endless_scans_is_refused_undecoded(client: FlaskClient) -> None:
    frame = b"\xff\xd8\xff\xc2\x00\x11\x08\x03\x00\x03\x00\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
    answer = post(client, (frame + b"\xff\xda\x00\x02" * 500 + b"\xff\xd9", "bomb.jpg"))
    assert answer.status_code == 422
    assert "scans" in answer.json["detail"]


def test_a_full_queue_is_told_with_the_time_to_come_again(tmp_path: Path) -> None:
    with make_context(tmp_path, queue_cells=0) as context:
        answer = post(app_of(context).test_client(), (cell_png(), "cell.png"))
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert b'plasmolite_refused_total{queue="cells"} 1.0' in context.metrics.exposition()


def test_the_evidence_map_is_a_png(client: FlaskClient) -> None:
    answer = client.post("/explain", data={"file": (io.BytesIO(cell_png()), "cell.png")})
    assert answer.status_code == 200
    assert answer.data.startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_evidence_map_tells_how_strong_its_strongest_place_is(client: FlaskClient) -> None:
    infected, healthy = (
        float(
            client.post("/explain", data=cell_png(infected=infected), content_type="image/png").headers[
                PEAK_HEADER
            ]
        )
        for infected in (True, False)
    )
    assert 0 <= healthy < infected <= 1


def test_a_field_is_not_explained_as_a_cell(client: FlaskClient) -> None:
    answer = client.post("/explain", data=field_png(), content_type="image/png")
    assert answer.status_code == 422
    assert answer.json["code"].startswith("cell.")


def test_what_is_refused_holds_no_picture_until_the_answer(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception holds the frames that it came through, and with them its picture: 64 of them are 770 MB."""
    held: list[int] = []
    pictures: list[weakref.ref[object]] = []

    class Picture(np.ndarray):
        """An array that can be watched."""

    def read(source: object, **_: object) -> np.ndarray:
        held.append(sum(one() is not None for one in pictures))
        rgb = np.zeros((400, 400, 3), np.uint8).view(Picture)
        pictures.append(weakref.ref(rgb))
        return rgb

    monkeypatch.setattr("edge.cells.files.read_image", read)
    files = [(io.BytesIO(cell_png()), f"{number}.png") for number in range(5)]
    assert client.post("/predict", data={"file": files}).status_code == 422
    assert len(held) == 5
    assert max(held) <= 1
