"""What a V4L2 camera says of itself, played by the kernel's own structures: no device is needed."""

import struct
from pathlib import Path
from typing import Any

import pytest

from edge.camera.v4l2 import (
    ENUMERATE_FORMATS,
    ENUMERATE_SIZES,
    QUERY_CAPABILITIES,
    device_number,
    lasting_path,
    read_formats,
    read_name,
)

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


def test_a_path_leads_to_the_number_that_the_camera_has_now(tmp_path: Path) -> None:
    link = tmp_path / "usb-Microscope_Camera_1234-video-index0"
    link.symlink_to("/dev/video7")
    assert device_number(str(link)) == 7
    link.unlink()
    link.symlink_to("/dev/video2")
    assert device_number(str(link)) == 2


@pytest.mark.parametrize(("source", "number"), [("0", 0), ("12", 12), ("/dev/video3", 3)])
def test_a_number_and_a_device_name_a_camera(source: str, number: int) -> None:
    assert device_number(source) == number


@pytest.mark.parametrize("source", ["", "-1", "/dev/null", "/dev/v4l/by-id/not-plugged-in", "video.mp4"])
def test_anything_else_names_none(source: str) -> None:
    assert device_number(source) is None


def test_the_path_that_lasts_is_the_one_by_id(tmp_path: Path) -> None:
    folder = tmp_path / "dev/v4l/by-id"
    assert lasting_path(tmp_path, "video0") is None
    folder.mkdir(parents=True)
    (folder / "usb-Microscope-video-index1").symlink_to("../../video1")
    (folder / "usb-Microscope-video-index0").symlink_to("../../video0")
    assert lasting_path(tmp_path, "video0") == "/dev/v4l/by-id/usb-Microscope-video-index0"
