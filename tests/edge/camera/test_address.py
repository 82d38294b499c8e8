"""What of a network camera's address may be shown."""

import pytest

from edge.camera.address import shown_address, without_secrets


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://user:secret@127.0.0.1:23471/video", "http://127.0.0.1:23471/video"),
        ("HTTP://user@cam", "HTTP://cam"),
        ("http://user:s@cret@cam/v", "http://cam/v"),
        ("rtsp://user:secret@[fe80::1]:554/live", "rtsp://[fe80::1]:554/live"),
        ("http:user:secret@cam/v", "http://cam/v"),
        ("http://cam/?action=stream", "http://cam/?action=stream"),
        ("http://cam/v?channel=1&TOKEN=secret", "http://cam/v?channel=1&TOKEN=***"),
        ("http://cam/v?usr=secret;pwd=secret;loginpas=secret", "http://cam/v?usr=***&pwd=***&loginpas=***"),
        ("http://cam/v?password=secret&key=secret", "http://cam/v?password=***&key=***"),
        ("http://cam/v?%70wd=secret", "http://cam/v?%70wd=***"),
        ("http://cam/v?secret", "http://cam/v?***"),
        ("http://cam/v?c2VjcmV0==", "http://cam/v?***"),
        ("http://cam/v?size=0123456789abcdef0123456789abcdef", "http://cam/v?size=***"),
        ("http://cam/v#secret", "http://cam/v"),
        ("rtsp://cam/user=me&password=secret&channel=1", "rtsp://cam/user=***"),
        ("rtsp://cam/user=me_password=secret_channel=1/sub", "rtsp://cam/user=***/sub"),
    ],
)
def test_what_lets_others_in_is_hidden(address: str, shown: str) -> None:
    assert shown_address(address) == shown
    assert shown_address(shown) == shown


@pytest.mark.parametrize("mark", ["/", "?", "#", "\\"])
def test_a_password_that_cannot_be_told_from_the_rest_hides_all(mark: str) -> None:
    assert shown_address(f"http://user:sec{mark}ret@cam/v") == "http://***"
    assert shown_address(f"http://user:123{mark}4@cam/v") == "http://***"


def test_what_is_no_address_stays_as_it_is() -> None:
    assert shown_address("pan=1.avi") == "pan=1.avi"
    assert (
        without_secrets("bench (x86_64), folder /home/me@lab/a=b")
        == "bench (x86_64), folder /home/me@lab/a=b"
    )


def test_the_address_that_ends_a_text_is_hidden() -> None:
    text = "bench (x86_64), http://user:secret@cam:81/v?token=secret"
    assert without_secrets(text) == "bench (x86_64), http://cam:81/v?token=***"
