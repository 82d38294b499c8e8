"""A camera of this machine as a source: fixed at each opening, the same after a loss."""

import cv2
import pytest

from edge.camera.settings import CameraSettings
from edge.errors import SourceError
from edge.live.sources.camera import CameraSource
from tests.support.cameras.fake_cameras import SET_BEFORE_A_PICTURE, V4l2Camera, picamera2, plugged_in


def test_a_usb_camera_is_fixed_before_its_first_frame_and_again_after_a_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usb = V4l2Camera(automatic=(156, 4600))
    source = CameraSource("0")
    assert source.name == "camera 0"
    with plugged_in(monkeypatch, video0=usb):
        source.open()
        assert {name for name, _ in usb.sets[0]} >= SET_BEFORE_A_PICTURE
        assert source.read().rgb.shape == (960, 1280, 3)
        begun = source.record
        usb.frames = 0
        with pytest.raises(SourceError, match="sends no more pictures"):
            source.read()
        # Meanwhile somebody turned the lamp up; what the slide was begun with still holds.
        usb.frames, usb.automatic = None, (80, 6000)
        usb.controls.update({cv2.CAP_PROP_AUTO_EXPOSURE: 3, cv2.CAP_PROP_AUTO_WB: 1})
        source.open()
        assert (cv2.CAP_PROP_EXPOSURE, 156) in usb.sets[1]
        assert (cv2.CAP_PROP_WB_TEMPERATURE, 4600) in usb.sets[1]
        assert {name for name, _ in usb.sets[1]} >= SET_BEFORE_A_PICTURE
        assert source.record is not None
        assert begun is not None
        assert source.record.differences(begun) == []
        source.close()


def test_a_csi_camera_is_fixed_before_its_first_frame_and_again_after_a_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind = picamera2(monkeypatch)
    source = CameraSource("picamera", CameraSettings(320, 240))
    with pytest.raises(SourceError, match="sends no more pictures"):
        source.read()
    source.open()
    assert source.name == "picamera"
    assert source.read().rgb.shape == (240, 320, 3)
    assert source.read().rgb[0, 0].tolist() == [200, 10, 20]
    monkeypatch.setattr(kind, "fault", RuntimeError("Camera frontend has timed out!"))
    with pytest.raises(SourceError, match="sends no more pictures"):
        source.read()
    with pytest.raises(SourceError, match="cannot be opened"):
        source.open()
    monkeypatch.setattr(kind, "fault", None)
    source.open()
    assert kind.sets[-1][0] == (
        False,
        {"ExposureTime": 9000, "AnalogueGain": 1.5, "ColourGains": (2.0, 1.6)},
    )
    assert source.read().rgb.shape == (240, 320, 3)
    source.close()
    assert kind.open_cameras == 0
