"""Pictures as clients of all kinds send them: names in any charset, no name, encodings, several at once."""

import base64
import gzip
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.http.running_server import app_of, cell_png, make_context

FORM = "multipart/form-data; boundary=XyZ"
MOST = 3


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    with make_context(
        tmp_path_factory.mktemp("serve"), max_pictures=MOST, max_body_bytes=4_000_000
    ) as context:
        yield app_of(context).test_client()


def send(client: FlaskClient, *parts: tuple[bytes, bytes]) -> TestResponse:
    """Send a form whose parts have these values of Content-Disposition and contents."""
    body = b"".join(
        b"--XyZ\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + data + b"\r\n"
        for head, data in parts
    )
    return client.post("/predict", data=body + b"--XyZ--\r\n", content_type=FORM)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"name=\"file\"; filename*=utf-8''c%C3%A9ll.png", "céll.png"),
        (b'name="file"; filename="c_ll.png"; filename*=UTF-8\'\'c%C3%A9ll.png', "c_ll.png"),
        ('name="file"; filename="célula 血.png"'.encode(), "célula 血.png"),
        (b'name="file"; filename="c\xe9lula.png"', "c\N{REPLACEMENT CHARACTER}lula.png"),
        (b'name="file"', ""),
        (b'name="file"; filename=""', ""),
        (b"name=file; filename=a.png", "a.png"),
    ],
    ids=["RFC 5987 alone", "both names", "UTF-8", "Latin-1", "no name", "empty name", "unquoted"],
)
def test_a_picture_is_judged_under_whatever_name_it_comes(
    client: FlaskClient, head: bytes, name: str
) -> None:
    answer = send(client, (head, cell_png()))
    assert answer.status_code == 200
    result = answer.json["results"][0]  # type: ignore[index]
    assert result["label"] in {"Parasitized", "Uninfected"}
    assert result["image"] == name


def test_fields_of_text_beside_the_picture_are_passed_over(client: FlaskClient) -> None:
    answer = send(client, (b'name="note"', b"from the ward"), (b'name="file"; filename="a.png"', cell_png()))
    assert answer.status_code == 200
    assert len(answer.json["results"]) == 1  # type: ignore[index]


def test_a_form_of_text_alone_has_no_picture(client: FlaskClient) -> None:
    answer = send(client, (b'name="note"', b"from the ward"))
    assert answer.status_code == 400
    assert answer.json["code"] == "request.no-picture"  # type: ignore[index]


@pytest.mark.parametrize("pictures", [MOST + 1, 100])
def test_too_many_pictures_are_told_how_many_are_taken(client: FlaskClient, pictures: int) -> None:
    answer = send(client, *((b'name="file"; filename="a.png"', cell_png()) for _ in range(pictures)))
    assert answer.status_code in {400, 413}
    assert str(MOST) in answer.json["detail"]  # type: ignore[index]


@pytest.mark.parametrize("in_form", [True, False])
def test_base64_is_named_as_what_it_is(client: FlaskClient, in_form: bool) -> None:
    data = base64.b64encode(cell_png())
    if in_form:
        answer = send(client, (b'name="file"; filename="a.png"\r\nContent-Transfer-Encoding: base64', data))
    else:
        answer = client.post("/predict", data=data, content_type="image/png")
    assert answer.status_code == 415
    assert "base64" in answer.json["detail"]  # type: ignore[index]


def test_a_packed_body_is_named_as_what_it_is(client: FlaskClient) -> None:
    answer = client.post(
        "/predict",
        data=gzip.compress(cell_png()),
        content_type="image/png",
        headers={"Content-Encoding": "gzip"},
    )
    assert answer.status_code == 415
    assert "gzip" in answer.json["detail"]  # type: ignore[index]


def test_a_heic_that_cannot_be_read_is_named_as_one(client: FlaskClient) -> None:
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)
    answer = send(client, (b'name="file"; filename="IMG_1.HEIC"', heic))
    assert answer.status_code == 422
    assert "HEIC" in answer.json["detail"]  # type: ignore[index]
