"""``/live`` as a client meets it, the simulated stage under the camera."""

import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from edge.errors import SourceError
from edge.images.files import read_image
from server.context import ServerContext
from server.live_camera import LiveCamera
from tests.support.http.running_server import app_of, make_context, served, store_in

PATIENCE = 60.0


@pytest.fixture
def context(tmp_path: Path) -> Iterator[ServerContext]:
    with store_in(tmp_path) as store, make_context(tmp_path, store=store, max_viewers=1) as context:
        camera = LiveCamera(context.setup, store, "simulator")
        object.__setattr__(context, "live", camera)
        yield context
        context.stopping.set()
        camera.stop()


@pytest.fixture
def client(context: ServerContext) -> FlaskClient:
    return app_of(context).test_client()


def begin(client: FlaskClient, **wishes: object) -> int:
    body = {"slide_id": "S-1", "operator": "Amina", "cells_wanted": 500, **wishes}
    return client.post("/live", json=body).status_code


def wait_for_cells(client: FlaskClient) -> dict[str, object]:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        count = client.get("/live").get_json()["count"]
        if count and count.get("cells"):
            return dict(count)
        time.sleep(0.05)
    pytest.fail(f"no cell was counted: {client.get('/live').get_json()}")


@pytest.mark.slow
def test_before_a_count_there_is_none(client: FlaskClient) -> None:
    assert client.get("/live").get_json()["counting"] is False
    assert client.get("/live.jpg").status_code == 404
    assert client.get("/live.mjpg").status_code == 404


@pytest.mark.slow
def test_a_slide_is_counted_shown_and_stopped(client: FlaskClient, context: ServerContext) -> None:
    assert begin(client) == 201
    count = wait_for_cells(client)
    assert count["slide"] == {"id": "S-1", "number": 1}
    assert count["estimate"]
    assert read_image(client.get("/live.jpg").data).ndim == 3
    assert client.delete("/live").get_json()["counting"] is False
    assert context.store is not None
    assert context.store.counts(context.store.slide("S-1")).cells > 0


@pytest.mark.slow
def test_a_second_count_at_the_same_time_is_a_conflict(client: FlaskClient) -> None:
    assert begin(client) == 201
    assert begin(client, slide_id="S-2") == 409


@pytest.mark.slow
def test_a_slide_that_exists_is_only_resumed_by_asking(client: FlaskClient) -> None:
    begin(client)
    before = int(str(wait_for_cells(client)["cells"]))
    client.delete("/live")
    assert begin(client) == 409
    assert begin(client, resume=True) == 201
    assert int(str(wait_for_cells(client)["cells"])) >= before


@pytest.mark.slow
def test_a_slide_under_the_camera_cannot_be_deleted(client: FlaskClient) -> None:
    begin(client)
    assert client.delete("/slides/1?who=Amina").status_code == 409


@pytest.mark.slow
def test_the_cell_under_the_cross_hair_needs_no_slide(client: FlaskClient, context: ServerContext) -> None:
    assert begin(client, mode="cell", slide_id="") == 201
    assert client.get("/live").get_json()["count"]["mode"] == "cell"
    assert context.store is not None
    assert context.store.slides() == []


@pytest.mark.slow
@pytest.mark.parametrize("slide_id", ["  ", "K-1\nK-2", "K\u202e1-"], ids=["blank", "two lines", "turned"])
def test_an_id_that_is_none_names_the_field(client: FlaskClient, slide_id: str) -> None:
    answer = client.post("/live", json={"slide_id": slide_id})
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] == "slide_id"


def test_ready_asks_the_camera_too(client: FlaskClient) -> None:
    assert "camera" in [check["name"] for check in client.get("/ready").get_json()["checks"]]


def test_a_source_that_is_none_is_told_at_the_start(tmp_path: Path) -> None:
    with (
        store_in(tmp_path) as store,
        make_context(tmp_path, store=store) as context,
        pytest.raises(SourceError),
    ):
        LiveCamera(context.setup, store, "no-such-source")


def test_a_server_without_a_camera_says_how_to_have_one(tmp_path: Path) -> None:
    with make_context(tmp_path) as context:
        answer = app_of(context).test_client().get("/live")
    assert answer.status_code == 404
    assert "--source" in answer.get_json()["detail"]


@pytest.mark.slow
def test_the_stream_is_jpegs_for_as_many_viewers_as_may_watch(
    context: ServerContext, client: FlaskClient
) -> None:
    begin(client)
    wait_for_cells(client)
    with (
        served(context) as address,
        urllib.request.urlopen(f"{address}/live.mjpg", timeout=PATIENCE) as stream,
    ):
        assert stream.headers["Content-Type"].startswith("multipart/x-mixed-replace")
        assert stream.readline().startswith(b"--")
        assert b"image/jpeg" in stream.readline()
        length = int(stream.readline().split(b":")[1])
        stream.readline()
        assert read_image(stream.read(length)).shape[2] == 3
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{address}/live.mjpg", timeout=PATIENCE)
        assert refused.value.code == 503
        context.stopping.set()


@pytest.mark.slow
def test_a_viewer_who_leaves_makes_room_for_the_next(context: ServerContext, client: FlaskClient) -> None:
    begin(client)
    wait_for_cells(client)
    with served(context) as address:
        for _ in range(3):
            until = time.monotonic() + PATIENCE
            while context.viewers_admission.present and time.monotonic() < until:
                threading.Event().wait(0.05)
            with urllib.request.urlopen(f"{address}/live.mjpg", timeout=PATIENCE) as stream:
                assert stream.readline().startswith(b"--")
        context.stopping.set()
