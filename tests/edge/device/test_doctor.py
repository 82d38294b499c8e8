"""Each part of a device is put before the doctor sick and well."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge.camera.listing import Camera
from edge.camera.v4l2 import PixelFormat
from edge.device import board_checks as checks
from edge.device import doctor, installation
from edge.device.board import THROTTLING_NOW, Board, Throttling
from edge.device.doctor import exit_code
from edge.device.finding import Finding
from edge.errors import ModelStoreError
from edge.messages.camera_codes import CameraCode
from edge.messages.codes import Code
from edge.messages.doctor_codes import DoctorCode
from edge.messages.language import Language
from edge.messages.message import Message

PI = Board(
    model="Raspberry Pi 4 Model B Rev 1.4",
    processor=None,
    architecture="aarch64",
    cores=4,
    memory_bytes=4 * 2**30,
    memory_free_bytes=3 * 2**30,
    governor="ondemand",
    clock_mhz=1500.0,
    temperature_c=48.0,
    throttling=Throttling(0, (), ()),
    system="Debian GNU/Linux 12 (bookworm)",
    load=0.1,
)


def test_a_well_board_is_ok_in_every_part() -> None:
    every = (
        checks.check_board,
        checks.check_memory,
        checks.check_temperature,
        checks.check_supply,
    )
    assert [check(PI).state for check in every] == ["ok"] * 4
    assert checks.check_governor(PI).state == "ok"


@pytest.mark.parametrize(
    ("sick", "check", "words"),
    [
        ({"temperature_c": 78.0}, checks.check_temperature, "soon slows down"),
        ({"temperature_c": 86.0}, checks.check_temperature, "has slowed down"),
        ({"memory_free_bytes": 100 * 2**20}, checks.check_memory, "100 MB free"),
        ({"governor": "powersave"}, checks.check_governor, "lowest clock"),
        (
            {"throttling": Throttling(1, (Message(DoctorCode.THROTTLING_VOLTAGE),), ())},
            checks.check_supply,
            "Now: the supply voltage is too low",
        ),
        (
            {"throttling": Throttling(0x10000, (), (Message(DoctorCode.THROTTLING_VOLTAGE),))},
            checks.check_supply,
            "since the start",
        ),
    ],
)
def test_a_sick_board_is_warned_of_with_a_cure(sick: dict[str, Any], check: Any, words: str) -> None:
    finding = check(PI._replace(**sick))
    assert finding.state == "warning"
    assert words in str(finding.sentence)
    assert str(finding.action)


def test_what_a_sick_supply_does_is_said_in_the_readers_language() -> None:
    sick = PI._replace(throttling=Throttling(5, (THROTTLING_NOW[0], THROTTLING_NOW[2]), ()))
    sentence = checks.check_supply(sick).sentence
    said = "la tension d'alimentation est trop basse, le processeur est ralenti"
    assert said in sentence.text(Language.FRENCH)
    assert Message.from_json(sentence.to_json()) == sentence


def test_what_a_machine_does_not_tell_is_no_fault() -> None:
    silent = PI._replace(
        model=None, memory_free_bytes=None, temperature_c=None, throttling=None, governor=None
    )
    for check in (
        checks.check_memory,
        checks.check_temperature,
        checks.check_supply,
        checks.check_governor,
    ):
        assert check(silent).state == "ok"


@pytest.mark.parametrize(
    ("now", "synchronised", "hardware_clock", "state"),
    [
        (datetime(2026, 11, 3, tzinfo=UTC), True, False, "ok"),
        (datetime(2026, 11, 3, tzinfo=UTC), False, True, "ok"),
        (datetime(2026, 11, 3, tzinfo=UTC), False, False, "warning"),
        (datetime(1970, 1, 1, tzinfo=UTC), True, True, "warning"),
        (datetime(2099, 1, 1, tzinfo=UTC), True, True, "warning"),
    ],
)
def test_an_implausible_or_unkept_date_is_warned_of(
    now: datetime, synchronised: bool, hardware_clock: bool, state: str
) -> None:
    assert checks.check_clock(now, synchronised=synchronised, hardware_clock=hardware_clock).state == state


@pytest.mark.parametrize(
    ("free", "state"), [(50 * 2**20, "failure"), (1 * 2**30, "warning"), (9 * 2**30, "ok")]
)
def test_the_room_on_the_disk_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: str
) -> None:
    class Usage:
        pass

    usage: Any = Usage()
    usage.free = free
    monkeypatch.setattr("edge.device.doctor.shutil.disk_usage", lambda _: usage)
    assert doctor.check_disk(tmp_path)[0].state == state


def test_a_folder_that_is_not_made_yet_is_judged_by_the_one_above(tmp_path: Path) -> None:
    space, writing = doctor.check_disk(tmp_path / "slides" / "new")
    assert writing.state == "ok"
    assert space.value
    assert list(tmp_path.iterdir()) == []


def test_a_folder_behind_one_that_may_not_be_entered_is_judged_by_the_one_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.is_dir

    def is_dir(path: Path) -> bool:
        if "shut" in path.parent.parts:
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "is_dir", is_dir)
    (tmp_path / "shut").mkdir()
    _, writing = doctor.check_disk(tmp_path / "shut" / "slides")
    assert str(tmp_path / "shut") in str(writing.sentence)


def test_a_disk_that_cannot_be_written_to_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("edge.device.doctor.tempfile.NamedTemporaryFile", read_only)
    finding = doctor.check_disk(tmp_path)[1]
    assert finding.state == "failure"
    assert "read-only" in str(finding.sentence)
    assert "SD card" in str(finding.action)


def test_slides_of_another_user_are_not_called_a_worn_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shut(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("edge.device.doctor.tempfile.NamedTemporaryFile", shut)
    finding = doctor.check_disk(tmp_path)[1]
    assert finding.state == "failure"
    assert "does not belong to this user" in str(finding.sentence)
    assert "sudo -u plasmolite plasmolite doctor" in str(finding.action)


def test_a_camera_is_needed_only_by_a_device_that_counts_live() -> None:
    assert doctor.check_cameras([], needed=False).state == "warning"
    assert doctor.check_cameras([], needed=True).state == "failure"


def test_a_camera_that_may_not_be_opened_names_the_cure() -> None:
    problem = Message(CameraCode.NODE_NOT_OPENED, node="/dev/video0", reason=Message(Code.SYSTEM_NOT_ALLOWED))
    shut = Camera("0", "V4L2", "USB Camera", (), problem)
    assert "usermod" in str(doctor.check_cameras([shut], needed=True).action)


def test_a_camera_that_works_is_named() -> None:
    camera = Camera("0", "V4L2", "USB Camera", (PixelFormat("MJPG", "", ((640, 480),)),))
    assert str(doctor.check_cameras([camera], needed=True).sentence) == "0 (USB Camera)."


def test_a_damaged_model_is_a_failure_with_a_way_back(tmp_path: Path) -> None:
    (tmp_path / "bad.tflite").write_bytes(b"not a model at all")
    finding = installation.check_model(lambda: tmp_path / "bad.tflite")
    assert finding.state == "failure"
    assert "rollback" in str(finding.action)


def test_a_damaged_model_store_is_a_failure() -> None:
    def damaged() -> Path:
        raise ModelStoreError(Code.MODELS_DAMAGED, path="models.json")

    assert str(installation.check_model(damaged).sentence).startswith("models.json is damaged: ")


def test_a_runtime_is_found_where_the_tests_run() -> None:
    assert installation.check_runtime().state in {"ok", "warning"}


@pytest.mark.parametrize(
    ("states", "code"), [(["ok"], 0), (["ok", "warning"], 1), (["failure", "warning"], 2), ([], 0)]
)
def test_the_exit_code_is_that_of_the_worst_part(states: list[str], code: int) -> None:
    assert exit_code([Finding("part", state, Message(DoctorCode.SUPPLY)) for state in states]) == code
