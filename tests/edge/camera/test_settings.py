"""What a camera is told, and what its record says of it."""

import dataclasses
import json

import pytest

from edge.camera.settings import CameraRecord, CameraSettings
from edge.errors import CameraError
from tests.support.cameras.camera_record import RECORD


def with_changes(**changes: object) -> CameraRecord:
    return dataclasses.replace(RECORD, **changes)  # type: ignore[arg-type]


def test_all_faults_of_the_settings_are_named_at_once() -> None:
    settings = CameraSettings(exposure_us=5, white_balance_k=100, red_gain=2.0)
    assert len(settings.faults()) == 3
    with pytest.raises(CameraError, match=r"exposure \(µs\) is 5\..*balance \(K\) is 100\..*or neither"):
        settings.check()


@pytest.mark.parametrize(
    "settings",
    [CameraSettings(160, 120), CameraSettings(8192, 8192), CameraSettings(exposure_us=20, gain=0)],
)
def test_settings_at_the_ends_of_their_ranges_are_taken(settings: CameraSettings) -> None:
    settings.check()


def test_a_record_reads_back_as_it_was_written() -> None:
    stored = json.loads(json.dumps(RECORD.to_json()))
    assert CameraRecord.from_json(stored) == RECORD
    csi = with_changes(kind="picamera2", exposure_us=None, white_balance_k=None, red_gain=2.0, blue_gain=1.6)
    assert CameraRecord.from_json(json.loads(json.dumps(csi.to_json()))) == csi


def test_a_camera_that_obeyed_gives_no_sentence() -> None:
    assert RECORD.disobeyed() == []
    assert with_changes(brightness_change=1.2).disobeyed() == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"width": 640, "height": 480}, "640 x 480 pixels, not 1280 x 960"),
        ({"exposure_fixed": False}, "does not keep its exposure"),
        ({"white_balance_fixed": False}, "does not keep its white balance"),
        (
            {"asked": CameraSettings(gain=30), "gain_fixed": False},
            "does not take the gain 30. Its gain is 16.",
        ),
        (
            {"asked": CameraSettings(gain=30), "gain": None, "gain_fixed": False},
            "does not take the gain 30. It has no such",
        ),
        ({"brightness_change": 0.32}, "0.32 times as bright"),
    ],
)
def test_each_setting_that_the_camera_did_not_take_is_a_sentence(
    changes: dict[str, object], words: str
) -> None:
    assert len(with_changes(**changes).disobeyed()) == 1
    assert words in str(with_changes(**changes).disobeyed()[0])


def test_a_gain_that_nobody_asked_for_is_not_missed() -> None:
    assert with_changes(gain=None, gain_fixed=False).disobeyed() == []


def test_what_differs_from_the_slides_record_is_named_with_both_values() -> None:
    assert with_changes(exposure_us=8500.0).differences(RECORD) == []
    other = with_changes(width=640, height=480, exposure_us=12000.0, white_balance_k=6500.0)
    assert [str(sentence) for sentence in other.differences(RECORD)] == [
        "The camera gives 640 x 480 pixels. The slide was begun with 1280 x 960.",
        "The camera's exposure (µs) is 12000. The slide was begun with 8000.",
        "The camera's white balance (K) is 6500. The slide was begun with 4600.",
    ]


def test_a_record_asks_for_what_the_camera_kept() -> None:
    found = with_changes(asked=CameraSettings(), exposure_us=15600.0)
    assert found.as_settings() == CameraSettings(
        1280, 960, exposure_us=15600.0, white_balance_k=4600.0, gain=16.0
    )
    loose = with_changes(asked=CameraSettings(exposure_us=8000), exposure_fixed=False, exposure_us=12000.0)
    assert loose.as_settings().exposure_us == 8000


def test_settings_are_completed_where_they_name_nothing() -> None:
    kept = CameraSettings(1600, 1200, exposure_us=8000, white_balance_k=4600, gain=16)
    wish = CameraSettings(exposure_us=5000)
    assert wish.completed_by(kept) == CameraSettings(1600, 1200, 5000, 4600, gain=16)
    assert CameraSettings().size == (1280, 960)


def test_the_facts_of_a_record_tell_what_is_kept() -> None:
    facts = {str(name): str(value) for name, value in with_changes(gain_fixed=False).facts()}
    assert facts == {
        "size": "1280 x 960 px YUYV",
        "exposure (µs)": "8000",
        "white balance (K)": "4600",
        "gain": "16, not kept by the camera",
    }
