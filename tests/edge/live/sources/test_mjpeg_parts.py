"""MJPEG as small cameras send it: no boundary at the beginning, no dashes, no length, empty parts, torn pictures."""

import http.client
import io

import cv2
import numpy as np
import pytest

from edge.live.sources.mjpeg_parts import MjpegReader


def jpeg(shade: int, *options: int) -> bytes:
    noise = np.random.default_rng(shade).integers(0, 99, (48, 64, 3)).astype(np.uint8) + np.uint8(shade)
    return cv2.imencode(".jpg", noise, list(options))[1].tobytes()


def with_thumbnail(picture: bytes) -> bytes:
    """Put a whole JPEG into an APP1 segment, as cameras do for EXIF."""
    inner = jpeg(9)
    return picture[:2] + b"\xff\xe1" + (len(inner) + 2).to_bytes(2, "big") + inner + picture[2:]


PICTURES = [
    jpeg(10),
    jpeg(60, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    jpeg(110, cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
    with_thumbnail(jpeg(140)),
]


class Drops(io.BytesIO):
    """Gives a few bytes at a time, as a slow network does."""

    def read1(self, n: int | None = -1) -> bytes:
        """At most 7 bytes."""
        return super().read(7 if n is None or n < 0 else min(7, n))


def cut(stream: io.BytesIO) -> list[bytes]:
    reader, found = MjpegReader(stream), []
    while (picture := reader.next()) is not None:
        found.append(picture)
    return found


LENGTH = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"--frame\r\n" + LENGTH, b"\r\n"),
        (LENGTH, b"\r\n--fr\r\n"),  # no boundary before the first picture
        (b"myboundary\r\n" + LENGTH, b"\r\n"),  # no dashes
        (b"--frame\r\nContent-Type: image/jpeg\r\n\r\n", b""),  # no length, no line end
        (b"--frame\nContent-Length: %d\n\n", b"\n"),
        (b"--frame\r\nContent-Length: 99999999\r\n\r\n", b"\r\n"),  # a wrong length
        (
            b"--frame\r\n\r\n\r\n--frame\r\nContent-Length: 0\r\n\r\n\r\n--frame\r\n" + LENGTH,
            b"\r\n",
        ),  # empty parts
        (b"", b""),
    ],
)
@pytest.mark.parametrize("stream", [io.BytesIO, Drops])
def test_each_picture_comes_whole_however_it_is_framed(
    before: bytes, after: bytes, stream: type[io.BytesIO]
) -> None:
    body = b"".join(before.replace(b"%d", b"%d" % len(one)) + one + after for one in PICTURES)
    assert cut(stream(body)) == PICTURES


def test_a_picture_is_given_as_soon_as_its_last_byte_is_there() -> None:
    class Silent(io.BytesIO):
        def read1(self, n: int | None = -1) -> bytes:
            data = super().read1(n)
            assert data, "asked for more than the picture"
            return data

    assert MjpegReader(Silent(PICTURES[0])).next() == PICTURES[0]


def test_a_torn_picture_does_not_take_the_next_one_with_it() -> None:
    torn = PICTURES[0][: len(PICTURES[0]) * 3 // 4]
    found = cut(io.BytesIO(torn + b"\r\n--frame\r\n\r\n" + PICTURES[1]))
    assert len(found) == 2
    assert found[1] == PICTURES[1]


def test_a_stream_that_breaks_off_within_a_picture_is_no_end() -> None:
    with pytest.raises(http.client.IncompleteRead):
        cut(io.BytesIO(PICTURES[0] + PICTURES[1][:-9]))


def test_a_stream_of_something_else_is_given_up() -> None:
    with pytest.raises(http.client.HTTPException, match="no picture"):
        cut(io.BytesIO(b"<html>" * 20_000))
