"""Recordings as a source."""

from pathlib import Path

import cv2
import pytest

from edge.live.sources.base import EndOfSourceError
from edge.live.sources.video import VideoSource
from tests.support.live_sources import picture_of


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
