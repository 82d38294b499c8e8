"""What the device is and how it feels: board, processor, governor, temperature, throttling, clock.

Read from Linux's own files, and from ``vcgencmd`` where a Raspberry Pi has it. What a machine does not tell
is ``None``, never a guess. The root of the file system and the program runner are handed in, so that a Pi's
answers can be read anywhere. The benchmarks store this with every figure, ``plasmolite doctor`` judges it.
"""

import os
import platform
import subprocess  # vcgencmd only, with fixed arguments
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from edge.memory import available_memory, machine_memory
from edge.messages.doctor_codes import DoctorCode
from edge.messages.message import Message

Runner = Callable[[Sequence[str]], str | None]
"""Runs a program and returns what it printed, or ``None`` where it is missing or failed."""

THROTTLING_NOW = {
    0: Message(DoctorCode.THROTTLING_VOLTAGE),
    1: Message(DoctorCode.THROTTLING_CAPPED),
    2: Message(DoctorCode.THROTTLING_THROTTLED),
    3: Message(DoctorCode.THROTTLING_HOT),
}
"""Bits of ``vcgencmd get_throttled`` (Raspberry Pi documentation, "get_throttled"): what is so now."""
THROTTLING_SINCE_START = {bit + 16: condition for bit, condition in THROTTLING_NOW.items()}
"""The same four conditions, sixteen bits higher: what has happened since the board was started."""


class Throttling(NamedTuple):
    """What a Raspberry Pi says about its supply and its temperature.

    Attributes:
        bits: the number as the firmware gives it.
        now: conditions that hold now.
        since_start: conditions that have held at some time since the board was started.
    """

    bits: int
    now: tuple[Message, ...]
    since_start: tuple[Message, ...]


class Board(NamedTuple):
    """One machine at one moment.

    Attributes:
        model: the board's or the computer's name, such as "Raspberry Pi 4 Model B Rev 1.4".
        processor: the processor's name where it has one; ARM boards often have none.
        architecture: as ``uname -m`` says: aarch64, armv7l, x86_64.
        cores: processors that this process may use.
        memory_bytes: all of the machine's memory.
        memory_free_bytes: what a program could still take without swapping, its control group's limit included.
        governor: the frequency governor of the first processor: "performance", "ondemand" ...
        clock_mhz: the first processor's clock now.
        temperature_c: the hottest thermal zone, in degrees Celsius.
        throttling: a Raspberry Pi's own word about it.
        system: name and version of the operating system.
        load: runnable processes, mean over a minute.
    """

    model: str | None
    processor: str | None
    architecture: str
    cores: int
    memory_bytes: int | None
    memory_free_bytes: int | None
    governor: str | None
    clock_mhz: float | None
    temperature_c: float | None
    throttling: Throttling | None
    system: str | None
    load: float | None

    def to_json(self) -> dict[str, object]:
        """Return the record as plain values for JSON, throttling as its own object."""
        record: dict[str, object] = dict(self._asdict())
        if self.throttling is not None:
            record["throttling"] = {
                "bits": self.throttling.bits,
                "now": list(map(str, self.throttling.now)),
                "since_start": list(map(str, self.throttling.since_start)),
            }
        return record

    @property
    def is_raspberry_pi(self) -> bool:
        """True on a Raspberry Pi of any kind."""
        return self.model is not None and self.model.startswith("Raspberry Pi")


def run_program(arguments: Sequence[str]) -> str | None:
    """Run a program for at most five seconds and return its output, or ``None`` where that failed."""
    try:
        done = subprocess.run(  # noqa: S603 - the arguments are this project's own constants
            list(arguments), capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def read_board(root: Path = Path("/"), run: Runner = run_program) -> Board:
    """Read the machine's record.

    Args:
        root: where ``proc``, ``sys`` and ``etc`` are; another folder for a copy of a board's files.
        run: runs ``vcgencmd``.
    """
    cpu = root / "sys/devices/system/cpu/cpu0/cpufreq"
    kilohertz = _number(cpu / "scaling_cur_freq")
    return Board(
        model=_model(root),
        processor=_processor(root),
        architecture=platform.machine(),
        cores=_usable_cores(),
        memory_bytes=machine_memory(root).get("MemTotal"),
        memory_free_bytes=available_memory(root),
        governor=_text(cpu / "scaling_governor"),
        clock_mhz=None if kilohertz is None else kilohertz / 1000,
        temperature_c=_temperature(root),
        throttling=read_throttling(root, run),
        system=_system(root),
        load=_load(root),
    )


def read_throttling(root: Path = Path("/"), run: Runner = run_program) -> Throttling | None:
    """Ask a Raspberry Pi about its supply and throttling; ``None`` on any other machine.

    The kernel's file is asked first: it needs no program and no right to the firmware's device.
    """
    answer = _text(root / "sys/devices/platform/soc/soc:firmware/get_throttled")
    if answer is None:
        printed = run(["vcgencmd", "get_throttled"])
        if printed is None or "=" not in printed:
            return None
        answer = printed.strip().partition("=")[2]
    try:
        bits = int(answer, 16)
    except ValueError:
        return None
    return Throttling(
        bits,
        tuple(condition for bit, condition in THROTTLING_NOW.items() if bits >> bit & 1),
        tuple(condition for bit, condition in THROTTLING_SINCE_START.items() if bits >> bit & 1),
    )


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _text(path: Path) -> str | None:
    """Read one of Linux's small files; the device tree ends its texts with a zero byte."""
    try:
        text = path.read_text(errors="replace").strip("\0 \n\t")
    except OSError:
        return None
    return text or None


def _number(path: Path) -> float | None:
    text = _text(path)
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _model(root: Path) -> str | None:
    device_tree = _text(root / "proc/device-tree/model")
    if device_tree is not None:
        return device_tree
    parts = (_text(root / "sys/class/dmi/id" / name) for name in ("sys_vendor", "product_name"))
    return " ".join(part for part in parts if part is not None) or None


def _processor(root: Path) -> str | None:
    for line in (_text(root / "proc/cpuinfo") or "").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Hardware"}:
            return value.strip() or None
    return None


def _temperature(root: Path) -> float | None:
    zones = sorted((root / "sys/class/thermal").glob("thermal_zone*/temp"))
    # The kernel counts in thousandths of a degree; a zone without a sensor reads zero or below.
    degrees = [value / 1000 for value in map(_number, zones) if value is not None and value > 0]
    return max(degrees, default=None)


def _system(root: Path) -> str | None:
    for line in (_text(root / "etc/os-release") or "").splitlines():
        name, _, value = line.partition("=")
        if name == "PRETTY_NAME":
            return value.strip('"') or None
    return None


def _load(root: Path) -> float | None:
    words = (_text(root / "proc/loadavg") or "").split()
    try:
        return float(words[0]) if words else None
    except ValueError:
        return None
