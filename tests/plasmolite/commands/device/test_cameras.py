"""``plasmolite cameras``: a list, and a test picture taken as the live count takes its pictures."""

import json
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner

from plasmolite.console import main
from tests.support.cameras.fake_cameras import MJPG, YUYV, V4l2Camera, picamera2, plugged_in


def cameras(*arguments: str, code: int = 0) -> str:
    answer = CliRunner().invoke(main, ["cameras", *arguments])
    assert answer.exit_code == code, answer.output
    return answer.output


def test_a_test_picture_is_taken_with_the_settings_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usb, picture = V4l2Camera(), tmp_path / "test.png"
    with plugged_in(monkeypatch, video0=usb):
        options = ["--exposure", "8000", "--white-balance", "5200", "--gain", "32", "--json"]
        answer = json.loads(cameras("--test", "0", "--picture", str(picture), *options))
    assert answer["settings"]["exposure_us"] == 8000
    assert answer["settings"]["white_balance_k"] == 5200
    assert answer["settings"]["gain"] == 32
    assert answer["warnings"] == []
    assert cv2.imread(str(picture)).shape == (960, 1280, 3)


def test_what_the_camera_did_not_take_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = V4l2Camera(sizes={YUYV: [(640, 480)], MJPG: [(640, 480)]})
    with plugged_in(monkeypatch, video0=small):
        output = cameras("--test", "0", "--picture", str(tmp_path / "test.png"))
    assert "size: 640 x 480 px" in output
    assert "Warning: The camera gives 640 x 480 pixels, not 1280 x 960." in output


def test_a_csi_camera_takes_its_white_balance_as_two_gains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picamera2(monkeypatch, info=[{"Model": "imx477"}, {"Model": "imx219"}])
    options = ["--white-balance", "2.5,1.25", "--picture", str(tmp_path / "test.png"), "--json"]
    settings = json.loads(cameras("--test", "picamera:1", *options))["settings"]
    assert (settings["red_gain"], settings["blue_gain"]) == (2.5, 1.25)


@pytest.mark.parametrize("balance", ["warm", "1,2,3", ""])
def test_a_white_balance_that_is_none_is_refused(balance: str) -> None:
    assert "neither kelvin" in cameras("--test", "0", "--white-balance", balance, code=2)


def test_a_failed_test_picture_has_code_2(monkeypatch: pytest.MonkeyPatch) -> None:
    with plugged_in(monkeypatch, video0=V4l2Camera()):
        assert "The camera 63 cannot be opened" in cameras("--test", "63", code=2)


def test_a_french_reader_is_told_in_french_that_there_is_no_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    with plugged_in(monkeypatch):
        output = CliRunner().invoke(main, ["cameras", "--language", "fr"]).output
    assert "Aucune caméra n'a été trouvée." in output


def test_a_test_picture_makes_its_folder_or_says_in_french_why_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with plugged_in(monkeypatch, video0=V4l2Camera()):
        cameras("--test", "0", "--picture", str(tmp_path / "new" / "test.png"))
        (tmp_path / "file").write_text("in the way")
        taken = ["--test", "0", "--picture", str(tmp_path / "file" / "test.png"), "--language", "fr"]
        said = cameras(*taken, code=2)
    assert (tmp_path / "new" / "test.png").is_file()
    assert "ne peut pas être écrit" in said
    assert "Errno" not in said


def test_a_french_reader_is_told_in_french_what_no_white_balance_is() -> None:
    assert "n'est ni un nombre de kelvins" in cameras(
        "--language", "fr", "--test", "0", "--white-balance", "x", code=2
    )
