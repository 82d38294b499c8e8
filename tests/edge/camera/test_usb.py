"""USB cameras, opened by OpenCV's V4L2 and fixed before the first picture."""

import sys
from pathlib import Path

import cv2
import pytest

from edge.camera.opening import open_camera
from edge.camera.settings import CameraRecord, CameraSettings
from edge.errors import CameraError
from tests.support.cameras.fake_cameras import MJPG, YUYV, V4l2Camera, plugged_in


def test_given_settings_are_set_and_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    usb = V4l2Camera()
    with plugged_in(monkeypatch, video0=usb):
        camera = open_camera("0", CameraSettings(exposure_us=8000, white_balance_k=5200, gain=32))
        assert usb.sets[0] == [
            (cv2.CAP_PROP_FRAME_WIDTH, 1280),
            (cv2.CAP_PROP_FRAME_HEIGHT, 960),
            (cv2.CAP_PROP_AUTO_EXPOSURE, 3),
            (cv2.CAP_PROP_AUTO_EXPOSURE, 1),
            (cv2.CAP_PROP_EXPOSURE, 80),
            (cv2.CAP_PROP_AUTO_WB, 0),
            (cv2.CAP_PROP_WB_TEMPERATURE, 5200),
            (cv2.CAP_PROP_GAIN, 32),
        ]
        assert camera.record.to_json() == {
            "source": "0",
            "kind": "V4L2",
            "asked": {"exposure_us": 8000, "white_balance_k": 5200, "gain": 32},
            "width": 1280,
            "height": 960,
            "pixel_format": "YUYV",
            "exposure_us": 8000,
            "exposure_fixed": True,
            "white_balance_k": 5200,
            "white_balance_fixed": True,
            "gain": 32,
            "gain_fixed": True,
        }
        assert camera.record.disobeyed() == []
        assert camera.read().shape == (960, 1280, 3)
        camera.close()


def test_a_picture_has_red_first(monkeypatch: pytest.MonkeyPatch) -> None:
    with plugged_in(monkeypatch, video0=V4l2Camera()):
        camera = open_camera("0", CameraSettings(exposure_us=20000, white_balance_k=5200))
        assert camera.read()[0, 0].tolist() == [100, 200, 200]
        camera.close()


def test_without_settings_what_the_automatic_found_is_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    usb = V4l2Camera(automatic=(156, 4600))
    with plugged_in(monkeypatch, video0=usb):
        camera = open_camera("0")
        assert usb.controls[cv2.CAP_PROP_AUTO_EXPOSURE] == 1
        assert usb.controls[cv2.CAP_PROP_AUTO_WB] == 0
        assert camera.record.exposure_us == 15600
        assert camera.record.white_balance_k == 4600
        assert camera.record.brightness_change == 1.0
        assert camera.record.disobeyed() == []
        camera.close()


def test_a_camera_that_hides_what_its_automatic_found_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with plugged_in(monkeypatch, video0=V4l2Camera(tells_exposure=False)):
        camera = open_camera("0")
        assert camera.record.brightness_change == pytest.approx(50 / 156, abs=0.02)
        assert "Set it with --exposure" in str(camera.record.disobeyed()[0])
        camera.close()


def test_a_camera_without_these_controls_does_not_obey(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = dict.fromkeys(
        (
            cv2.CAP_PROP_AUTO_EXPOSURE,
            cv2.CAP_PROP_EXPOSURE,
            cv2.CAP_PROP_AUTO_WB,
            cv2.CAP_PROP_WB_TEMPERATURE,
            cv2.CAP_PROP_GAIN,
        ),
        -1.0,
    )
    with plugged_in(monkeypatch, video0=V4l2Camera(controls=lacking)):
        record = open_and_close(CameraSettings(exposure_us=8000, white_balance_k=5200))
    assert not record.exposure_fixed
    assert not record.white_balance_fixed
    assert record.exposure_us is None
    assert len(record.disobeyed()) == 2


def test_a_white_balance_that_can_only_be_held_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = {cv2.CAP_PROP_WB_TEMPERATURE: -1.0}
    with plugged_in(monkeypatch, video0=V4l2Camera(controls=silent)):
        assert open_and_close(CameraSettings()).white_balance_fixed
        assert not open_and_close(CameraSettings(white_balance_k=5200)).white_balance_fixed


@pytest.mark.parametrize(("step", "obeys"), [(7, True), (30, False)])
def test_the_nearest_step_is_obeying(monkeypatch: pytest.MonkeyPatch, step: int, obeys: bool) -> None:
    with plugged_in(monkeypatch, video0=V4l2Camera(exposure_step=step)):
        record = open_and_close(CameraSettings(exposure_us=8000, white_balance_k=5200))
    assert record.exposure_fixed is obeys
    assert record.exposure_us == 80 // step * step * 100


def test_a_size_that_only_jpeg_frames_have_is_taken_as_jpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    with plugged_in(monkeypatch, video0=V4l2Camera()):
        record = open_and_close(CameraSettings(1600, 1200))
    assert (record.width, record.height, record.pixel_format) == (1600, 1200, "MJPG")
    assert record.disobeyed() == []


def test_a_size_that_the_camera_lacks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    small = V4l2Camera(sizes={YUYV: [(640, 480)], MJPG: [(640, 480)]})
    with plugged_in(monkeypatch, video0=small):
        record = open_and_close(CameraSettings())
    assert (record.width, record.height) == (640, 480)
    assert "640 x 480 pixels, not 1280 x 960" in str(record.disobeyed()[0])


def test_a_camera_is_opened_by_a_path_that_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / "usb-Microscope_Camera-video-index0"
    link.symlink_to("/dev/video2")
    with plugged_in(monkeypatch, video2=V4l2Camera()):
        camera = open_camera(str(link))
        assert camera.record.source == str(link)
        camera.close()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("63", "cannot be opened"),
        ("/dev/v4l/by-id/usb-gone-video-index0", "not plugged in"),
        ("a webcam", "is no camera"),
    ],
)
def test_a_camera_that_is_not_there_is_an_error_that_says_so(
    monkeypatch: pytest.MonkeyPatch, source: str, words: str
) -> None:
    with plugged_in(monkeypatch, video0=V4l2Camera()), pytest.raises(CameraError, match=words):
        open_camera(source)


@pytest.mark.skipif(sys.platform != "linux", reason="V4L2 is of Linux")
def test_a_camera_that_is_not_there_is_told_once(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CameraError):
        open_camera("87")
    assert capfd.readouterr() == ("", "")


def test_a_camera_that_is_in_use_is_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with plugged_in(monkeypatch, video0=V4l2Camera()):
        held = open_camera("0")
        with pytest.raises(CameraError, match="another program uses it"):
            open_camera("0")
        held.close()


def test_a_camera_that_sends_nothing_is_released(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        plugged_in(monkeypatch, video0=V4l2Camera(frames=0)),
        pytest.raises(CameraError, match="sends no picture"),
    ):
        open_camera("0")


def test_colour_gains_are_refused_before_the_camera_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    usb = V4l2Camera()
    with plugged_in(monkeypatch, video0=usb), pytest.raises(CameraError, match="in kelvin"):
        open_camera("0", CameraSettings(red_gain=2.0, blue_gain=1.6))
    assert usb.sets == []


def open_and_close(settings: CameraSettings) -> CameraRecord:
    camera = open_camera("0", settings)
    camera.close()
    return camera.record
