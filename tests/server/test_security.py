"""Who is let in, and how the browser is bound."""

import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from server.settings import ServerSettings, is_loopback
from server.startup import settle_token
from server.token import TokenFileError, TokenRecord, make_token, read_record, write_record
from tests.support.running_server import app_of, cell_png, instruments

LAN = {"host": "192.168.4.1"}


@pytest.fixture(scope="module")
def token_and_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, FlaskClient]]:
    token, record = make_token()
    with instruments(tmp_path_factory.mktemp("lan"), token=record, logins_per_minute=1000, **LAN) as kit:
        yield token, app_of(kit).test_client()


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
    with instruments(tmp_path, token=make_token()[1], logins_per_minute=5, **LAN) as kit:
        client = app_of(kit).test_client()
        answers = [client.post("/sign-in", data={"token": str(n)}) for n in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[-1].content_type == "application/problem+json"
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_one_client_cannot_take_the_server_from_the_others(tmp_path: Path) -> None:
    token, record = make_token()
    with instruments(tmp_path, token=record, requests_per_minute=10, **LAN) as kit:
        client = app_of(kit).test_client()
        headers = {"Authorization": f"Bearer {token}"}
        statuses = [client.get("/ready", headers=headers).status_code for _ in range(11)]
        other = client.get("/ready", headers=headers, environ_overrides={"REMOTE_ADDR": "192.168.4.9"})
    assert statuses == [200] * 10 + [429]
    assert other.status_code == 200


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    with instruments(tmp_path_factory.mktemp("local")) as kit:
        yield app_of(kit).test_client()


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
    for path in (Path(__file__).parents[2] / "server" / "static").rglob("*"):
        if path.suffix in {".js", ".css", ".svg"}:
            addresses = set(re.findall(r"https?://[^\s\"'`)]+", path.read_text(encoding="utf-8")))
            assert addresses <= {"http://www.w3.org/2000/svg"}, path


def test_the_token_is_shown_once_and_kept_as_a_hash(tmp_path: Path) -> None:
    shown: list[tuple[str, Path]] = []
    settings = ServerSettings(host="0.0.0.0", token_file=tmp_path / "deep" / "token.json")  # noqa: S104
    record = settle_token(settings, renew=False, tell=lambda *new: shown.append(new))
    again = settle_token(settings, renew=False, tell=lambda *new: shown.append(new))
    assert record is not None
    assert len(shown) == 1
    assert record == again
    assert record.matches(shown[0][0])
    assert settings.token_file is not None
    assert shown[0][0] not in settings.token_file.read_text(encoding="utf-8")
    assert stat.S_IMODE(settings.token_file.stat().st_mode) == 0o600


def test_a_new_token_voids_the_old_one(tmp_path: Path) -> None:
    shown: list[tuple[str, Path]] = []
    settings = ServerSettings(host="0.0.0.0", token_file=tmp_path / "token.json")  # noqa: S104
    settle_token(settings, renew=False, tell=lambda *new: shown.append(new))
    record = settle_token(settings, renew=True, tell=lambda *new: shown.append(new))
    assert record is not None
    assert record.matches(shown[1][0])
    assert not record.matches(shown[0][0])


def test_off_loopback_there_is_always_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert settle_token(ServerSettings(), renew=False, tell=lambda *_: None) is None
    settings = ServerSettings(host="::")
    assert isinstance(settle_token(settings, renew=False, tell=lambda *_: None), TokenRecord)
    assert (tmp_path / "plasmolite" / "token.json").exists()


@pytest.mark.parametrize("content", ["", "[]", '{"format": "other"}', '{"format": "plasmolite-token/1"}'])
def test_a_file_that_is_no_token_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "token.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(TokenFileError, match="not a token file"):
        read_record(path)


def test_a_token_file_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(TokenFileError, match="cannot be written"):
        write_record(tmp_path / "file" / "token.json", make_token()[1])


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("pi.local", False),
    ],
)
def test_loopback_is_told_from_the_rest(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
