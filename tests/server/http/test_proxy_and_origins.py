"""Behind a proxy with TLS and a path of its own, and for pages of other origins that were let in."""

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from server.credentials.token import make_token
from tests.support.http.running_server import app_of, cell_png, make_context, served, store_in

LAB = "https://lab.example"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FlaskClient, str]]:
    secret, record = make_token()
    folder = tmp_path_factory.mktemp("origins")
    with make_context(folder, token=record, allowed_origins=(LAB,), allowed_hosts=("localhost",)) as context:
        yield app_of(context).test_client(), secret


def test_a_page_of_an_allowed_origin_may_ask_with_the_token(guarded: tuple[FlaskClient, str]) -> None:
    client, secret = guarded
    asked = client.options("/predict", headers={"Origin": LAB, "Access-Control-Request-Method": "POST"})
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Origin"] == LAB
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
    headers = {"Origin": LAB, "Authorization": f"Bearer {secret}", "Sec-Fetch-Site": "cross-site"}
    answer = client.post("/predict", data=cell_png(), content_type="image/png", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == LAB
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://lab.example.evil.example"])
def test_a_page_of_any_other_origin_may_not(guarded: tuple[FlaskClient, str], origin: str) -> None:
    client, secret = guarded
    asked = client.options("/predict", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
    assert asked.status_code == 401
    assert "Access-Control-Allow-Origin" not in asked.headers
    answer = client.get("/ready", headers={"Origin": origin, "Authorization": f"Bearer {secret}"})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_an_allowed_origin_gains_nothing_from_a_cookie(guarded: tuple[FlaskClient, str]) -> None:
    client, secret = guarded
    client.post("/sign-in", data={"token": secret})
    headers = {"Origin": LAB, "Sec-Fetch-Site": "cross-site"}
    assert (
        client.post("/predict", data=cell_png(), content_type="image/png", headers=headers).status_code == 403
    )
    client.delete_cookie("plasmolite_session")


def ask(
    address: str, method: str, path: str, body: str = "", **headers: str
) -> tuple[int, dict[str, str], str]:
    """One request as a proxy sends it on."""
    line = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if body:
        named["Content-Type"] = "application/x-www-form-urlencoded"
    line.request(method, path, body or None, named)
    answer = line.getresponse()
    text = answer.read().decode("utf-8", "replace")
    line.close()
    return answer.status, dict(answer.getheaders()), text


@pytest.mark.slow
@pytest.mark.parametrize("stripped", [False, True], ids=["path kept", "path stripped"])
def test_behind_a_proxy_the_page_knows_its_path_and_marks_its_cookie(tmp_path: Path, stripped: bool) -> None:
    secret, record = make_token()
    limits = {
        "allowed_hosts": ("bench.example",),
        "trusted_proxy": "127.0.0.1",
        "path_prefix": "/malaria",
        "logins_per_minute": 2,
    }
    root = "" if stripped else "/malaria"
    tls = {"Host": "bench.example", "X_Forwarded_Proto": "https"}
    with (
        store_in(tmp_path) as store,
        make_context(tmp_path, store=store, token=record, **limits) as context,
        served(context) as address,
    ):
        status, headers, _ = ask(
            address, "GET", f"{root}/slides", Accept="text/html", X_Forwarded_For="10.0.0.7", **tls
        )
        assert (status, headers["Location"]) == (302, "/malaria/sign-in?next=/malaria/slides")
        _, _, form = ask(address, "GET", f"{root}/sign-in", X_Forwarded_For="10.0.0.7", **tls)
        assert 'action="/malaria/sign-in"' in form
        assert 'href="/malaria/static/' in form
        # One who guesses uses up his own tries, not those of the others behind the same proxy.
        for _ in range(3):
            guess = ask(address, "POST", f"{root}/sign-in", "token=guess", X_Forwarded_For="10.0.0.66", **tls)
        assert guess[0] == 429
        assert 1 <= int(guess[1]["Retry-After"]) <= 61
        origin = "https://bench.example"
        status, headers, _ = ask(
            address,
            "POST",
            f"{root}/sign-in",
            f"token={secret}&next=/malaria/slides",
            X_Forwarded_For="10.0.0.7",
            Origin=origin,
            **tls,
        )
        assert (status, headers["Location"]) == (302, "/malaria/slides")
        assert "Secure" in headers["Set-Cookie"]
        assert "Path=/malaria" in headers["Set-Cookie"]


@pytest.mark.slow
def test_forwarded_headers_of_a_stranger_count_for_nothing(tmp_path: Path) -> None:
    secret, record = make_token()
    with make_context(tmp_path, token=record, logins_per_minute=2) as context, served(context) as address:
        tries = [
            ask(address, "POST", "/sign-in", "token=guess", X_Forwarded_For=f"10.0.0.{n}")[0]
            for n in range(3)
        ]
        assert tries == [401, 401, 429]
    with make_context(tmp_path, token=record) as context, served(context) as address:
        _, headers, _ = ask(address, "POST", "/sign-in", f"token={secret}", X_Forwarded_Proto="https")
        assert "Secure" not in headers["Set-Cookie"]
