"""Which cameras are listed."""

from pathlib import Path

import pytest

from edge.camera.listing import list_cameras
from tests.support.cameras.fake_cameras import picamera2


def test_a_node_that_cannot_be_opened_is_listed_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/video3").symlink_to(tmp_path / "nowhere")
    cameras = list_cameras(tmp_path)
    assert cameras[0].source == "3"
    assert "group video" in str(cameras[0].problem)


def test_csi_cameras_are_listed_by_the_source_that_opens_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = [
        {"Model": "imx477", "Id": "/base/soc/i2c0mux/i2c@1/imx477@1a"},
        {"Model": "USB Camera", "Id": "/base/scb/pcie/usb@0,0-1.2:1.0-0c45:6366"},
        {"Model": "imx219", "Id": "/base/soc/i2c0mux/i2c@0/imx219@10"},
    ]
    picamera2(monkeypatch, info=info)
    assert [(one.source, one.name) for one in list_cameras(tmp_path)] == [
        ("picamera", "imx477"),
        ("picamera:2", "imx219"),
    ]
