"""``plasmolite live``: what a person started with options leaves on the screen, in the store and in the exports."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from edge.images.encode import write_png
from edge.messages.codes import Code
from edge.slides.store import SlideStore
from plasmolite.console import main
from tests.support.cameras.fake_cameras import V4l2Camera, plugged_in
from tests.support.http.loopback import on_loopback

FIELD = (resources.files("edge.samples") / "fields" / "field_01.jpg").read_bytes()


def run(*arguments: str, code: int = 0) -> str:
    answer = CliRunner().invoke(main, list(arguments))
    assert answer.exit_code == code, answer.output
    return answer.output


@pytest.fixture
def network_camera() -> Iterator[str]:
    """A camera on loopback that streams one field; its host and port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            try:
                for _ in range(200):
                    self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + FIELD + b"\r\n")
            except OSError:
                pass  # the reader has gone

    with on_loopback(Handler) as place:
        yield place


@pytest.mark.slow
def test_a_cameras_password_is_nowhere(tmp_path: Path, network_camera: str) -> None:
    store = ["--store", str(tmp_path / "s.sqlite")]
    address = f"http://amina:s3cret@{network_camera}/video?token=t0ken&pwd=t0ken"
    counting = ["--slide", "mj", "--cells", "5", "--until-reached", "--json", "--threads", "1"]
    said = run("live", "--source", address, *counting, *store)
    assert json.loads(said.splitlines()[-1])["state"] == "ended"
    shown = f"http://{network_camera}/video?token=***&pwd=***"
    assert shown in run("slides", *store, "show", "mj")
    said += run("slides", *store, "show", "mj", "--audit")
    said += run("slides", *store, "list")
    said += run("slides", *store, "report", "mj", "--to", str(tmp_path / "report"))
    for kind in ("json", "fhir", "csv"):
        said += run("slides", *store, "export", "mj", "--format", kind, "--to", str(tmp_path / f"out-{kind}"))
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in ("amina", "s3cret", "t0ken"):
        assert secret not in said
        assert secret.encode() not in files


def test_the_cameras_options_reach_the_camera_and_the_slide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rgb = cv2.cvtColor(cv2.imdecode(np.frombuffer(FIELD, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    usb = V4l2Camera(picture=rgb)
    options = [
        "--exposure",
        "8000",
        "--white-balance",
        "5200",
        "--gain",
        "32",
        "--height",
        "1200",
        "--width",
        "1600",
    ]
    counting = ["--slide", "u", "--cells", "5", "--until-reached", "--json", "--threads", "1"]
    with plugged_in(monkeypatch, video0=usb):
        run("live", "--source", "/dev/video0", *options, *counting, "--store", str(tmp_path / "s.sqlite"))
    assert {(cv2.CAP_PROP_EXPOSURE, 80), (cv2.CAP_PROP_WB_TEMPERATURE, 5200), (cv2.CAP_PROP_GAIN, 32)} <= set(
        usb.sets[0]
    )
    with SlideStore(tmp_path / "s.sqlite") as store:
        camera = store.slide("u").settings["camera"]
    assert (camera["exposure_us"], camera["white_balance_k"], camera["gain"]) == (8000, 5200, 32)
    assert (camera["width"], camera["height"], camera["pixel_format"]) == (1600, 1200, "MJPG")


@pytest.mark.parametrize("source", ["simulator", "http://amina:s3cret@127.0.0.1:9/v"])
def test_settings_of_a_camera_are_refused_with_other_sources(tmp_path: Path, source: str) -> None:
    said = run(
        "live", "--source", source, "--exposure", "8000", "--store", str(tmp_path / "s.sqlite"), code=2
    )
    assert "takes no width, height, exposure" in said
    assert "s3cret" not in said


@pytest.mark.slow
def test_a_recording_that_breaks_off_is_told_with_code_1(tmp_path: Path) -> None:
    bgr = cv2.imdecode(np.frombuffer(FIELD, np.uint8), cv2.IMREAD_COLOR)
    path = tmp_path / "slide.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, bgr.shape[1::-1])
    for _ in range(12):
        writer.write(bgr)
    writer.release()
    options = ["--every-frame", "--json", "--threads", "1", "--store", str(tmp_path / "s.sqlite")]
    whole = json.loads(run("live", "--source", str(path), *options, "--slide", "a").splitlines()[-1])
    assert whole["words"].endswith("played to its end.")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    cut = json.loads(run("live", "--source", str(path), *options, "--slide", "b", code=1).splitlines()[-1])
    assert "of 12: the file is damaged or was cut off" in cut["words"]


@pytest.mark.slow
def test_a_folder_is_judged_once_and_the_count_ends(tmp_path: Path) -> None:
    folder, store = tmp_path / "fields", ["--store", str(tmp_path / "s.sqlite")]
    folder.mkdir()
    (folder / "a.jpg").write_bytes(FIELD)
    counting = ["--once", "--slide", "a", "--json", "--threads", "1", *store]
    last = json.loads(run("live", "--source", str(folder), *counting).splitlines()[-1])
    assert last["state"] == "ended"
    assert last["frames_considered"] == 1
    with SlideStore(tmp_path / "s.sqlite") as slides:
        assert len(slides.fields(slides.slide("a"))) == 1
    # What was judged is not judged again, and the count does not wait for more.
    again = ["--once", "--resume", "a", "--json", "--threads", "1", *store]
    assert json.loads(run("live", "--source", str(folder), *again).splitlines()[-1])["frames_considered"] == 0


@pytest.mark.parametrize("source", ["simulator", "http://amina:s3cret@127.0.0.1:9/v"])
def test_only_a_folder_is_judged_once(source: str) -> None:
    said = run("live", "--source", source, "--once", code=2)
    assert "--once is for a folder of pictures" in said
    assert "s3cret" not in said


@pytest.mark.slow
def test_only_files_that_could_not_be_judged_give_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder, store = tmp_path / "fields", ["--store", str(tmp_path / "s.sqlite")]
    folder.mkdir()
    (folder / "a.jpg").write_bytes(FIELD)
    (folder / "notes.txt").write_text("no picture, and no fault")
    counting = ["--once", "--json", "--threads", "1", *store]
    last = json.loads(run("live", "--source", "~/fields", "--slide", "a", *counting).splitlines()[-1])
    assert last["warning_messages"][-1]["code"] == Code.LIVE_KIND_LEFT_OUT
    write_png(folder / "black.png", np.zeros((480, 640, 3), np.uint8))
    run("live", "--source", "~/fields", "--slide", "b", *counting, code=1)


def test_a_french_count_has_a_french_title_and_says_in_french_that_there_is_no_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plasmolite.terminal.window.open_window", lambda _: None)
    folder = tmp_path / "fields"
    folder.mkdir()
    options = ["--once", "--slide", "a", "--threads", "1", "--store", str(tmp_path / "s.sqlite")]
    said = run("live", "--source", str(folder), "--language", "fr", "--window", *options)
    assert "Plasmolite en direct : lame a" in said
    assert "Plasmolite live" not in said
    assert "This OpenCV" not in said
