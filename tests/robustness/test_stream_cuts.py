"""An MJPEG stream is cut off again and again: the count comes back by itself and counts nothing twice.

It is cut in turn by closing the connection with the port (a camera unplugged) and by falling silent on an open
connection (a network that hangs), and comes back after a random while.
"""

import random
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import pytest

from edge.calibration.setup import set_up_slide
from edge.live.session import LiveSession
from edge.live.setup import SlideRequest, find_or_begin, slide_task
from edge.live.snapshot import Snapshot
from edge.live.sources.mjpeg import HttpSource
from edge.slides.store import SlideStore
from tests.support.cameras.stepped_stage import SteppedStage

pytestmark = pytest.mark.slow

FRAME_SECONDS = 0.1
PATIENCE = 60.0
LONGEST_CUT = 3.0


class ShakyCamera:
    """Serves a stage's frames as MJPEG on loopback until it is cut.

    Args:
        stage: gives the frames.
    """

    def __init__(self, stage: SteppedStage) -> None:
        self._stage = stage
        self._lock = threading.Lock()
        self._port = 0
        self._silent = threading.Event()
        self._server: ThreadingHTTPServer | None = None

    @property
    def address(self) -> str:
        """Where it is seen."""
        return f"http://127.0.0.1:{self._port}/video"

    def plug_in(self) -> None:
        """Listen, on the same port each time."""
        # A new event each time: whoever hangs on an old connection hangs for ever.
        silent = self._silent = threading.Event()
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                while camera._silent is silent and not silent.is_set():
                    data = camera._next_frame()
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                    try:
                        self.wfile.write(head.encode() + data + b"\r\n")
                    except OSError:
                        return
                    time.sleep(FRAME_SECONDS)
                if silent.is_set():
                    time.sleep(PATIENCE)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def cut(self, *, hang: bool) -> None:
        """Close the connections, or leave them open and send nothing more."""
        assert self._server is not None
        silent = self._silent
        self._silent = threading.Event()
        if hang:
            silent.set()
        self._server.shutdown()
        self._server.socket.close()
        self._server = None

    def _next_frame(self) -> bytes:
        with self._lock:
            rgb = self._stage.read().rgb
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def wait_until(session: LiveSession, reached: Callable[[Snapshot], bool]) -> None:
    """Wait for a state of the session."""
    end = time.monotonic() + PATIENCE
    while not reached(session.snapshot()):
        assert session.failure() is None
        assert time.monotonic() < end, f"the stream did not come back: {session.snapshot()}"
        time.sleep(0.01)


def test_a_stream_that_is_cut_comes_back_and_no_cell_is_counted_twice(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    cuts, chance = request.config.getoption("--cuts"), random.Random(3)
    setup = set_up_slide(threads=1)
    stage = SteppedStage(1_000_000, 6000, seed=3)
    stage.open()
    camera = ShakyCamera(stage)
    camera.plug_in()
    with SlideStore(tmp_path / "slides.sqlite") as store:
        slide = find_or_begin(store, setup, SlideRequest("cut"), stage.name)
        session = LiveSession(
            HttpSource(camera.address), slide_task(setup, store, slide, cells_wanted=1_000_000)
        )
        session.start()
        wait_until(session, lambda snapshot: snapshot.considered > 5)
        for number in range(cuts):
            camera.cut(hang=number % 2 == 1)
            time.sleep(chance.uniform(0.1, LONGEST_CUT))
            camera.plug_in()
            # Frames from before the cut may lie in the connection still: only then are new ones of after it.
            wait_until(session, lambda snapshot, cut=number: snapshot.source.returns > cut)  # type: ignore[misc]
            enough = session.snapshot().considered + 1
            wait_until(session, lambda snapshot, enough=enough: snapshot.considered >= enough)  # type: ignore[misc]
            time.sleep(chance.uniform(0.2, 0.8))
        # Of a stage that slows down the last frames are sharp, and counted: it is stopped where it rests.
        wait_until(session, lambda _: stage.rests())
        session.stop()
        camera.cut(hang=False)
        returns, counted = session.snapshot().source.returns, store.counts(slide).cells
    assert returns >= cuts
    assert 0 < counted <= 1.02 * stage.cells_shown()
