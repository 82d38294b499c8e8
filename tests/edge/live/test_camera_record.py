"""From the first frame on a slide holds what its camera was told, whoever counts it; a change is a warning."""

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from edge.calibration.setup import SlideSetup, set_up_slide
from edge.camera.settings import CameraSettings
from edge.live.session import LiveSession
from edge.live.setup import SlideRequest, cell_session, slide_session
from edge.simulation.field import FieldSettings, draw_field
from edge.slides.store import SlideStore
from tests.support.cameras.fake_cameras import (
    MJPG,
    SET_BEFORE_A_PICTURE,
    YUYV,
    V4l2Camera,
    picamera2,
    plugged_in,
)
from tests.support.cameras.live_sources import until


@pytest.fixture(scope="module")
def setup() -> SlideSetup:
    return set_up_slide(threads=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SlideStore]:
    with SlideStore(tmp_path / "slides.sqlite") as store:
        yield store


@pytest.fixture(autouse=True)
def quick_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.live.sources.grabber.FIRST_WAIT", 0.01)


def counted(session: LiveSession) -> None:
    session.start()
    assert until(lambda: session.snapshot().facts["fields"] == 1)


def told(session: LiveSession) -> str:
    """The warnings about the camera."""
    return " ".join(str(one) for one in session.snapshot().warnings if "camera" in str(one))


FIELD = draw_field(3, FieldSettings()).rgb


def test_a_slide_holds_what_its_camera_was_told(
    setup: SlideSetup, store: SlideStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    usb = V4l2Camera(picture=FIELD)
    wish = CameraSettings(exposure_us=8000, white_balance_k=5200)
    with (
        plugged_in(monkeypatch, video0=usb),
        slide_session(setup, store, SlideRequest("K-1"), "0", camera=wish) as session,
    ):
        counted(session)
        assert [name for name, _ in usb.sets[0]][:2] == [cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT]
        assert (cv2.CAP_PROP_EXPOSURE, 80) in usb.sets[0]
        assert {name for name, _ in usb.sets[0]} >= SET_BEFORE_A_PICTURE
        record = store.slide("K-1").settings["camera"]
        assert record["exposure_us"] == 8000
        assert record["white_balance_k"] == 5200
        assert (record["width"], record["height"]) == (1280, 960)
        assert told(session) == ""
    assert store.slide("K-1").device.endswith(", camera 0")


@pytest.mark.slow
def test_after_a_loss_the_camera_is_fixed_again_and_a_change_is_a_warning(
    setup: SlideSetup, store: SlideStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    usb = V4l2Camera(picture=FIELD)
    with (
        plugged_in(monkeypatch, video0=usb),
        slide_session(setup, store, SlideRequest("K-1"), "0") as session,
    ):
        counted(session)
        begun = store.slide("K-1").settings["camera"]
        # Another camera of the same kind is plugged in, which counts its exposure in large steps.
        usb.exposure_step = 100
        usb.frames = 0
        assert until(lambda: session.snapshot().source.state == "lost")
        usb.frames = None
        assert until(lambda: session.snapshot().source.returns == 1)
        assert (cv2.CAP_PROP_EXPOSURE, begun["exposure_us"] / 100) in usb.sets[-1]
        assert {name for name, _ in usb.sets[-1]} >= SET_BEFORE_A_PICTURE
        differs = "exposure (µs) is 10000. The slide was begun with 15600."
        assert until(lambda: differs in told(session))
        assert store.slide("K-1").settings["camera"] == begun


@pytest.mark.slow
def test_a_resumed_slide_has_its_camera_as_it_was_begun_with(
    setup: SlideSetup, store: SlideStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    usb = V4l2Camera(picture=FIELD, automatic=(156, 4600))
    with plugged_in(monkeypatch, video0=usb):
        with slide_session(setup, store, SlideRequest("K-1"), "0") as session:
            counted(session)
        usb.automatic = (40, 7000)
        usb.controls.update({cv2.CAP_PROP_AUTO_EXPOSURE: 3, cv2.CAP_PROP_AUTO_WB: 1})
        again = SlideRequest("K-1", resume=True)
        with slide_session(setup, store, again, "0") as session:
            session.start()
            assert (cv2.CAP_PROP_EXPOSURE, 156) in usb.sets[-1]
            assert told(session) == ""
        wish = CameraSettings(exposure_us=5000)
        with slide_session(setup, store, again, "0", camera=wish) as session:
            session.start()
            assert (cv2.CAP_PROP_EXPOSURE, 50) in usb.sets[-1]
            assert (cv2.CAP_PROP_WB_TEMPERATURE, 4600) in usb.sets[-1]
            assert "The slide was begun with 15600." in told(session)


@pytest.mark.slow
def test_a_camera_that_does_not_obey_is_told_and_recorded(
    setup: SlideSetup, store: SlideStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = {YUYV: [(640, 480)], MJPG: [(640, 480)]}
    usb = V4l2Camera(picture=FIELD, sizes=small, controls={cv2.CAP_PROP_EXPOSURE: -1})
    with plugged_in(monkeypatch, video0=usb):
        with slide_session(setup, store, SlideRequest("K-1"), "0") as session:
            session.start()
            assert "640 x 480 pixels, not 1280 x 960" in told(session)
            assert "does not keep its exposure" in told(session)
            assert store.slide("K-1").settings["camera"]["exposure_fixed"] is False
        with cell_session(setup, "0") as session:
            session.start()
            assert "does not keep its exposure" in told(session)


def test_a_csi_camera_is_recorded_too(
    setup: SlideSetup, store: SlideStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    picamera2(monkeypatch, info=[{"Model": "imx477"}, {"Model": "imx219"}])
    with slide_session(setup, store, SlideRequest("K-1"), "picamera:1") as session:
        session.start()
    record = store.slide("K-1").settings["camera"]
    assert json.loads(json.dumps(record)) == {
        "source": "picamera:1",
        "kind": "picamera2",
        "asked": {},
        "width": 1280,
        "height": 960,
        "exposure_us": 9000,
        "exposure_fixed": True,
        "white_balance_fixed": True,
        "red_gain": 2.0,
        "blue_gain": 1.6,
        "gain": 1.5,
        "gain_fixed": True,
    }


@pytest.mark.slow
def test_a_slide_that_was_begun_without_a_record_gets_none(
    setup: SlideSetup, store: SlideStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    usb = V4l2Camera(picture=FIELD)
    with plugged_in(monkeypatch, video0=usb):
        with slide_session(setup, store, SlideRequest("K-1"), "0") as session:
            counted(session)
        with store.database.writing("forget") as connection:
            connection.execute("UPDATE slides SET settings = json_remove(settings, '$.camera')")
        again = SlideRequest("K-1", resume=True)
        with slide_session(setup, store, again, "0") as session:
            session.start()
        assert "camera" not in store.slide("K-1").settings
