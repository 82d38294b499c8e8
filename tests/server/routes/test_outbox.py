"""``/outbox``: what waits, what was refused and why, when something was sent last."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from edge.sending.outbox import Outbox
from edge.slides.store import SlideStore
from tests.support.http.running_server import app_of, make_context
from tests.support.slides.small_slide import begin, cells_of, field_at, open_store, with_crops


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SlideStore]:
    with open_store(tmp_path) as store:
        for name in ("K-1", "K-2", "K-3", "K-4"):
            store.add_field(begin(store, name), field_at(), *with_crops(cells_of(0.9)))
        yield store


@pytest.fixture
def client(store: SlideStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    monkeypatch.setenv("PLASMOLITE_SEND", str(tmp_path / "send.toml"))
    with make_context(tmp_path, store=store) as context:
        yield app_of(context).test_client()


def test_before_anything_was_sent_all_slides_wait(client: FlaskClient) -> None:
    box = client.get("/outbox").json
    assert (box["waiting"], box["refused"], box["sent"], box["last_sent"]) == (4, 0, 0, None)
    assert not box["configured"]
    assert [one["slide_id"] for one in box["slides"]] == ["K-1", "K-2", "K-3", "K-4"]


def test_what_was_refused_comes_first_with_its_reason(client: FlaskClient, store: SlideStore) -> None:
    outbox = Outbox(store, chance=lambda: 0.0)
    first, second, third, _ = outbox.pending()
    outbox.mark_sent(first)
    outbox.put_off(second, "503 busy")
    outbox.refuse(third, "422 <b>no such practitioner</b>")
    box = client.get("/outbox").json
    assert (box["waiting"], box["refused"], box["sent"]) == (2, 1, 1)
    assert box["last_sent"].startswith("2026-")
    refused, put_off, waiting = box["slides"]
    assert (refused["slide_id"], refused["state"], refused["said"]) == (
        "K-3",
        "refused",
        "422 <b>no such practitioner</b>",
    )
    assert refused["next_try"] is None
    assert (put_off["slide_id"], put_off["tries"], put_off["said"]) == ("K-2", 1, "503 busy")
    assert put_off["next_try"] is not None
    assert (waiting["slide_id"], waiting["sent_before"]) == ("K-4", False)
    # A later review makes the sent slide wait again, as one that is there already.
    slide = store.slide("K-1")
    cell = store.cells(slide)[0].cell_id
    client.post(
        f"/slides/{slide.number}/cells/{cell}/review", json={"call": "Uninfected", "reviewer": "Amina"}
    )
    again = {one["slide_id"]: one for one in client.get("/outbox").json["slides"]}["K-1"]
    assert (again["state"], again["sent_before"]) == ("waiting", True)


def test_so_many_as_were_asked_for(client: FlaskClient) -> None:
    box = client.get("/outbox?limit=1").json
    assert len(box["slides"]) == 1
    assert box["waiting"] == 4
    assert client.get("/outbox?limit=-1").status_code == 422
    assert client.get("/outbox?most=1").status_code == 422


def test_whether_a_server_is_named_is_told_and_not_which(client: FlaskClient, tmp_path: Path) -> None:
    (tmp_path / "send.toml").write_text('[fhir]\nurl = "https://fhir.example.org/r4"\n')
    answer = client.get("/outbox")
    assert answer.json["configured"]
    assert b"example.org" not in answer.data
