"""CSI cameras, opened by picamera2 and fixed before the first picture."""

import sys

import pytest

from edge.camera.opening import open_camera
from edge.camera.settings import CameraSettings
from edge.errors import CameraError
from tests.support.cameras.fake_cameras import picamera2


def test_a_csi_camera_is_frozen_at_what_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = picamera2(monkeypatch)
    camera = open_camera("picamera")
    running, controls = kind.sets[0][-1]
    assert running
    assert controls == {
        "AeEnable": False,
        "AwbEnable": False,
        "ExposureTime": 9000,
        "AnalogueGain": 1.5,
        "ColourGains": (2.0, 1.6),
    }
    record = camera.record
    assert (record.width, record.height) == (1280, 960)
    assert (record.exposure_us, record.gain, record.red_gain, record.blue_gain) == (9000, 1.5, 2.0, 1.6)
    assert record.disobeyed() == []
    camera.close()
    assert kind.open_cameras == 0


def test_what_is_given_holds_from_the_first_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = picamera2(monkeypatch)
    settings = CameraSettings(640, 480, exposure_us=7000, red_gain=1.8, blue_gain=1.4, gain=2)
    camera = open_camera("picamera", settings)
    before_start = kind.sets[0][0]
    assert before_start == (False, {"ExposureTime": 7000, "AnalogueGain": 2, "ColourGains": (1.8, 1.4)})
    assert camera.record.asked == settings
    assert (camera.record.exposure_us, camera.record.gain) == (7000, 2)
    assert camera.read().shape == (480, 640, 3)
    assert camera.read()[0, 0].tolist() == [200, 10, 20]
    camera.close()


def test_a_long_exposure_gets_frames_that_are_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    picamera2(monkeypatch)
    camera = open_camera("picamera", CameraSettings(exposure_us=100_000))
    assert camera.record.exposure_us == 100_000
    assert camera.record.exposure_fixed
    camera.close()


def test_a_camera_that_does_not_obey_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    picamera2(monkeypatch, obeys=False)
    camera = open_camera("picamera", CameraSettings(exposure_us=7000, red_gain=1.0, blue_gain=1.0, gain=8))
    assert camera.record.exposure_us == 9000
    assert len(camera.record.disobeyed()) == 3
    camera.close()


def test_the_second_camera_is_opened_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    picamera2(monkeypatch, info=[{"Model": "imx477"}, {"Model": "imx219"}])
    camera = open_camera("picamera:1")
    assert camera.record.source == "picamera:1"
    camera.close()
    with pytest.raises(CameraError, match="There is no camera picamera:9"):
        open_camera("picamera:9")


def test_a_camera_that_times_out_is_an_error_and_released(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = picamera2(monkeypatch)
    camera = open_camera("picamera")
    monkeypatch.setattr(kind, "fault", TimeoutError("Camera frontend has timed out!"))
    with pytest.raises(CameraError, match=r"sends no more pictures \(Camera frontend"):
        camera.read()
    camera.close()
    with pytest.raises(CameraError, match="cannot be opened"):
        open_camera("picamera")
    assert kind.open_cameras == 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (CameraSettings(white_balance_k=5200), "two gains"),
        (CameraSettings(gain=0.5), "a gain of 1 or more"),
    ],
)
def test_what_a_csi_camera_cannot_take_is_refused(
    monkeypatch: pytest.MonkeyPatch, settings: CameraSettings, words: str
) -> None:
    picamera2(monkeypatch)
    with pytest.raises(CameraError, match=words):
        open_camera("picamera", settings)


def test_without_picamera2_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(CameraError, match="apt install python3-picamera2"):
        open_camera("picamera")


def test_a_camera_that_does_not_start_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = picamera2(monkeypatch)

    def refuse(_: object) -> None:
        raise RuntimeError("Failed to start camera: Device or resource busy")

    monkeypatch.setattr(kind, "start", refuse)
    with pytest.raises(CameraError, match="resource busy"):
        open_camera("picamera")
    assert kind.open_cameras == 0
