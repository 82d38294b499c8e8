"""A phone is signed in by a code that works once, and a session that was ended stays ended."""

import re
from pathlib import Path

import pytest

from server.credentials.ended_sessions import EndedSessions
from server.credentials.pairing import CODE_SECONDS, PairingCodes, addresses_of, qr_in_terminal
from server.credentials.token import make_token
from tests.support.http.running_server import app_of, make_context


def test_a_code_works_once_and_for_minutes_only() -> None:
    now = [0.0]
    codes = PairingCodes(now=lambda: now[0])
    first, second = codes.draw(), codes.draw()
    assert codes.use(first)
    assert not codes.use(first)
    assert not codes.use("guess")
    now[0] = CODE_SECONDS + 1
    assert not codes.use(second)


def test_a_phone_is_signed_in_by_the_code_without_the_token(tmp_path: Path) -> None:
    secret, record = make_token()
    with make_context(tmp_path, token=record) as context:
        app = app_of(context)
        laptop, phone = app.test_client(), app.test_client()
        assert laptop.post("/pairing").status_code == 401
        laptop.post("/sign-in", data={"token": secret})
        page = laptop.get("/", headers={"Accept": "text/html"}).text
        found = re.search(r'name="csrf" content="([^"]+)"', page)
        assert found is not None
        given = laptop.post("/pairing", headers={"X-CSRF-Token": found[1]}).json
        assert secret not in given["address"]
        code = given["address"].split("#pair=")[1]
        assert phone.post("/sign-in", data={"pair": code}).status_code == 302
        assert phone.get("/ready").status_code == 200
        assert app.test_client().post("/sign-in", data={"pair": code}).status_code == 401


@pytest.mark.slow
@pytest.mark.parametrize("restarted", [False, True])
def test_a_copied_cookie_opens_nothing_after_signing_out(tmp_path: Path, restarted: bool) -> None:
    secret, record = make_token()
    ended = EndedSessions(tmp_path / "token.ended")
    with make_context(tmp_path, token=record, ended_sessions=ended) as context:
        client = app_of(context).test_client()
        client.post("/sign-in", data={"token": secret})
        copy = client.get_cookie("plasmolite_session")
        assert copy is not None
        page = client.get("/", headers={"Accept": "text/html"}).text
        csrf = re.search(r'name="csrf" content="([^"]+)"', page)
        assert csrf is not None
        client.post("/sign-out", headers={"X-CSRF-Token": csrf[1]})
    if restarted:
        ended = EndedSessions(tmp_path / "token.ended")
    with make_context(tmp_path, token=record, ended_sessions=ended) as context:
        thief = app_of(context).test_client()
        thief.set_cookie("plasmolite_session", copy.value)
        assert thief.get("/ready").status_code == 401


def test_the_addresses_can_be_opened_and_the_code_fills_a_square() -> None:
    assert addresses_of("192.168.4.1", 8080) == ["http://192.168.4.1:8080/"]
    assert addresses_of("fe80::1", 80) == ["http://[fe80::1]:80/"]
    for wildcard in ("0.0.0.0", "::"):  # noqa: S104 - no server listens here
        assert all("0.0.0.0" not in one and "[::]" not in one for one in addresses_of(wildcard, 1))  # noqa: S104
    lines = qr_in_terminal("http://192.168.4.1:8080/sign-in#pair=abc").splitlines()
    assert 2 * len(lines) - 1 <= len(lines[0]) <= 2 * len(lines)
    assert len({len(line) for line in lines}) == 1
