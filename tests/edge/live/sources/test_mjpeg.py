"""MJPEG streams that break off, stall and come back."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.request import parse_http_list, parse_keqv_list

import cv2
import pytest

from edge.errors import SourceError
from edge.live.sources.grabber import FrameGrabber
from edge.live.sources.mjpeg import HttpSource
from tests.support.cameras.live_sources import picture_of, until
from tests.support.http.loopback import on_loopback


@contextmanager
def mjpeg_server(frames_a_connection: int, *, length: bool = True) -> Iterator[str]:
    """Serve MJPEG on loopback and break every connection off in the middle of a frame."""
    _, jpeg = cv2.imencode(".jpg", picture_of(77))
    data = jpeg.tobytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            stated = f"Content-Length: {len(data)}\r\n".encode() if length else b""
            head = b"--frame\r\nContent-Type: image/jpeg\r\n" + stated + b"\r\n"
            for _ in range(frames_a_connection):
                self.wfile.write(head + data + b"\r\n")
            self.wfile.write(head + data[: len(data) // 2])

    with on_loopback(Handler) as place:
        yield f"http://{place}/video"


@pytest.mark.slow
@pytest.mark.parametrize("length", [True, False])
def test_a_stream_gives_its_frames_and_says_when_it_broke_off(length: bool) -> None:
    with mjpeg_server(3, length=length) as address:
        source = HttpSource(address)
        source.open()
        frames = [source.read() for _ in range(3)]
        assert all(abs(int(frame.rgb[0, 0, 0]) - 77) < 3 for frame in frames if frame is not None)
        assert None not in frames
        with pytest.raises(SourceError, match="broke off"):
            source.read()
        source.close()


@pytest.mark.slow
def test_a_stream_cut_off_again_and_again_comes_back_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.live.sources.grabber.FIRST_WAIT", 0.01)
    with mjpeg_server(2) as address:
        newest = FrameGrabber(HttpSource(address))
        newest.start()
        assert until(lambda: newest.status().returns >= 30, 60)
        assert newest.take(5) is not None
        newest.stop()


def test_a_stream_that_stalls_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.live.sources.mjpeg.TIMEOUT", 0.2)
    silence = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            self.wfile.flush()
            silence.wait(20)

    with on_loopback(Handler) as place:
        source = HttpSource(f"http://{place}/")
        source.open()
        with pytest.raises(SourceError, match="nothing came for"):
            source.read()
        silence.set()
        source.close()


def test_a_camera_that_asks_for_digest_gets_the_password_hashed() -> None:
    _, jpeg = cv2.imencode(".jpg", picture_of(77))
    asked: list[str | None] = []

    def answer(user: str, realm: str, password: str, nonce: str, field: dict[str, str]) -> str:
        """RFC 2617, section 3.2.2.1, with qop=auth."""
        first = md5(f"{user}:{realm}:{password}")
        second = md5(f"GET:{field['uri']}")
        return md5(f"{first}:{nonce}:{field['nc']}:{field['cnonce']}:auth:{second}")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Authorization"])
            fields = parse_keqv_list(parse_http_list((asked[-1] or "Digest ").removeprefix("Digest ")))
            right = fields and fields["response"] == answer("amina", "camera", "s3cret", "n0nce", fields)
            if not right:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Digest realm="camera", nonce="n0nce", qop="auth"')
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.end_headers()
            self.wfile.write(jpeg.tobytes())

    with on_loopback(Handler) as place:
        source = HttpSource(f"http://amina:s3cret@{place}/still")
        source.open()
        frame = source.read()
        assert frame is not None
        assert abs(int(frame.rgb[0, 0, 0]) - 77) < 3
        assert not any("Basic" in (one or "") for one in asked)
        source.close()
        wrong = HttpSource(f"http://amina:other@{place}/still")
        with pytest.raises(SourceError, match="401"):
            wrong.open()


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
