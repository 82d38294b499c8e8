"""``/teaching``: an adaptation is tried, used, taken back; what cannot be taught is said; requests go on meanwhile."""

import hashlib
import io
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from flask import Flask

from edge.inference.classifier import Classifier
from edge.inference.model_file import ModelFile, default_model_path, load_model, with_manifest
from edge.inference.model_store import InstalledModel, model_in_use
from edge.inference.self_test import sample_scores
from edge.inference.site_head import HEAD_NAME, SiteHead, write_head
from edge.live.setup import SlideRequest
from edge.slides.store import SlideStore
from edge.teaching.gate import Figures
from edge.teaching.site_model import SiteModel
from plasmolite.site_models import put_in_use
from server.adaptation import Adaptation, AdaptationState
from server.context import ServerContext, context_of
from server.live_camera import LiveCamera
from tests.support.http.running_server import app_of, cell_png, classifier, make_context, store_in
from tests.support.slides.site_profile import PROFILE
from tests.support.slides.small_slide import begin, cells_of, field_at
from tests.support.slides.strange_slides import count_and_review

pytest.importorskip("cryptography", reason="cryptography is not installed: no model can be signed")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SlideStore]:
    with store_in(tmp_path) as store:
        yield store


@pytest.fixture
def app(tmp_path: Path, store: SlideStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setenv("PLASMOLITE_MODELS", str(tmp_path / "models"))
    with make_context(tmp_path, store=store, put_in_use=put_in_use) as context:
        app = app_of(context)
        yield app
        if context_of(app) is not context:
            context_of(app).batcher.close()


def taught_file() -> SiteModel:
    """The shipped model with a head that moves every logit a little, as teaching would leave it."""
    parent = classifier().model
    assert parent.bank is not None
    head = SiteHead(np.zeros(parent.bank.features.shape[1], np.float32), 0.25)
    parts = {**parent.parts, HEAD_NAME: write_head(head)}
    manifest = {**parent.manifest, "site": {"name": "Kisumu", "parent_states": {}}}
    scores = sample_scores(Classifier(ModelFile(parent.path, parent.flatbuffer, manifest, parts), threads=1))
    content = with_manifest(parent.flatbuffer, {**manifest, "self_test": scores}, parts)
    figures = Figures(32, 64, 4, 3, 20, 17, 0.5, 0.9, 0.2, 0.99, 0.99, ())
    return SiteModel(figures, None, content, parent)


def learnt(context: ServerContext) -> None:
    """Leave the job as after an adaptation that came to something."""
    context.adaptation_job._adaptation = Adaptation(AdaptationState.DONE, "Kisumu", 16, 16, taught_file())


@pytest.mark.slow
def test_too_few_reviewed_cells_are_counted_and_told(app: Flask, store: SlideStore) -> None:
    count_and_review(store, 1, classifier(), reviewed=7)
    client = app.test_client()
    facts = client.get("/teaching").json
    assert facts["reviewed"] == {"infected": 3, "uninfected": 4, "groups": 1}
    assert facts["missing"]["code"] == "teach.too-few"
    assert facts["obstacle"] is None
    assert facts["adaptation"]["state"] == "none"
    assert client.post("/teaching", json={"site": "Kisumu"}).status_code == 202
    context_of(app).adaptation_job.wait(30)
    adaptation = client.get("/teaching").json["adaptation"]
    assert adaptation["state"] == "failed"
    assert [one["code"] for one in adaptation["sentences"]] == ["teach.too-few"]
    assert not adaptation["better"]
    assert client.post("/teaching/use").status_code == 409
    assert model_in_use() == default_model_path()


def test_only_calls_that_stand_are_counted(app: Flask, store: SlideStore) -> None:
    slide = begin(store)
    store.add_field(slide, field_at(), cells_of(0.9, 0.8, 0.1), [b"crop"] * 3)
    client = app.test_client()
    first, second, third = (cell.cell_id for cell in store.cells(slide))
    for cell, call in ((first, "Parasitized"), (second, "Uninfected"), (third, "Uninfected"), (third, None)):
        client.post(f"/slides/{slide.number}/cells/{cell}/review", json={"call": call, "reviewer": "Amina"})
    assert client.get("/teaching").json["reviewed"] == {"infected": 1, "uninfected": 1, "groups": 1}


@pytest.mark.slow
def test_one_lesson_at_a_time(app: Flask) -> None:
    context_of(app).adaptation_job._adaptation = Adaptation(AdaptationState.RUNNING, "Kisumu", 3, 16)
    client = app.test_client()
    answer = client.post("/teaching", json={"site": "Kisumu"})
    assert answer.status_code == 409
    assert answer.json["code"] == "request.teaching-runs"
    assert client.get("/teaching").json["adaptation"]["step"] == 3


@pytest.mark.slow
@pytest.mark.parametrize("site", ["", "  ", "two\nlines", "x" * 61])
def test_a_site_has_a_name_of_one_line(app: Flask, site: str) -> None:
    assert app.test_client().post("/teaching", json={"site": site}).status_code == 422


def test_what_is_taught_judges_at_once_and_is_taken_back(app: Flask, store: SlideStore) -> None:
    learnt(context_of(app))
    client = app.test_client()
    before = client.post("/predict", data={"file": (io.BytesIO(cell_png()), "a.png")}).json
    facts = client.post("/teaching/use").json
    assert facts["taught_at"] == "Kisumu"
    assert facts["adaptation"]["state"] == "none"
    assert load_model(model_in_use()).taught_at == "Kisumu"
    after = client.post("/predict", data={"file": (io.BytesIO(cell_png()), "a.png")}).json
    assert after["model"]["sha256"] == facts["model"]["sha256"] != before["model"]["sha256"]
    assert client.get("/ready").json["model"]["sha256"] == facts["model"]["sha256"]
    assert after["results"][0]["probability"] != before["results"][0]["probability"]
    assert client.post("/teaching/use").status_code == 409  # it is used once
    facts = client.post("/teaching/undo").json
    assert facts["taught_at"] is None
    again = client.post("/predict", data={"file": (io.BytesIO(cell_png()), "a.png")}).json
    assert again["results"] == before["results"]
    assert again["model"] == before["model"]
    # What the device had before is nobody's teaching: it is not rolled back from the page.
    assert client.post("/teaching/undo").status_code == 409


@pytest.mark.slow
def test_requests_are_answered_through_a_change_of_model_each_by_one_model(app: Flask) -> None:
    learnt(context_of(app))
    said: dict[str, set[float]] = {}
    statuses = set()
    stop = threading.Event()

    def ask() -> None:
        client = app.test_client()
        while not stop.is_set():
            answer = client.post("/predict", data={"file": (io.BytesIO(cell_png()), "a.png")})
            statuses.add(answer.status_code)
            if answer.status_code == 200:
                found = answer.json["results"][0]["probability"]
                said.setdefault(answer.json["model"]["sha256"], set()).add(found)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    client = app.test_client()
    used = client.post("/teaching/use")
    undone = client.post("/teaching/undo")
    stop.set()
    for thread in threads:
        thread.join()
    assert used.status_code == undone.status_code == 200
    assert statuses == {200}
    # One probability a model: no answer names one model and gives the figure of the other.
    assert all(len(figures) == 1 for figures in said.values())


def test_what_keeps_this_server_from_teaching_is_said(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    context = context_of(app)
    client = app.test_client()
    object.__setattr__(context, "put_in_use", None)
    assert client.get("/teaching").json["obstacle"]["code"] == "request.teach-by-command"
    answer = client.post("/teaching", json={"site": "Kisumu"})
    assert (answer.status_code, answer.json["code"]) == (409, "request.teach-by-command")
    object.__setattr__(context, "put_in_use", put_in_use)
    monkeypatch.setattr("server.teaching.model_in_use", lambda: Path("other.tflite"))
    assert client.get("/teaching").json["obstacle"]["code"] == "request.teach-other-model"
    object.__setattr__(context, "setup", context.setup._replace(profile=PROFILE))
    assert client.get("/teaching").json["obstacle"]["values"] == {"profile": PROFILE.name}
    learnt(context)
    assert client.post("/teaching/use").status_code == 409
    assert model_in_use() == default_model_path()


@pytest.mark.slow
def test_while_a_slide_is_counted_the_model_stays(app: Flask, store: SlideStore) -> None:
    context = context_of(app)
    live = LiveCamera(context.setup, store, "simulator")
    object.__setattr__(context, "live", live)
    learnt(context)
    live.start(SlideRequest("K-1"))
    for deed in ("use", "undo"):
        answer = app.test_client().post(f"/teaching/{deed}")
        assert (answer.status_code, answer.json["code"]) == (409, "request.counting")
    live.stop()
    assert model_in_use() == default_model_path()


@pytest.mark.slow
def test_while_one_browser_changes_the_model_another_is_told_so(app: Flask) -> None:
    context = context_of(app)
    learnt(context)
    other = app.test_client()
    said = []

    def meanwhile(content: bytes) -> InstalledModel:
        said.append(other.get("/teaching").json["obstacle"]["code"])
        said.extend(other.post(f"/teaching/{deed}").json["code"] for deed in ("use", "undo"))
        said.append(other.post("/teaching", json={"site": "Kisumu"}).json["code"])
        return put_in_use(content)

    object.__setattr__(context, "put_in_use", meanwhile)
    assert app.test_client().post("/teaching/use").json["taught_at"] == "Kisumu"
    assert said == ["request.model-changes"] * 4
    facts = other.get("/teaching").json
    assert (facts["obstacle"], facts["taught_at"]) == (None, "Kisumu")
    assert other.post("/teaching/undo").json["taught_at"] is None
    assert model_in_use() == default_model_path()


@pytest.mark.slow
def test_no_slide_is_begun_while_the_model_is_changed(app: Flask, store: SlideStore) -> None:
    context = context_of(app)
    live = LiveCamera(context.setup, store, "simulator")
    object.__setattr__(context, "live", live)
    learnt(context)
    begun = threading.Thread(target=live.start, args=(SlideRequest("K-1"),))

    def meanwhile(content: bytes) -> InstalledModel:
        begun.start()
        return put_in_use(content)

    object.__setattr__(context, "put_in_use", meanwhile)
    sha256 = app.test_client().post("/teaching/use").json["model"]["sha256"]
    begun.join()
    live.stop()
    assert store.slide("K-1").model_sha256 == sha256


def test_a_disk_too_full_for_the_signature_leaves_the_model_in_use(app: Flask, tmp_path: Path) -> None:
    learnt(context_of(app))
    content = context_of(app).adaptation_job.take()
    # Nothing can be written in the place of a folder.
    (tmp_path / "models" / f"{hashlib.sha256(content).hexdigest()}.tflite.minisig").mkdir(parents=True)
    client = app.test_client()
    answer = client.post("/teaching/use")
    assert (answer.status_code, answer.json["code"]) == (503, "models.not-stored")
    assert model_in_use() == default_model_path()
    facts = client.get("/teaching").json
    assert facts["obstacle"] is None
    assert facts["adaptation"]["better"]
