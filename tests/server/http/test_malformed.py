"""Uploads that no client should send. ``PLASMOLITE_MALFORMED=2000`` sends as many; by default a tenth."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.http.malformed_requests import malformed_uploads
from tests.support.http.running_server import app_of, cell_png, make_context

COUNT = int(os.environ.get("PLASMOLITE_MALFORMED", "200"))
MEMORY_BOUND_MIB = 200


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    with make_context(tmp_path_factory.mktemp("serve")) as context:
        yield app_of(context).test_client()


def resident_mib() -> float:
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("resident memory is read from /proc, which this system has not")
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/predict", "/analyze", "/explain"])
def test_every_malformed_upload_is_refused_with_a_sentence_in_bounded_memory(
    client: FlaskClient, path: str
) -> None:
    good = client.post("/predict", data=cell_png(), content_type="image/png").get_json()
    before = resident_mib()
    for number, upload in enumerate(malformed_uploads(COUNT if path == "/predict" else COUNT // 5)):
        answer = client.post(path, data=upload.body, content_type=upload.content_type)
        what = f"{number} {upload.kind} {upload.content_type[:60]}: {answer.get_data(as_text=True)[:300]}"
        assert 400 <= answer.status_code < 500, what
        assert answer.content_type == "application/problem+json", what
        assert answer.get_json()["detail"].endswith((".", ")")), what
    assert resident_mib() - before < MEMORY_BOUND_MIB
    again = client.post("/predict", data=cell_png(), content_type="image/png").get_json()
    assert again["probability"] == good["probability"]
