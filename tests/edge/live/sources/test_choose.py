"""What a user writes after --source names a source."""

from pathlib import Path

import pytest

from edge.camera.settings import CameraSettings
from edge.errors import SourceError
from edge.live.sources.camera import CameraSource
from edge.live.sources.choose import choose_source
from edge.live.sources.folder import FolderSource
from edge.live.sources.mjpeg import HttpSource
from edge.live.sources.simulated import SimulatorSource
from edge.live.sources.stream import StreamSource
from edge.live.sources.video import VideoSource


def test_what_a_user_writes_names_a_source(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    link = tmp_path / "usb-Microscope-video-index0"
    link.symlink_to("/dev/video0")
    for camera in ("0", "/dev/video0", "/dev/v4l/by-id/usb-gone", str(link), "picamera", "picamera:1"):
        assert isinstance(choose_source(camera), CameraSource), camera
    assert isinstance(choose_source("rtsp://cam/1"), StreamSource)
    assert isinstance(choose_source("HTTP://cam/1"), HttpSource)
    assert isinstance(choose_source(str(tmp_path)), FolderSource)
    assert isinstance(choose_source(str(tmp_path / "a.mp4")), VideoSource)
    assert isinstance(choose_source("simulator"), SimulatorSource)


@pytest.mark.parametrize("text", ["http://u:s3cret@cam/v?token=s3cret", "rtsp://u:s3cret@cam/v?token=s3cret"])
def test_the_name_of_a_network_camera_holds_no_secret(text: str) -> None:
    source = choose_source(text)
    assert source.name.endswith("://cam/v?token=***")
    with pytest.raises(SourceError) as caught:
        source.open()
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["ftp://u:s3cret@cam", "htp:u:s3cret@cam", "http:/u:s3cret@cam/v", "u:s3cret@cam"]
)
def test_a_misspelt_address_is_refused_without_its_password(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        choose_source(text).open()
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in repr(caught.value)


@pytest.mark.parametrize("text", ["simulator", "http://cam/v", "."])
def test_only_a_camera_takes_a_cameras_settings(text: str) -> None:
    with pytest.raises(SourceError, match="takes no width, height, exposure"):
        choose_source(text, camera=CameraSettings(exposure_us=8000))


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_source_is_not_the_current_folder(text: str) -> None:
    with pytest.raises(SourceError, match="The source is empty"):
        choose_source(text)


@pytest.mark.parametrize("text", ["a" * 300, "~no-such-user-9/fields", "http://[cam", "link", "9" * 20])
def test_a_source_that_cannot_be_looked_up_is_unknown(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("link").symlink_to("link")
    with pytest.raises(SourceError, match="There is no source"):
        choose_source(text)
