"""One request over TLS: whom it trusts, how it names itself, and what is never sent."""

import base64
import ssl
from pathlib import Path

import pytest

from edge.errors import SendError
from edge.messages.send_codes import SendCode
from edge.sending.connection import Connection, NotReachedError
from edge.sending.settings import Target

pytest.importorskip("cryptography", reason="cryptography is not installed")

from tests.support.fhir_over_http import fhir_over_http
from tests.support.http.certificates import Authority

EMPTY = b'{"resourceType": "Bundle", "type": "transaction", "entry": []}'


def ask(target: Target) -> int:
    return Connection(target).send("POST", "", EMPTY, "application/fhir+json").status


def test_a_server_of_an_own_authority_is_trusted_and_any_other_is_not(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "another")
    with fhir_over_http(authority.server_context()) as server:
        assert ask(Target(server.url, ca=str(authority.file))) == 200
        for ca in (None, str(other.file)):
            with pytest.raises(NotReachedError) as refused:
                ask(Target(server.url, ca=ca))
            assert refused.value.reason.code is SendCode.CERTIFICATE


def test_a_certificate_of_an_own_authority_may_lack_what_python_3_13_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lenient = ssl.create_default_context

    def strict(cafile: str | None = None) -> ssl.SSLContext:
        """As Python 3.13 makes it."""
        context = lenient(cafile=cafile)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)
    authority = Authority(tmp_path)
    with fhir_over_http(authority.server_context()) as server:
        assert ask(Target(server.url, ca=str(authority.file))) == 200


def test_a_server_that_asks_for_a_certificate_gets_it(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    device = str(authority.sign("device"))
    with fhir_over_http(authority.server_context(client_needed=True)) as server:
        ca = str(authority.file)
        assert ask(Target(server.url, ca=ca, certificate=device)) == 200
        with pytest.raises(NotReachedError):
            ask(Target(server.url, ca=ca))


def test_a_token_and_a_password_are_sent_over_tls_only(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("sesame\n")
    (tmp_path / "user").write_text("amina:s3cret\n")
    authority = Authority(tmp_path)
    with fhir_over_http(authority.server_context()) as server:
        ask(Target(server.url, ca=str(authority.file), token_file=str(tmp_path / "token")))
        ask(Target(server.url, ca=str(authority.file), user_file=str(tmp_path / "user")))
        basic = base64.b64encode(b"amina:s3cret").decode()
        assert [sent for sent, _ in server.requests] == ["Bearer sesame", f"Basic {basic}"]
    with pytest.raises(SendError) as refused:
        Connection(Target("http://fhir.example.org/fhir", token_file=str(tmp_path / "token")))
    assert refused.value.code is SendCode.SECRET_IN_CLEAR


@pytest.mark.parametrize(
    "url",
    [
        *("", "fhir.example.org", "ftp://x/y", "https://amina:s3cret@x/fhir", "file:///etc/passwd"),
        *(
            "https://[::1/fhir",
            "https://x:port/fhir",
            "https://x:99999/fhir",
            "https://x/fhîr",
            "https://x/a b",
        ),
        f"https://{'x' * 64}.org/fhir",
    ],
)
def test_what_is_no_address_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(SendError) as refused:
        Connection(Target(url))
    assert refused.value.code is SendCode.ADDRESS


@pytest.mark.parametrize("content", [b"t\xe9", "sésame".encode(), b"sesame\nsecond line"])
def test_a_token_that_no_request_can_hold_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(SendError) as refused:
        Connection(Target("https://127.0.0.1:9/fhir", token_file=str(tmp_path / "token")))
    assert refused.value.code is SendCode.NO_SECRET


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    url = "https://127.0.0.1:9/fhir"
    for target, code in (
        (Target(url, ca=str(tmp_path / "ca.pem")), SendCode.NO_CERTIFICATE),
        (Target(url, certificate=str(tmp_path / "c.pem")), SendCode.NO_CERTIFICATE),
        (Target(url, token_file=str(tmp_path / "token")), SendCode.NO_SECRET),
    ):
        with pytest.raises(SendError) as refused:
            Connection(target)
        assert refused.value.code is code
