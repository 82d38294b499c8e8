"""Cameras are played by the kernel's own structures and by recorded property calls: no device is needed."""

import struct
from pathlib import Path
from typing import Any

import cv2
import pytest
from click.testing import CliRunner

from edge.camera.usb import FixedSettings, fix_csi_camera, fix_usb_camera, list_cameras, take_test_picture
from edge.camera.v4l2 import ENUMERATE_FORMATS, ENUMERATE_SIZES, QUERY_CAPABILITIES, read_formats, read_name
from edge.errors import CameraError
from plasmolite.console import main

MJPG = int.from_bytes(b"MJPG", "little")
YUYV = int.from_bytes(b"YUYV", "little")


def kernel(
    device_capabilities: int, sizes: dict[int, list[tuple[int, int]]], *, stepwise: bool = False
) -> Any:
    def query(request: int, structure: bytearray) -> bool:
        if request == QUERY_CAPABILITIES:
            struct.pack_into("=II", structure, 84, 0x84A00001, device_capabilities)
            return True
        index = struct.unpack_from("=I", structure, 0)[0]
        if request == ENUMERATE_FORMATS:
            if index >= len(sizes):
                return False
            code = list(sizes)[index]
            structure[12:23] = b"Motion-JPEG"
            struct.pack_into("=I", structure, 44, code)
            return True
        assert request == ENUMERATE_SIZES
        listed = sizes[struct.unpack_from("=I", structure, 4)[0]]
        if index >= len(listed):
            return False
        if stepwise:
            struct.pack_into("=I6I", structure, 8, 3, 64, 4056, 2, 48, 3040, 2)
        else:
            struct.pack_into("=III", structure, 8, 1, *listed[index])
        return True

    return query


class RecordedCapture:
    """Keeps the properties that were set, in their order, as a V4L2 camera does."""

    def __init__(self, *, obeys: bool = True) -> None:
        self.obeys = obeys
        self.values: dict[int, float] = {cv2.CAP_PROP_EXPOSURE: 156, cv2.CAP_PROP_WB_TEMPERATURE: 4600}

    def set(self, name: int, value: float) -> bool:
        """Take a property if the camera has it."""
        if self.obeys or name in {cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT}:
            self.values[name] = value
            return True
        return False

    def get(self, name: int) -> float:
        """Say what a property has."""
        return self.values.get(name, 0.0)

    def grab(self) -> bool:
        """Take a frame."""
        return True


def test_formats_and_sizes_are_read_from_the_kernel() -> None:
    formats = read_formats(kernel(0x04200001, {MJPG: [(1280, 960), (640, 480)], YUYV: [(640, 480)]}))
    assert [one.code for one in formats] == ["MJPG", "YUYV"]
    assert formats[0].sizes == ((1280, 960), (640, 480))
    assert formats[0].description == "Motion-JPEG"


def test_a_camera_that_scales_freely_tells_its_least_and_greatest_size() -> None:
    formats = read_formats(kernel(0x04200001, {YUYV: [(0, 0)]}, stepwise=True))
    assert formats[0].sizes == ((64, 48), (4056, 3040))


def test_a_node_that_carries_only_metadata_is_no_camera() -> None:
    assert read_formats(kernel(0x04A00000, {MJPG: [(1280, 960)]})) == ()


def test_a_node_that_is_no_video_device_is_no_camera() -> None:
    assert read_formats(lambda *_: False) == ()


def test_a_name_comes_from_the_kernels_table(tmp_path: Path) -> None:
    table = tmp_path / "sys/class/video4linux/video0"
    table.mkdir(parents=True)
    (table / "name").write_text("USB 2.0 Camera: USB Camera\n")
    assert read_name(tmp_path, "video0") == "USB 2.0 Camera: USB Camera"
    assert read_name(tmp_path, "video7") == "video7"


def test_a_node_that_cannot_be_opened_is_listed_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/video3").symlink_to(tmp_path / "nowhere")
    cameras = list_cameras(tmp_path)
    assert cameras[0].source == "3"
    assert "group video" in (cameras[0].problem or "")


def test_given_settings_are_set_and_recorded() -> None:
    capture: Any = RecordedCapture()
    record = fix_usb_camera(capture, FixedSettings(exposure_us=8000, white_balance_k=5200), lambda _: None)
    assert capture.values[cv2.CAP_PROP_AUTO_EXPOSURE] == 1
    assert capture.values[cv2.CAP_PROP_EXPOSURE] == 80
    assert capture.values[cv2.CAP_PROP_AUTO_WB] == 0
    assert record == {
        "width": 1280,
        "height": 960,
        "exposure_us": 8000,
        "exposure_fixed": True,
        "white_balance_k": 5200,
        "white_balance_fixed": True,
    }


def test_without_settings_what_the_automatic_found_is_frozen() -> None:
    capture: Any = RecordedCapture()
    waited: list[float] = []
    record = fix_usb_camera(capture, FixedSettings(), waited.append)
    assert waited
    assert record["exposure_us"] == 15600
    assert record["white_balance_k"] == 4600
    assert capture.values[cv2.CAP_PROP_AUTO_EXPOSURE] == 1


def test_a_camera_that_does_not_obey_is_recorded_as_not_fixed() -> None:
    capture: Any = RecordedCapture(obeys=False)
    record = fix_usb_camera(capture, FixedSettings(exposure_us=8000, white_balance_k=5200), lambda _: None)
    assert record["exposure_fixed"] is False
    assert record["white_balance_fixed"] is False


def test_all_faults_of_the_settings_are_named_at_once() -> None:
    faults = FixedSettings(exposure_us=5, white_balance_k=100, red_gain=2.0).faults()
    assert len(faults) == 3
    capture: Any = RecordedCapture()
    with pytest.raises(CameraError, match=r"exposure_us is 5.*white_balance_k is 100.*belong together"):
        fix_usb_camera(capture, FixedSettings(exposure_us=5, white_balance_k=100, red_gain=2.0))


def test_a_csi_camera_is_frozen_at_what_it_found() -> None:
    class Picamera:
        def capture_metadata(self) -> dict[str, Any]:
            return {"ExposureTime": 9000, "AnalogueGain": 1.5, "ColourGains": (2.0, 1.6)}

        def set_controls(self, controls: dict[str, Any]) -> None:
            self.controls = controls

    camera = Picamera()
    record = fix_csi_camera(camera, FixedSettings(exposure_us=7000), lambda _: None)
    assert camera.controls["AeEnable"] is False
    assert camera.controls["AwbEnable"] is False
    assert camera.controls["ColourGains"] == (2.0, 1.6)
    assert record["exposure_us"] == 7000
    assert record["gain"] == 1.5


@pytest.mark.parametrize("source", ["63", "picamera:9", "a webcam"])
def test_a_camera_that_is_not_there_is_an_error_that_says_so(source: str) -> None:
    with pytest.raises(CameraError):
        take_test_picture(source, FixedSettings())


def test_the_command_reports_a_failed_test_picture_with_code_2() -> None:
    answer = CliRunner().invoke(main, ["cameras", "--test", "63"])
    assert answer.exit_code == 2
    assert "cannot be opened" in answer.output
