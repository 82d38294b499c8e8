"""The server's own camera: what ``serve`` was told of it holds for each count."""

import threading
from pathlib import Path

import pytest

from edge.calibration.setup import set_up_slide
from edge.camera.settings import CameraSettings
from edge.errors import SourceError
from edge.live.setup import SlideRequest
from edge.live.sources.frame import Frame
from edge.live.tasks import SlideTask, TaskResult
from edge.simulation.field import FieldSettings, draw_field
from edge.slides.store import SlideStore
from server.live_camera import LiveCamera
from tests.support.cameras.fake_cameras import V4l2Camera, plugged_in


@pytest.mark.slow
def test_a_count_fixes_the_camera_as_the_server_was_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usb = V4l2Camera(picture=draw_field(3, FieldSettings()).rgb)
    setup = set_up_slide(threads=1)
    with plugged_in(monkeypatch, video0=usb), SlideStore(tmp_path / "s.sqlite") as store:
        live = LiveCamera(setup, store, "0", CameraSettings(exposure_us=8000, white_balance_k=5200))
        live.start(SlideRequest("K-1"))
        live.stop()
        camera = store.slide("K-1").settings["camera"]
        assert (camera["exposure_us"], camera["white_balance_k"]) == (8000, 5200)
        live.start(None)
        live.stop()
        assert len(usb.sets) == 2
        assert usb.sets[0] == usb.sets[1]
        with pytest.raises(SourceError, match="takes no width, height, exposure"):
            LiveCamera(setup, store, "simulator", CameraSettings(exposure_us=8000))


@pytest.mark.slow
def test_a_count_goes_on_until_the_frame_at_hand_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was told that it had ended reviewed what there was, and the last frame added a suspect."""
    at_hand, go_on = threading.Event(), threading.Event()
    consider = SlideTask.consider

    def slowly(task: SlideTask, frame: Frame) -> TaskResult:
        at_hand.set()
        assert go_on.wait(60)
        return consider(task, frame)

    monkeypatch.setattr(SlideTask, "consider", slowly)
    with SlideStore(tmp_path / "s.sqlite") as store:
        live = LiveCamera(set_up_slide(threads=1), store, "simulator")
        live.start(SlideRequest("K-1"))
        slide = store.slide("K-1")
        assert at_hand.wait(60)
        stopping = threading.Thread(target=live.stop)
        stopping.start()
        stopping.join(0.5)
        assert live.slide_number() == slide.number
        go_on.set()
        stopping.join(60)
        assert live.snapshot() is None
        assert store.counts(slide).cells > 0
