"""Cut an MJPEG stream off again and again: how soon is the count back, and is anything counted twice?

A server on loopback shows the simulator's stage at ten frames a second. It is cut in turn by closing the
connection with the port (a camera unplugged) and by falling silent for ever on an open one (a network that
hangs), and comes back after a random while. Timed is from its return to the first frame that arrives, and to
the first result.

    python -m benchmarks.stream_cuts --cuts 30
"""

import json
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import click

from benchmarks.live_endurance import HurriedStage, cells_seen
from benchmarks.pan_counting import FinderAlone
from edge.images.encode import encode_jpeg
from edge.live.counting import SlideCounter
from edge.live.session import LiveSession
from edge.live.snapshot import Snapshot
from edge.live.sources.mjpeg import HttpSource
from edge.live.tasks import SlideTask
from edge.parasitaemia.estimate import Rates, red_cells
from edge.slides.store import SlideStore

_FRAME_SECONDS = 0.1
_QUALITY = 95
_LONGEST_WAIT = 30.0
_RATES = Rates(1000, 1000, 1000, 1000, "not used")


class ShakyCamera:
    """Serves the stage's frames as MJPEG, until it is cut.

    Args:
        stage: gives the frames.
    """

    def __init__(self, stage: HurriedStage) -> None:
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
        # Each time an event of its own: who hangs on an old connection hangs for ever.
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
                    time.sleep(_FRAME_SECONDS)
                if silent.is_set():
                    time.sleep(_LONGEST_WAIT)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def cut(self, *, hang: bool) -> None:
        """Break off: close the connections, or leave them open and say nothing more."""
        if self._server is None:
            raise RuntimeError("the camera is not plugged in")
        silent = self._silent
        self._silent = threading.Event()
        if hang:
            silent.set()
        self._server.shutdown()
        self._server.socket.close()
        self._server = None

    def _next_frame(self) -> bytes:
        with self._lock:
            picture = self._stage.read()
        return encode_jpeg(picture.rgb, _QUALITY)


def wait_until(session: LiveSession, reached: Callable[[Snapshot], bool]) -> float:
    """Wait for a state of the session and return when it was there, seconds of the monotonic clock.

    Raises:
        click.ClickException: it did not come in half a minute.
    """
    end = time.monotonic() + _LONGEST_WAIT
    while not reached(session.snapshot()):
        if time.monotonic() > end or session.failure() is not None:
            raise click.ClickException(f"The stream did not come back: {session.snapshot()}")
        time.sleep(0.005)
    return time.monotonic()


@click.command()
@click.option("--cuts", default=30, show_default=True)
@click.option("--longest", default=6.0, show_default=True, help="Longest absence, seconds.")
@click.option("--seed", default=3, show_default=True)
def main(*, cuts: int, longest: float, seed: int) -> None:
    """Cut the stream; exit with 1 where a return took over five seconds or over 2 % too many cells were counted."""
    chance = random.Random(seed)
    stage = HurriedStage(1_000_000, 6000, seed)
    stage.open()
    camera = ShakyCamera(stage)
    camera.plug_in()
    frames, results = [], []
    with tempfile.TemporaryDirectory() as folder, SlideStore(Path(folder) / "slides.sqlite") as store:
        slide = store.create_slide(
            "cuts", operator="", device="", model_name="", model_sha256="0" * 64, settings={}
        )
        task = SlideTask(
            SlideCounter(store, slide, FinderAlone()),
            store,
            slide,
            rates=_RATES,
            blood=red_cells(),
            cells_wanted=1_000_000,
        )
        session = LiveSession(HttpSource(camera.address), task)
        session.start()
        wait_until(session, lambda snapshot: snapshot.considered > 5)
        for number in range(cuts):
            camera.cut(hang=number % 2 == 1)
            time.sleep(chance.uniform(0.1, longest))
            before = session.snapshot()
            back = time.monotonic()
            camera.plug_in()
            # What arrived before the cut may still be under way: two new ones are surely of after.
            received, considered = before.source.received, before.considered
            frames.append(wait_until(session, lambda s, n=received: s.source.received > n) - back)  # type: ignore[misc]
            results.append(wait_until(session, lambda s, n=considered: s.considered > n + 1) - back)  # type: ignore[misc]
            time.sleep(chance.uniform(0.5, 1.5))
        session.stop()
        returns = session.snapshot().source.returns
        counted = store.counts(slide).cells
    truth = cells_seen(stage)
    record = {
        "cuts": cuts,
        "returns": returns,
        "seconds_to_first_frame": {"median": statistics.median(frames), "worst": max(frames)},
        "seconds_to_second_result": {"median": statistics.median(results), "worst": max(results)},
        "counted": counted,
        "truth_of_fields_shown": truth,
        "stretches": session.snapshot().facts["stretches"],
    }
    click.echo(json.dumps(record))
    if max(results) > 5 or counted > 1.02 * truth:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
