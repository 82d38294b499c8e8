"""What a user writes after --source names a source."""

from pathlib import Path

import pytest

from edge.errors import SourceError
from edge.live.sources.camera import CameraSource
from edge.live.sources.choose import choose_source
from edge.live.sources.folder import FolderSource
from edge.live.sources.mjpeg import HttpSource
from edge.live.sources.stream import StreamSource
from edge.live.sources.video import VideoSource


def test_what_a_user_writes_names_a_source(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    assert isinstance(choose_source("0"), CameraSource)
    assert isinstance(choose_source("rtsp://cam/1"), StreamSource)
    assert isinstance(choose_source("HTTP://cam/1"), HttpSource)
    assert isinstance(choose_source(str(tmp_path)), FolderSource)
    assert isinstance(choose_source(str(tmp_path / "a.mp4")), VideoSource)
    with pytest.raises(SourceError, match="no source ftp://cam"):
        choose_source("ftp://cam")
