"""Sources: newest frame only, lost ones fetched back, a folder's files once each."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from edge.errors import SourceError
from edge.imaging import write_png
from edge.live.choosing import choose_source
from edge.live.folder import GIVEN_UP_SECONDS, SETTLED_SECONDS, FolderSource
from edge.live.mjpeg import HttpSource, without_password
from edge.live.newest import NewestFrame
from edge.live.sources import (
    CameraSource,
    EndOfSourceError,
    PicameraSource,
    Picture,
    StreamSource,
    VideoSource,
)
from edge.live.virtualstage import SimulatorSource


def picture_of(shade: int) -> np.ndarray:
    return np.full((48, 64, 3), shade, np.uint8)


class Script:
    """A source that does what a list says: a shade, a pause, a failure, the end."""

    name = "script"

    def __init__(self, steps: list[object], *, live: bool = True, fail_open: int = 0) -> None:
        self.steps = iter(steps)
        self.live = live
        self.opened = 0
        self.fail_open = fail_open

    def open(self) -> None:
        """Fail as often as told."""
        self.opened += 1
        if 1 < self.opened <= 1 + self.fail_open:
            raise SourceError("still away")

    def read(self) -> Picture:
        """Take the next step."""
        step = next(self.steps, None)
        if step is None:
            raise EndOfSourceError("the script is over")
        if isinstance(step, Exception):
            raise step
        if isinstance(step, threading.Event):
            step.wait(5)
            step = 0
        return Picture(picture_of(int(str(step))), "script")

    def close(self) -> None:
        """Nothing to close."""


def until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_only_the_newest_frame_is_kept_and_the_dropped_are_counted() -> None:
    newest = NewestFrame(Script([1, 2, 3, 4, 5]))
    newest.start()
    assert until(lambda: newest.status().state == "ended")
    frame = newest.take(1)
    assert frame is not None
    assert (frame.rgb[0, 0, 0], frame.number) == (5, 5)
    assert (newest.status().received, newest.status().dropped) == (5, 4)
    assert newest.take(0.01) is None
    newest.stop()


def test_a_source_that_is_not_live_loses_nothing() -> None:
    newest = NewestFrame(Script([1, 2, 3], live=False))
    newest.start()
    shades = []
    while (frame := newest.take(2)) is not None:
        shades.append(int(frame.rgb[0, 0, 0]))
    assert shades == [1, 2, 3]
    assert newest.status().dropped == 0
    newest.stop()


def test_a_lost_source_is_fetched_back_with_pauses() -> None:
    source = Script([1, SourceError("unplugged"), 2], live=False, fail_open=1)
    newest = NewestFrame(source)
    newest.start()
    first, second = newest.take(5), newest.take(5)
    assert first is not None
    assert second is not None
    assert second.rgb[0, 0, 0] == 2
    assert newest.status().returns == 1
    assert source.opened == 3
    newest.stop()


def test_a_silent_source_is_called_stalled() -> None:
    now = [0.0]
    gate = threading.Event()
    newest = NewestFrame(Script([gate]), clock=lambda: now[0])
    newest.start()
    now[0] = 10.0
    assert newest.status().state == "stalled"
    assert "10 seconds" in newest.status().words
    gate.set()
    newest.stop()


def test_a_source_that_never_opened_is_an_error_at_once() -> None:
    newest = NewestFrame(FolderSource(Path("no/such/folder")))
    with pytest.raises(SourceError, match="no folder"):
        newest.start()


class Clock:
    """A clock that pauses move on."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.at

    def pause(self, seconds: float) -> None:
        """Wait."""
        self.at += seconds


def names_within(source: FolderSource, clock: Clock, seconds: float) -> list[str]:
    """Read the folder for so long by its clock."""
    end, names = clock.at + seconds, []
    while clock.at < end:
        picture = source.read()
        if picture is not None:
            names.append(picture.name)
    return names


def watch(folder: Path, clock: Clock, **options: object) -> FolderSource:
    return FolderSource(folder, clock=clock, pause=clock.pause, **options)  # type: ignore[arg-type]


def test_each_file_of_a_folder_is_taken_once_and_in_order(tmp_path: Path) -> None:
    clock = Clock()
    source = watch(tmp_path, clock)
    for number in range(3):
        write_png(tmp_path / f"f{number}.png", picture_of(number))
    (tmp_path / "notes.txt").write_text("no picture")
    assert names_within(source, clock, 3) == ["f0.png", "f1.png", "f2.png"]
    write_png(tmp_path / "late.png", picture_of(9))
    assert names_within(source, clock, 3) == ["late.png"]
    # The same picture under another name is the same picture.
    (tmp_path / "copy.png").write_bytes((tmp_path / "f1.png").read_bytes())
    assert names_within(source, clock, 3) == []


def test_a_folders_files_are_not_taken_again_after_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    write_png(tmp_path / "a.png", picture_of(1))
    source = watch(tmp_path, clock)
    taken = []
    while not taken:
        picture = source.read()
        taken += [picture.sha256] if picture else []
    write_png(tmp_path / "b.png", picture_of(2))
    assert names_within(watch(tmp_path, clock, taken=taken), clock, 3) == ["b.png"]


def test_a_half_written_file_is_waited_for(tmp_path: Path) -> None:
    clock = Clock()
    write_png(tmp_path / "whole.png", np.random.default_rng(0).integers(0, 255, (48, 64, 3)).astype(np.uint8))
    data = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "whole.png").unlink()
    source = watch(tmp_path, clock)
    for part in range(1, 5):
        (tmp_path / "slow.png").write_bytes(data[: part * len(data) // 5])
        assert names_within(source, clock, 2 * SETTLED_SECONDS) == []
    (tmp_path / "slow.png").write_bytes(data)
    assert names_within(source, clock, 3) == ["slow.png"]


def test_a_damaged_file_is_named_once(tmp_path: Path) -> None:
    clock, faults = Clock(), []
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    source = watch(tmp_path, clock, give_up=lambda sha256, fault: faults.append((sha256, fault)))
    assert names_within(source, clock, 3 * GIVEN_UP_SECONDS) == []
    assert len(faults) == 1
    assert "bad.png cannot be read" in faults[0][1]


def test_a_folder_that_goes_away_is_lost_and_comes_back(tmp_path: Path) -> None:
    folder, clock = tmp_path / "drop", Clock()
    folder.mkdir()
    write_png(folder / "a.png", picture_of(1))
    source = watch(folder, clock)
    assert names_within(source, clock, 3) == ["a.png"]
    away = tmp_path / "away"
    folder.rename(away)
    with pytest.raises(SourceError, match="cannot be read"):
        source.read()
    with pytest.raises(SourceError, match="no folder"):
        source.open()
    away.rename(folder)
    source.open()
    write_png(folder / "b.png", picture_of(2))
    assert names_within(source, clock, 3) == ["b.png"]


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

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/video"
    finally:
        server.shutdown()
        server.server_close()


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


def test_a_stream_cut_off_again_and_again_comes_back_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.live.newest.FIRST_WAIT", 0.01)
    with mjpeg_server(2) as address:
        newest = NewestFrame(HttpSource(address))
        newest.start()
        assert until(lambda: newest.status().returns >= 30, 60)
        assert newest.take(5) is not None
        newest.stop()


def test_a_stream_that_stalls_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.live.mjpeg.TIMEOUT", 0.2)
    silence = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            self.wfile.flush()
            silence.wait(20)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    source = HttpSource(f"http://127.0.0.1:{server.server_port}/")
    source.open()
    with pytest.raises(SourceError, match="nothing came for"):
        source.read()
    silence.set()
    source.close()
    server.shutdown()
    server.server_close()


def test_an_address_is_shown_without_its_password() -> None:
    assert without_password("http://amina:secret@cam.local:81/v?x=1") == "http://cam.local:81/v?x=1"
    source = HttpSource("http://amina:secret@127.0.0.1:9/v")
    assert "secret" not in source.name
    with pytest.raises(SourceError) as caught:
        source.open()
    assert "secret" not in str(caught.value)


def test_a_video_is_read_frame_by_frame_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "pan.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for shade in (10, 60, 110, 160):
        writer.write(picture_of(shade))
    writer.release()
    source = VideoSource(path, every_frame=True)
    source.open()
    shades = [int(source.read().rgb.mean()) for _ in range(4)]
    assert shades == pytest.approx([10, 60, 110, 160], abs=3)
    with pytest.raises(EndOfSourceError):
        source.read()
    source.close()


class Picamera2:
    """What `PicameraSource` uses of picamera2, by its manual of 2024: made-up frames, real names and calls."""

    fault: Exception | None = None
    open_cameras = 0

    def __init__(self) -> None:
        if self.fault is not None:
            raise self.fault
        type(self).open_cameras += 1
        self._size = (0, 0)

    def create_video_configuration(self, main: dict[str, object]) -> dict[str, object]:
        """A configuration is a dictionary of streams."""
        return {"main": main}

    def configure(self, configuration: dict[str, dict[str, object]]) -> None:
        """Libcamera's BGR888 has red first in memory."""
        assert configuration["main"]["format"] == "BGR888"
        self._size = configuration["main"]["size"]  # type: ignore[assignment]

    def start(self) -> None:
        """Nothing to start."""

    def capture_array(self, name: str) -> np.ndarray:
        """A red frame, whose rows libcamera may have padded to four channels."""
        assert name == "main"
        if self.fault is not None:
            raise self.fault
        return np.broadcast_to(np.array([200, 10, 20, 0], np.uint8), (*self._size[::-1], 4))

    def close(self) -> None:
        """Let go of the camera."""
        type(self).open_cameras -= 1


def test_a_csi_camera_is_read_by_picamera2_as_rgb_and_fetched_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", SimpleNamespace(Picamera2=Picamera2))
    source = PicameraSource((64, 48))
    source.open()
    assert source.read().rgb.shape == (48, 64, 3)
    assert source.read().rgb[0, 0].tolist() == [200, 10, 20]
    monkeypatch.setattr(Picamera2, "fault", RuntimeError("Camera frontend has timed out!"))
    with pytest.raises(SourceError, match="gives no more frames"):
        source.read()
    with pytest.raises(SourceError, match="cannot be opened"):
        source.open()
    monkeypatch.setattr(Picamera2, "fault", None)
    source.open()
    assert source.read().rgb.shape == (48, 64, 3)
    source.close()
    assert Picamera2.open_cameras == 0


def test_without_picamera2_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(SourceError, match="apt install python3-picamera2"):
        PicameraSource().open()


def test_the_simulator_moves_rests_and_comes_back() -> None:
    clock = Clock()
    source = SimulatorSource(1, clock=clock, pause=clock.pause)
    source.open()
    assert source.position(0.0) == source.position(0.9) == (0.0, 0.0)
    assert source.position(1.3) != (0.0, 0.0)
    assert source.position(1.6) == (896.0, 0.0)
    assert source.read().rgb.shape == (960, 1280, 3)
    assert clock.at > 0


def test_what_a_user_writes_names_a_source(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    assert isinstance(choose_source("0"), CameraSource)
    assert isinstance(choose_source("rtsp://cam/1"), StreamSource)
    assert isinstance(choose_source("HTTP://cam/1"), HttpSource)
    assert isinstance(choose_source(str(tmp_path)), FolderSource)
    assert isinstance(choose_source(str(tmp_path / "a.mp4")), VideoSource)
    with pytest.raises(SourceError, match="no source 'ftp://cam'"):
        choose_source("ftp://cam")
