"""What the log tells: refusals and changes always, verdicts and reading only on request."""

import logging
from pathlib import Path

import pytest

from tests.support.http.running_server import app_of, cell_png, make_context, store_in


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "status", "level"),
    [
        ("GET /health", 200, logging.DEBUG),
        ("POST /predict", 200, logging.DEBUG),
        ("GET /slides/7", 404, logging.INFO),
        ("POST /explain", 200, logging.DEBUG),
        ("DELETE /live", 404, logging.INFO),
        ("POST /sign-out", 302, logging.INFO),
    ],
)
def test_a_request_is_told_by_what_it_did(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, asked: str, status: int, level: int
) -> None:
    with (
        caplog.at_level(logging.DEBUG, "plasmolite.server"),
        store_in(tmp_path) as store,
        make_context(tmp_path, store=store) as context,
    ):
        method, path = asked.split()
        client = app_of(context).test_client()
        answer = client.open(path, method=method, data=cell_png(), content_type="image/png")
    assert answer.status_code == status
    told = [record for record in caplog.records if record.getMessage() == "request"]
    assert [record.levelno for record in told] == [level]


def test_without_verbose_what_is_routine_is_not_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "plasmolite.server"), make_context(tmp_path) as context:
        client = app_of(context).test_client()
        assert client.get("/health").status_code == 200
        assert client.get("/nowhere").status_code == 404
    assert [record.__dict__["status"] for record in caplog.records] == [404]
