"""The machine's record: a Raspberry Pi's files are laid out in a folder and read from there."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from edge.device.board import read_board, read_throttling, run_program


def no_program(arguments: Sequence[str]) -> str | None:
    return None


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def pi4(tmp_path: Path) -> Path:
    write(tmp_path, "proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0")
    write(tmp_path, "proc/meminfo", "MemTotal:        3884264 kB\nMemAvailable:    3310012 kB\n")
    write(tmp_path, "proc/cpuinfo", "processor\t: 0\nBogoMIPS\t: 108.00\n")
    write(tmp_path, "proc/loadavg", "0.52 0.58 0.59 1/203 1234\n")
    write(tmp_path, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "ondemand\n")
    write(tmp_path, "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "1500000\n")
    write(tmp_path, "sys/class/thermal/thermal_zone0/temp", "48312\n")
    write(tmp_path, "sys/class/thermal/thermal_zone1/temp", "0\n")
    write(tmp_path, "etc/os-release", 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n')
    return tmp_path


def test_a_raspberry_pi_is_recognised_with_all_its_figures(pi4: Path) -> None:
    board = read_board(pi4, no_program)
    assert board.model == "Raspberry Pi 4 Model B Rev 1.4"
    assert board.is_raspberry_pi
    assert board.memory_bytes == 3884264 * 1024
    assert board.memory_free_bytes == 3310012 * 1024
    assert board.governor == "ondemand"
    assert board.clock_mhz == 1500
    assert board.temperature_c == pytest.approx(48.312)
    assert board.system == "Debian GNU/Linux 12 (bookworm)"
    assert board.load == pytest.approx(0.52)


def test_what_a_machine_does_not_tell_is_none(tmp_path: Path) -> None:
    board = read_board(tmp_path, no_program)
    assert board.model is None
    assert not board.is_raspberry_pi
    assert board.temperature_c is None
    assert board.governor is None
    assert board.throttling is None
    assert board.cores >= 1


def test_a_pc_is_named_by_its_firmware(tmp_path: Path) -> None:
    write(tmp_path, "sys/class/dmi/id/sys_vendor", "LENOVO\n")
    write(tmp_path, "sys/class/dmi/id/product_name", "20XW\n")
    write(tmp_path, "proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n")
    board = read_board(tmp_path, no_program)
    assert board.model == "LENOVO 20XW"
    assert board.processor == "Some CPU @ 2 GHz"


def test_a_weak_supply_now_and_earlier_is_put_into_words(tmp_path: Path) -> None:
    throttling = read_throttling(tmp_path, lambda _: "throttled=0x50005\n")
    assert throttling is not None
    assert throttling.bits == 0x50005
    assert tuple(map(str, throttling.now)) == ("the supply voltage is too low", "the processor is throttled")
    assert throttling.since_start == throttling.now


def test_the_kernels_file_is_asked_before_the_program(tmp_path: Path) -> None:
    write(tmp_path, "sys/devices/platform/soc/soc:firmware/get_throttled", "80000\n")
    throttling = read_throttling(tmp_path, lambda _: "throttled=0x1\n")
    assert throttling is not None
    assert throttling.now == ()
    assert tuple(map(str, throttling.since_start)) == ("the soft temperature limit is reached",)


@pytest.mark.parametrize(
    "answer", ["", "throttled=", 'error=1 error_msg="Command not registered"', "nonsense"]
)
def test_an_answer_that_means_nothing_is_no_throttling(tmp_path: Path, answer: str) -> None:
    assert read_throttling(tmp_path, lambda _: answer) is None


def test_the_record_is_plain_json(pi4: Path) -> None:
    record = read_board(pi4, lambda _: "throttled=0x0\n").to_json()
    assert record["throttling"] == {"bits": 0, "now": [], "since_start": []}
    assert record["model"] == "Raspberry Pi 4 Model B Rev 1.4"


def test_a_missing_program_is_no_error() -> None:
    assert run_program(["plasmolite-no-such-program"]) is None


def test_this_machine_can_be_read() -> None:
    board = read_board()
    assert board.memory_bytes is not None
    assert board.memory_bytes > 0
