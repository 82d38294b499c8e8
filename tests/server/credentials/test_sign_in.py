"""Signing in as a browser does it: over a foreign name, with the headers and redirects that only a browser makes."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from server.credentials.token import make_token
from tests.support.http.running_server import app_of, make_context, served, store_in

CHROME = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)
"""What Chromium, Edge and Android send when a person goes to an address."""
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    folder = tmp_path_factory.mktemp("guarded")
    secret, record = make_token()
    with (
        store_in(folder) as store,
        make_context(folder, store=store, token=record, allowed_hosts=("bench.test",)) as context,
    ):
        yield context, secret


@pytest.mark.parametrize("accept", [CHROME, FIREFOX])
def test_a_browser_without_a_session_is_led_to_the_form(guarded: tuple[Any, str], accept: str) -> None:
    answer = app_of(guarded[0]).test_client().get("/slides/3/report", headers={"Accept": accept})
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/sign-in?next=/slides/3/report"


@pytest.mark.slow
@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html;q=0.5", ""])
def test_a_program_without_a_token_gets_a_problem_document(guarded: tuple[Any, str], accept: str) -> None:
    answer = app_of(guarded[0]).test_client().get("/slides", headers={"Accept": accept})
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"


@pytest.mark.slow
@pytest.mark.parametrize(
    "wanted", ["//evil.test/", "https://evil.test/", "/\\evil.test", "javascript:alert(1)", ""]
)
def test_a_sign_in_never_leads_to_another_server(guarded: tuple[Any, str], wanted: str) -> None:
    context, secret = guarded
    answer = app_of(context).test_client().post("/sign-in", data={"token": secret, "next": wanted})
    assert answer.headers["Location"] == "/"


def test_a_person_who_goes_astray_reads_a_page(guarded: tuple[Any, str]) -> None:
    context, secret = guarded
    client = app_of(context).test_client()
    client.post("/sign-in", data={"token": secret})
    answer = client.get("/nowhere", headers={"Accept": CHROME})
    assert answer.status_code == 404
    assert answer.content_type.startswith("text/html")
    assert "There is nothing at this address." in answer.text


@pytest.mark.browser
def test_a_person_signs_in_over_the_network(guarded: tuple[Any, str]) -> None:
    browser = pytest.importorskip("tests.support.http.browser", reason="selenium is not installed")
    pages = pytest.importorskip("tests.support.http.browser_page")
    context, secret = guarded
    with (
        served(context) as address,
        browser.chromium("--host-resolver-rules=MAP bench.test 127.0.0.1") as driver,
    ):
        there = f"http://bench.test:{urlsplit(address).port}"
        page = pages.Page(driver, there)
        driver.get(f"{there}/#slides")
        page.one("#token").send_keys("a wrong one\n")
        assert page.reads("This is not the server's token.")
        page.one("#token").send_keys(f"{secret}\n")
        page.until(lambda: page.one("html").get_attribute("data-ready") == "yes")
        assert driver.current_url == f"{there}/#slides"
        assert not [words for words in page.complaints() if "Uncaught" in words or "Refused" in words]
