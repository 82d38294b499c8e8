"""Every address that the application has, a new one too, asks for the token and refuses other origins."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from server.credentials.token import make_token
from server.http.security import OPEN_ENDPOINTS
from tests.support.http.running_server import app_of, make_context, store_in

_PLACE = re.compile(r"<[^>]+>")
_SAFE = {"GET", "HEAD", "OPTIONS"}
# The way out needs no token, only the page's own: it opens nothing.
_WAYS_OUT = {"security.sign_out"}


@pytest.fixture(scope="module")
def app_and_token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, str]]:
    token, record = make_token()
    folder = tmp_path_factory.mktemp("every")
    limits = {"requests_per_minute": 100_000, "logins_per_minute": 1000, "host": "192.168.4.1"}
    with store_in(folder) as store, make_context(folder, store=store, token=record, **limits) as context:
        yield app_of(context), token


def addresses(app: Flask) -> list[tuple[str, str, str]]:
    """Every method, path and endpoint; a place in a path is filled with 1."""
    return [
        (method, _PLACE.sub("1", rule.rule), rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def test_nothing_is_answered_without_the_token(app_and_token: tuple[Flask, str]) -> None:
    app, _ = app_and_token
    closed = [one for one in addresses(app) if one[2] not in OPEN_ENDPOINTS | _WAYS_OUT]
    assert len(closed) > 30
    for method, path, _ in closed:
        answer = app.test_client().open(path, method=method, headers={"Accept": "application/json"})
        assert answer.status_code == 401, (method, path, answer.status_code)


def test_no_change_is_made_for_another_origin_or_without_the_pages_own_token(
    app_and_token: tuple[Flask, str],
) -> None:
    app, token = app_and_token
    client = app.test_client()
    assert client.post("/sign-in", data={"token": token}).status_code == 302
    page = client.get("/", headers={"Accept": "text/html"}).get_data(as_text=True)
    found = re.search(r'name="csrf" content="([^"]+)"', page)
    assert found is not None
    changes = [one for one in addresses(app) if one[0] not in _SAFE and one[2] not in OPEN_ENDPOINTS]
    assert {path for _, path, _ in changes} >= {"/teaching", "/teaching/use", "/teaching/undo", "/slides"}
    for method, path, _ in changes:
        if path == "/sign-out":
            continue
        bare = client.open(path, method=method, json={})
        assert (bare.status_code, bare.json["code"]) == (403, "request.csrf"), (method, path)
        foreign = {"X-CSRF-Token": found.group(1), "Origin": "https://evil.example"}
        answer = client.open(path, method=method, json={}, headers=foreign)
        assert (answer.status_code, answer.json["code"]) == (403, "request.foreign-origin"), (method, path)
