"""Cameras of this machine as a source."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from edge.errors import SourceError
from edge.live.sources.camera import PicameraSource


class Picamera2:
    """What `PicameraSource` uses of picamera2, by its manual of 2024: made-up frames, real names and calls."""

    fault: Exception | None = None
    open_cameras = 0

    def __init__(self) -> None:
        if self.fault is not None:
            raise self.fault
        type(self).open_cameras += 1
        self._size = (0, 0)

    def create_video_configuration(self, main: dict[str, object]) -> dict[str, object]:
        """A configuration is a dictionary of streams."""
        return {"main": main}

    def configure(self, configuration: dict[str, dict[str, object]]) -> None:
        """Libcamera's BGR888 has red first in memory."""
        assert configuration["main"]["format"] == "BGR888"
        self._size = configuration["main"]["size"]  # type: ignore[assignment]

    def start(self) -> None:
        """Nothing to start."""

    def capture_array(self, name: str) -> np.ndarray:
        """A red frame, whose rows libcamera may have padded to four channels."""
        assert name == "main"
        if self.fault is not None:
            raise self.fault
        return np.broadcast_to(np.array([200, 10, 20, 0], np.uint8), (*self._size[::-1], 4))

    def close(self) -> None:
        """Let go of the camera."""
        type(self).open_cameras -= 1


def test_a_csi_camera_is_read_by_picamera2_as_rgb_and_fetched_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", SimpleNamespace(Picamera2=Picamera2))
    source = PicameraSource((64, 48))
    source.open()
    assert source.read().rgb.shape == (48, 64, 3)
    assert source.read().rgb[0, 0].tolist() == [200, 10, 20]
    monkeypatch.setattr(Picamera2, "fault", RuntimeError("Camera frontend has timed out!"))
    with pytest.raises(SourceError, match="gives no more frames"):
        source.read()
    with pytest.raises(SourceError, match="cannot be opened"):
        source.open()
    monkeypatch.setattr(Picamera2, "fault", None)
    source.open()
    assert source.read().rgb.shape == (48, 64, 3)
    source.close()
    assert Picamera2.open_cameras == 0


def test_without_picamera2_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(SourceError, match="apt install python3-picamera2"):
        PicameraSource().open()
