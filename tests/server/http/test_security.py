"""Who may use the server, what a session may do, and what every answer forbids the browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from server.credentials.token import make_token
from tests.support.http.running_server import app_of, cell_png, make_context

LAN = {"host": "192.168.4.1"}


@pytest.fixture(scope="module")
def token_and_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, FlaskClient]]:
    token, record = make_token()
    with make_context(tmp_path_factory.mktemp("lan"), token=record, logins_per_minute=1000, **LAN) as context:
        yield token, app_of(context).test_client()


@pytest.fixture
def client(token_and_client: tuple[str, FlaskClient]) -> FlaskClient:
    client = token_and_client[1]
    client.delete_cookie("plasmolite_session")
    return client


@pytest.fixture(scope="module")
def token(token_and_client: tuple[str, FlaskClient]) -> str:
    return token_and_client[0]


def predict(client: FlaskClient, **headers: str) -> int:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/predict", data=cell_png(), content_type="image/png", headers=names).status_code


def sign_in(client: FlaskClient, token: str) -> str:
    assert client.post("/sign-in", data={"token": token}).status_code == 302
    page = client.get("/", headers={"Accept": "text/html"}).get_data(as_text=True)
    found = re.search(r'name="csrf" content="([^"]+)"', page)
    assert found is not None
    return found.group(1)


def test_without_the_token_nothing_is_judged(client: FlaskClient) -> None:
    assert predict(client) == 401


def test_a_wrong_token_is_refused(client: FlaskClient) -> None:
    assert predict(client, Authorization="Bearer not-it") == 401


def test_the_token_opens(client: FlaskClient, token: str) -> None:
    assert predict(client, Authorization=f"Bearer {token}") == 200


@pytest.mark.parametrize("path", ["/slides", "/metrics", "/ready", "/openapi.json", "/docs", "/live"])
def test_everything_else_needs_the_token_too(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 401


def test_health_tells_without_a_token_that_the_process_lives(client: FlaskClient) -> None:
    assert client.get("/health").status_code == 200


def test_the_page_sends_a_stranger_to_the_sign_in(client: FlaskClient) -> None:
    answer = client.get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/sign-in"


def test_a_wrong_token_on_the_form_opens_nothing(client: FlaskClient) -> None:
    assert client.post("/sign-in", data={"token": "guess"}).status_code == 401
    assert client.get("/slides").status_code == 401


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(client: FlaskClient, token: str) -> None:
    cookie = client.post("/sign-in", data={"token": token}).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert token not in cookie


def test_a_session_needs_its_csrf_token_to_change_anything(client: FlaskClient, token: str) -> None:
    csrf = sign_in(client, token)
    assert predict(client) == 403
    assert predict(client, X_CSRF_Token="guess") == 403  # noqa: S106
    assert predict(client, X_CSRF_Token=csrf) == 200


def test_signing_out_ends_the_session(client: FlaskClient, token: str) -> None:
    csrf = sign_in(client, token)
    client.post("/sign-out", headers={"X-CSRF-Token": csrf})
    assert client.get("/slides").status_code == 401


def test_guessing_the_token_is_slowed_down(tmp_path: Path) -> None:
    with make_context(tmp_path, token=make_token()[1], logins_per_minute=5, **LAN) as context:
        client = app_of(context).test_client()
        answers = [client.post("/sign-in", data={"token": str(n)}) for n in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[-1].content_type == "application/problem+json"
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_one_client_cannot_take_the_server_from_the_others(tmp_path: Path) -> None:
    token, record = make_token()
    with make_context(tmp_path, token=record, requests_per_minute=10, **LAN) as context:
        client = app_of(context).test_client()
        headers = {"Authorization": f"Bearer {token}"}
        statuses = [client.get("/ready", headers=headers).status_code for _ in range(11)]
        other = client.get("/ready", headers=headers, environ_overrides={"REMOTE_ADDR": "192.168.4.9"})
    assert statuses == [200] * 10 + [429]
    assert other.status_code == 200


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    with make_context(tmp_path_factory.mktemp("local")) as context:
        yield app_of(context).test_client()


def test_loopback_needs_no_token(local: FlaskClient) -> None:
    assert predict(local) == 200


def test_a_page_of_another_origin_cannot_post_to_loopback(local: FlaskClient) -> None:
    assert predict(local, Origin="http://evil.example") == 403
    assert predict(local, Sec_Fetch_Site="cross-site") == 403
    assert predict(local, Origin="http://localhost", Sec_Fetch_Site="same-origin") == 200


def test_a_foreign_name_that_points_at_loopback_is_refused(local: FlaskClient) -> None:
    answer = local.get("/slides", headers={"Host": "evil.example:8080"})
    assert answer.status_code == 421
    assert answer.json is not None
    assert answer.json["errors"][0]["field"] == "Host"


def test_every_answer_binds_the_browser(local: FlaskClient) -> None:
    for path in ("/", "/health", "/nothing", "/static/page.js"):
        headers = local.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"


def test_the_page_has_nothing_inline_and_nothing_from_elsewhere(local: FlaskClient) -> None:
    for path in ("/", "/docs", "/sign-in"):
        page = local.get(path).get_data(as_text=True)
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", page), path
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', page), path


def test_scripts_and_styles_fetch_nothing_from_elsewhere() -> None:
    for path in (Path(__file__).parents[3] / "server" / "static").rglob("*"):
        if path.suffix in {".js", ".css", ".svg"}:
            addresses = set(re.findall(r"https?://[^\s\"'`)]+", path.read_text(encoding="utf-8")))
            assert addresses <= {"http://www.w3.org/2000/svg"}, path


@pytest.mark.parametrize(
    ("site", "status"), [("same-origin", 200), ("none", 200), ("same-site", 403), ("cross-site", 403)]
)
def test_only_the_servers_own_page_and_the_person_may_post(
    local: FlaskClient, site: str, status: int
) -> None:
    assert predict(local, Sec_Fetch_Site=site) == status
