"""Recordings as a source."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import SourceError
from edge.live.sources.base import EndOfSourceError
from edge.live.sources.video import VideoSource
from edge.messages.codes import Code
from tests.support.cameras.live_sources import picture_of


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


def recording(path: Path, frames: int = 60, code: str = "mp4v") -> bytes:
    """Record a drawn pattern that moves, ten frames a second, and return the file's bytes."""
    pattern = np.random.default_rng(0).integers(0, 255, (300, 600, 3)).astype(np.uint8)
    pattern = cv2.GaussianBlur(pattern, (9, 9), 0)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), 10, (320, 240))
    for number in range(frames):
        writer.write(np.ascontiguousarray(pattern[:240, 3 * number : 3 * number + 320]))
    writer.release()
    return path.read_bytes()


def play(path: Path) -> tuple[int, list[Code]]:
    """Play a recording as the grabber does; return the frames that came, and what was said."""
    source = VideoSource(path, every_frame=True)
    source.open()
    frames, said = 0, []
    while True:
        try:
            source.read()
            frames += 1
        except EndOfSourceError as error:
            source.close()
            return frames, [*said, error.code]
        except SourceError as error:
            said.append(error.code)
            source.open()


def test_a_whole_recording_ends_without_a_word_of_damage(tmp_path: Path) -> None:
    recording(tmp_path / "whole.mp4")
    assert play(tmp_path / "whole.mp4") == (60, [Code.SOURCE_PLAYED])


def test_a_recording_that_is_damaged_inside_goes_on_behind_the_damage(tmp_path: Path) -> None:
    data = bytearray(recording(tmp_path / "whole.mp4"))
    at = len(data) // 3
    data[at : at + len(data) // 5] = bytes(len(data) // 5)
    (tmp_path / "damaged.mp4").write_bytes(data)
    frames, said = play(tmp_path / "damaged.mp4")
    assert 30 < frames < 60
    assert said == [Code.SOURCE_DAMAGED, Code.SOURCE_PLAYED_IN_PART]


def test_a_recording_that_breaks_off_is_not_played_to_its_end(tmp_path: Path) -> None:
    data = recording(tmp_path / "whole.avi", code="MJPG")
    (tmp_path / "cut.avi").write_bytes(data[: len(data) // 2])
    frames, said = play(tmp_path / "cut.avi")
    assert 20 < frames < 40
    assert said == [Code.SOURCE_BROKE_OFF]


def test_a_recording_that_was_not_finished_is_named_as_such(tmp_path: Path) -> None:
    data = recording(tmp_path / "whole.mp4")
    (tmp_path / "power-cut.mp4").write_bytes(data[: data.rfind(b"moov") - 4])
    (tmp_path / "no-video.mp4").write_bytes(b"not a video at all")
    with pytest.raises(SourceError) as unfinished:
        VideoSource(tmp_path / "power-cut.mp4").open()
    assert unfinished.value.code is Code.SOURCE_NOT_FINISHED
    with pytest.raises(SourceError) as other:
        VideoSource(tmp_path / "no-video.mp4").open()
    assert other.value.code is Code.SOURCE_NOT_A_VIDEO
